from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report.desk.brief import in_brief
from acceleray.report.end_to_end.page import PAGE
from acceleray.settings import Settings
from report.conftest import Page
from report.invented_desk import desk, with_details
from report.invented_rows import Rows

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def desk_rows(run_rows: Callable[..., Rows]) -> Rows:
    """Return a run of a desk with groups, positions and active risk of two portfolios."""
    return with_details(desk(run_rows()))


@pytest.fixture
def written(no_drawing: None, page_settings: Settings, tmp_path: Path) -> Callable[[Rows], dict[str, Page]]:
    """Return a function that writes a report and returns its pages by file name, the main one as ``."""

    def make(rows: Rows) -> dict[str, Page]:
        path = PAGE.write(rows.read, page_settings, tmp_path / "run.html")
        found = {file.name: Page(file.read_text("utf-8")) for file in (tmp_path / "run").glob("*.html")}
        return found | {"": Page(path.read_text("utf-8"))}

    return make


def test_each_portfolio_has_a_page_and_links_lead_there_and_back(desk_rows: Rows, written: Any) -> None:
    found = written(desk_rows)
    assert set(found) == {"", "DESK.html", "GROWTH.html", "PAIRS.html", "BENCHMARK.html"}
    assert re.findall(r'<a href="run/([^"]+)">', found[""].markup) == [
        "DESK.html",
        "GROWTH.html",
        "PAIRS.html",
        "BENCHMARK.html",
    ]
    assert '<a href="../run.html">' in found["GROWTH.html"].markup
    assert '<a href="DESK.html">The desk</a>' in found["GROWTH.html"].markup
    assert '<a href="GROWTH.html">Growth</a>' in found["DESK.html"].markup
    assert "default-src 'none'" in found["GROWTH.html"].markup


def test_a_page_has_the_numbers_of_its_own_portfolio_and_of_no_other(desk_rows: Rows, written: Any) -> None:
    found = written(desk_rows)
    # Component, price, currency, marginal and incremental of AAA in either portfolio.
    of_desk, of_growth = (found[name].row("AAA", "equity") for name in ("DESK.html", "GROWTH.html"))
    assert of_desk[3:] == ["500,000", "50.00 %", "15,000", "14,000", "1,000", "0.0300", "9,000"]
    assert of_growth[3:] == ["70,000", "7.00 %", "-1,500".replace("-", "\u2212"), *of_growth[6:]]
    assert "Portfolio less BENCHMARK" in found["DESK.html"].text
    assert "This portfolio has no benchmark." in found["PAIRS.html"].text
    assert "not backtested" in found["PAIRS.html"].text


def test_groups_add_up_and_diversification_is_what_is_saved(desk_rows: Rows, written: Any) -> None:
    made = written(desk_rows)["DESK.html"]
    assert made.row("Energy")[1:5] == ["20,000", "100", "15,000", "60.0 %"]
    assert made.row("Sum")[1:4] == ["38,000", "", "25,000"]
    assert made.row("Diversification benefit")[1] == "13,000"


def test_lineage_leads_from_a_number_to_the_line_of_the_file(desk_rows: Rows, written: Any) -> None:
    made = written(desk_rows)["DESK.html"]
    text = html.unescape(made.markup)
    assert "portfolio lineage gold.positions run_id=r-test-0001 portfolio_id=DESK instrument_id=AAA" in text
    # The desk is the sum of its parts: the lines are theirs.
    assert "portfolio lineage silver.holdings run_id=r-test-0001 position_id=GROWTH/AAA/1" in text
    assert "position_id=BENCHMARK" not in text


def test_what_is_not_in_the_risk_is_said_on_the_page_of_the_portfolio(desk_rows: Rows, written: Any) -> None:
    row = next(row for row in desk_rows[t.POSITIONS] if row["portfolio_id"] == "GROWTH")
    row |= {"status": "not modelled", "reason": "an option is not linear", "market_value": 70_000.0}
    found = written(desk_rows)
    assert "Not in the risk of this portfolio, in % of NAV: 7.00 % not modelled." in found["GROWTH.html"].text
    assert "an option is not linear" in found["GROWTH.html"].text
    assert "Not in the risk of this portfolio" not in found["PAIRS.html"].text


