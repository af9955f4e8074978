from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report.desk import order, overview
from acceleray.settings import Settings
from report.invented_desk import POSITION, desk
from report.invented_rows import Rows

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def desk_rows(run_rows: Callable[..., Rows]) -> Rows:
    """Return a run of a desk: DESK with the parts GROWTH and PAIRS, and a benchmark."""
    return desk(run_rows())


def downloads(markup: str) -> dict[str, list[list[str]]]:
    """Return the rows of every table that can be downloaded, by the name of its file."""
    found = re.findall(r'download="([^"]+)" href="data:text/csv;charset=utf-8;base64,([^"]+)"', markup)
    return {
        name: list(csv.reader(io.StringIO(base64.b64decode(text).decode("utf-8")))) for name, text in found
    }


@pytest.mark.parametrize("kind", ["page", "stress_page"])
def test_each_portfolio_has_a_line_with_its_own_numbers(
    kind: str, desk_rows: Rows, request: pytest.FixtureRequest
) -> None:
    made = request.getfixturevalue(kind)(desk_rows)
    line = made.row("The desk DESK")
    assert line[1:3] == ["EUR 1,000,000", "120.0 % 80.0 %"]
    assert line[3:6] == ["2.53 % EUR 25,312", "+0.40 %", "7.82 % EUR 78,236"]
    assert line[6] == "31.0 % Crash"
    assert line[7:] == ["104 % red 1 not evaluated", "passed green zone", "0.00 % 0.00 %"]
    assert made.row("Growth GROWTH")[7:9] == ["n/a no limit", "failed red zone"]
    assert made.row("Pairs PAIRS")[8] == "not backtested"
    assert made.markup.index('id="overview"') < made.markup.index('id="findings"')


def test_a_whole_stands_before_its_parts_and_a_click_can_sort(desk_rows: Rows, page: Any) -> None:
    made = page(desk_rows)
    heads = re.findall(r'<th scope="row" class="name in(\d)" data-value="(\d+)">(.*?)<div', made.markup)
    assert [(depth, place) for depth, place, _ in heads] == [("0", "0"), ("1", "1"), ("1", "2"), ("0", "3")]
    assert [re.sub("<[^>]+>", "", name) for *_, name in heads] == ["The desk", "Growth", "Pairs", "Benchmark"]
    assert 'data-value="25312.4"' in made.markup
    assert "script-src 'sha256-" in made.markup


def test_what_is_not_in_the_risk_is_said_before_anything_else(desk_rows: Rows, page: Any) -> None:
    # Long and short without prices cancel in gold.portfolios; they do not cancel in what may be lost.
    nothing = POSITION | {"portfolio_id": "GROWTH", "market_value": 0.0}
    some = POSITION | {"portfolio_id": "PAIRS"}
    desk_rows[t.POSITIONS].extend(
        [
            some | {"instrument_id": "L", "market_value": 30_000.0},
            some | {"instrument_id": "S", "market_value": -20_000.0},
            nothing | {"instrument_id": "P", "status": "not modelled"},
            nothing | {"instrument_id": "Q", "market_value": 1e4, "status": "proxied"},
        ]
    )
    made = page(desk_rows)
    said = (
        "Not in the risk, in % of NAV: PAIRS: 5.00 % not priced; GROWTH: 1 position without a known value."
        " No number includes what it may lose."
    )
    assert said in made.text
    assert made.text.index(said) < made.text.index("Portfolio risk report", 60)
    assert "In the risk by a proxy, in % of NAV: GROWTH: 1.00 %." in made.text
    assert made.row("Pairs PAIRS")[-1] == "5.00 % 0.00 %"
    assert made.row("Growth GROWTH")[-1] == "0.00 % + unknown 1.00 %"
    desk_rows[t.POSITIONS].clear()
    assert "Not in the risk, in % of NAV" not in page(desk_rows).text


def test_of_a_large_book_the_roots_and_the_riskiest_are_shown(page_settings: Settings) -> None:
    rows = [
        {
            "portfolio_id": f"P{n:04d}",
            "parent_id": f"P{n // 100 * 100:04d}" if n % 100 else "",
            "origin": "reported",
        }
        for n in range(1000)
    ]
    risk = {f"P{n:04d}": float(n) for n in range(1000)}
    shown = order.shown(rows, risk)
    assert {f"P{n:04d}" for n in range(0, 1000, 100)} <= shown
    assert {f"P{n:04d}" for n in range(900, 1000)} <= shown
    assert len(shown) == 109
    assert order.looked_into(rows) == [f"P{n:04d}" for n in range(0, 1000, 100)]


def test_thousands_that_stand_alone_are_shown_by_their_risk(run_rows: Callable[..., Rows], page: Any) -> None:
    made = page(run_rows(portfolios=300))
    assert re.search(r"of 300; (199|200) more are in gold.portfolios", made.text)


def test_a_hostile_name_is_neither_markup_nor_a_formula(desk_rows: Rows, page: Any) -> None:
    desk_rows[t.PORTFOLIOS][0]["name"] = HOSTILE
    desk_rows[t.PORTFOLIOS][1]["name"] = "=cmd()"
    made = page(desk_rows)
    assert HOSTILE not in made.markup
    rows = downloads(made.markup)["report-overview.csv"]
    assert [row[0] for row in rows[1:3]] == [HOSTILE, "'=cmd()"]


def test_the_csv_has_the_rows_of_the_table_with_all_digits(desk_rows: Rows, page: Any) -> None:
    head, *rows = downloads(page(desk_rows).markup)["report-overview.csv"]
    assert len(rows) == 4
    of_desk = dict(zip(head, rows[0], strict=True))
    assert of_desk["Portfolio, id"] == "DESK"
    assert of_desk["VaR 99 %, 1 day"] == "2.53124"
    assert of_desk["VaR 99 %, 1 day, amount (EUR)"] == "25312.4"
    assert of_desk["Gross exposure (%)"] == "120.0"
    desk_rows[t.PORTFOLIOS][1]["currency"] = "USD"
    head, *rows = downloads(page(desk_rows).markup)["report-overview.csv"]
    assert [dict(zip(head, row, strict=True))["NAV, currency"] for row in rows[:2]] == ["EUR", "USD"]


def test_the_worst_stress_of_a_portfolio_is_its_own(desk_rows: Rows, page_settings: Settings) -> None:
    lines = overview.gather(desk_rows.read, page_settings).lines
    assert [line.stress and (line.stress.title, line.stress.pct_nav) for line in lines] == [
        ("Crash", 31.0),
        ("Rally", 4.0),
        None,
        None,
    ]


def test_names_of_files_never_leave_their_folder() -> None:
    names = ["GROWTH", "Growth", "../../etc/passwd", "a/b", "a_b", "", "\u6771\u4eac"]
    files = [order.file_name(name) for name in names]
    assert files[0] == "GROWTH.html"
    assert len({name.lower() for name in files}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name) for name in files)