def test_hostile_names_are_shown_and_not_obeyed(desk_rows: Rows, written: Any) -> None:
    for table in (t.POSITIONS, t.POSITION_RISK, t.RISK_CONTRIBUTIONS, t.ACTIVE_CONTRIBUTIONS):
        for row in desk_rows[table]:
            if row["instrument_id"] == "AAA":
                row["instrument_id"] = HOSTILE
    for row in desk_rows[t.GROUP_RISK]:
        row |= {"group": HOSTILE + row["group"], "grouping": HOSTILE}
    for row in desk_rows[t.PORTFOLIOS]:
        row["name"] = HOSTILE
    for name, made in written(desk_rows).items():
        assert HOSTILE not in made.markup, name
        assert made.markup.count("<script>") == 1


def test_the_console_ends_with_the_book(desk_rows: Rows, page_settings: Settings) -> None:
    found = in_brief(desk_rows.read, page_settings)
    assert list(found.header) == [
        "Portfolio",
        "NAV",
        "VaR 99 %, 1 day",
        "ES 97.5 %, 10 days",
        "Limits",
        "Backtest",
    ]
    assert [row[0] for row in found.rows] == ["DESK", "  GROWTH", "  PAIRS", "BENCHMARK"]
    assert found.rows[0][1:] == (
        *("EUR 1,000,000", "2.53 %", "7.82 %", "red 104 %, 1 not evaluated", "passed, green zone"),
    )
    assert found.caption == ""


def test_the_console_names_twelve_and_counts_the_others(
    run_rows: Callable[..., Rows], page_settings: Settings
) -> None:
    found = in_brief(run_rows(portfolios=40).read, page_settings)
    assert len(found.rows) == 12
    assert found.caption == "and 28 more: see the report"


def test_a_close_older_than_the_as_of_date_is_said_above_and_at_the_position(
    desk_rows: Rows, written: Any
) -> None:
    today = desk_rows[t.POSITIONS][0]["as_of"]
    for row in desk_rows[t.POSITIONS]:
        old = row["portfolio_id"] == "GROWTH"
        row["price_date"] = today - timedelta(days=5) if old else today
    found = written(desk_rows)
    day = today - timedelta(days=5)
    assert f"Valued at a close older than {today}: AAA ({day})." in found["GROWTH.html"].text
    assert found["GROWTH.html"].row("AAA", "equity")[2] == f"priced close of {day}"
    assert "older than" not in found["DESK.html"].text


def test_days_to_liquidate_are_shown_with_their_basis_and_without_volumes_that_is_said_once(
    desk_rows: Rows, written: Any
) -> None:
    found = written(desk_rows)
    assert found["GROWTH.html"].text.count("No volumes: days to liquidate are not evaluated") == 1
    own = {name: desk_rows[t.POSITIONS][0][name] for name in ("run_id", "as_of")} | {"portfolio_id": "GROWTH"}
    sold = {f"liquidated_{days}d_pct_nav": share for days, share in ((1, 4.0), (5, 20.0), (10, 33.0))}
    whole = {"days_to_liquidate": 12.5, "slowest": "AAA", "gross_pct_nav": 97.0, "unknown_pct_nav": 3.0}
    basis = {"participation": 0.2, "average": "median", "volume_days": 60, "last_volume_date": own["as_of"]}
    desk_rows[t.PORTFOLIO_LIQUIDITY].append(own | sold | whole | basis)
    days = {"units": 500.0, "average_daily_volume": 200.0, "days_to_liquidate": 12.5, "reason": None}
    line = own | {"instrument_id": "AAA", "exposure": 7e4, "currency": "EUR", "participation": 0.2}
    none = {"average_daily_volume": None, "days_to_liquidate": None, "reason": "it has no volumes"}
    desk_rows[t.POSITION_LIQUIDITY].extend((line | days, line | days | none | {"instrument_id": "BBB"}))
    page = written(desk_rows)["GROWTH.html"]
    assert "20 % of the median daily volume of the 60 risk days up to" in page.text
    assert page.row("97.0 %")[1:] == ["4.0 %", "20.0 %", "33.0 %", "3.0 %", "AAA", "12.5"]
    assert page.row("BBB", "70,000")[3:5] == ["n/a", "it has no volumes"]
    assert page.markup.index("BBB") < page.markup.rindex("gold.position_liquidity")
