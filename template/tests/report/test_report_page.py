from __future__ import annotations

import base64
import html
import random
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from portfolio import tables as t
from portfolio.errors import PortfolioError
from portfolio.report import write
from portfolio.settings import Settings

HOSTILE = '<script>alert("x")</script>&\'"]]>\x0b'
VOID = {"meta", "source", "img", "br"}


def text_of(page: str) -> str:
    """Return what a reader sees: no tags, no style, spaces collapsed."""
    body = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def row_of(page: str, *starts: str) -> list[str]:
    """Return the cells of the first table row that starts with these cells."""
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, flags=re.DOTALL):
        cells = [text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL)]
        if cells[: len(starts)] == list(starts):
            return cells
    raise AssertionError(f"no row starts with {starts}")


def drawings_of(page: str) -> list[str]:
    """Return the SVG text of every picture."""
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    return [base64.b64decode(one).decode("utf-8") for one in found]


def test_headline_numbers_carry_currency_share_of_nav_and_standard_error(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    text = text_of(page(run_rows()))
    assert "Value at risk 99 % over 1 day EUR 25,312 2.53 % of NAV Monte Carlo standard error EUR 212" in text
    assert "Expected shortfall 97.5 % over 10 days EUR 78,236 7.82 % of NAV" in text
    assert "reference portfolio loses less than EUR 25,312 (2.53 % of NAV) over 1 day" in text


def test_the_header_names_customer_project_date_source_and_verdict(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    text = text_of(page(run_rows()))
    assert "Müller & Søn Kapitalförvaltning 東京 · Risikosicht" in text
    assert "As of 28 December 2022" in text
    assert "CSV file prices.csv" in text
    assert "Portfolio risk report Backtest passed" in text


def test_contributions_add_up_to_expected_shortfall_in_a_total_row(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    made = page(run_rows([f"N{i:02d}" for i in range(40)]))
    assert row_of(made, "Total = expected shortfall")[2:] == ["100.0 %", "26,079", "78,236"]
    assert "Other 25 instruments" in text_of(made)
    shown = [row_of(made, f"N{i:02d}")[3] for i in range(15)] + [row_of(made, "Other 25 instruments")[3]]
    # Sixteen amounts, each rounded to a whole unit.
    assert sum(int(amount.replace(",", "")) for amount in shown) == pytest.approx(26_079, abs=8)
    assert "The contributions add up to the expected shortfall" in text_of(made)


def test_contributions_that_do_not_add_up_are_denounced(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    rows[t.RISK_CONTRIBUTIONS][0]["contribution"] *= 1.01
    text = text_of(page(rows))
    assert "The contributions miss the expected shortfall in the headline by" in text
    assert "The contributions add up" not in text


def test_a_hedge_is_drawn_to_the_left_of_the_common_zero(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows(["A", "B"])
    parts = {("A", 1): 26_078.6 * 1.25, ("B", 1): -26_078.6 * 0.25}
    for row in rows[t.RISK_CONTRIBUTIONS]:
        row["contribution"] = parts.get((row["instrument_id"], row["horizon_d"]), row["contribution"])
    made = page(rows)
    assert '<span style="left:16.67%;width:83.33%">' in made
    assert '<span class="hedge" style="left:0.00%;width:16.67%">' in made
    assert row_of(made, "B")[2] == "\u221225.0 %"


def test_a_hostile_instrument_name_is_shown_and_not_obeyed(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str], move_to_quarantine: Callable[..., None]
) -> None:
    rows = run_rows(["AAA", HOSTILE, "$x_1$"], rejected={"AAA": HOSTILE})
    day = rows[t.PRICES][0]["date"]
    move_to_quarantine(rows, HOSTILE, day, HOSTILE, HOSTILE)
    rows[t.RUNS][0]["model_uri"] = HOSTILE
    rows[t.PORTFOLIOS][0]["name"] = HOSTILE
    made = drawn_page(rows)
    assert "<script" not in made.lower()
    assert "&lt;script&gt;alert" in made
    pictures = drawings_of(made)
    for picture in pictures:
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
        assert "script" not in tags
    # Dollar signs are part of a name, not the start of a formula.
    assert any("$x_1$" in picture for picture in pictures)


def test_the_page_loads_nothing_from_anywhere(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    made = drawn_page(run_rows())
    attributes = re.findall(r"""(?:src|srcset|href|action|data)\s*=\s*["']?([^"'\s>]+)""", made)
    assert attributes
    assert all(value.startswith(("#", "data:image/svg+xml;base64,")) for value in attributes)
    assert "default-src 'none'" in made
    for content in (made, *drawings_of(made)):
        assert "@import" not in content
        assert "<script" not in content
        assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", content))
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', content))


def test_the_same_rows_in_any_order_give_the_same_bytes(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path
) -> None:
    rows = run_rows([f"N{i:02d}" for i in range(30)])
    first = write(rows.read, page_settings, tmp_path / "first.html").read_bytes()
    shuffle = random.Random(5)
    for label in rows.tables:
        shuffle.shuffle(rows.tables[label])
    second = write(rows.read, page_settings, tmp_path / "second.html").read_bytes()
    assert first == second
    rows[t.RISK_MEASURES][0]["value"] *= 2
    rows[t.PORTFOLIO_SCORES][0]["var_pct_nav"] *= 2
    assert write(rows.read, page_settings, tmp_path / "third.html").read_bytes() != first


def test_rejected_instruments_are_listed_with_reasons_and_what_they_leave_unpriced(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    reason = "312 returns are fewer than the 500 required"
    rows = run_rows(rejected={"BBB": reason})
    rows[t.PORTFOLIO_SCORES][0]["unpriced_pct_nav"] = 33.333
    made = page(rows)
    assert row_of(made, "BBB", "rejected") == ["BBB", "rejected", "1,200", reason]
    assert "Calibrated 2 of 3" in text_of(made)
    assert "33.3 % of NAV is in instruments without a calibrated model." in text_of(made)


def test_a_run_in_which_nothing_could_be_calibrated_still_renders(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    names = ["A", "B", "C"]
    text = text_of(drawn_page(run_rows(names, rejected=dict.fromkeys(names, "constant"))))
    assert "No instrument could be calibrated." in text
    assert "This run computed no contributions" in text


def test_a_persistence_of_one_has_a_half_life_beyond_ten_years(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    rows[t.CALIBRATION][0] |= {"persistence": 1.0, "half_life_d": None, "at_bound": "persistence"}
    made = page(rows)
    cells = row_of(made, "AAA", "calibrated")
    assert cells[3:7] == ["1.0000", "> 10 years", cells[5], "persistence"]


def test_all_models_are_judged_with_their_p_values_in_the_order_simple_to_calibrated(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    made = page(rows)
    hits = {row["model"]: str(row["exceptions"]) for row in rows[t.BACKTEST_VERDICTS]}
    assert row_of(made, "Historical simulation") == [
        *("Historical simulation", "700", hits["historical_simulation"], "7.0"),
        *("< 0.001", "0.752", "< 0.001", "red \u00d72.00", "failed"),
    ]
    calibrated = "Filtered historical simulation, calibrated filter"
    assert row_of(made, calibrated) == [
        *(calibrated, "700", hits["filtered_historical_calibrated"], "7.0"),
        *("0.317", "0.752", "0.577", "green \u00d71.50", "passed"),
    ]
    assert made.index("EWMA normal") < made.index("EWMA filter") < made.index("calibrated filter")
    assert "more exceptions than expected" in text_of(made)


def test_a_model_that_failed_is_called_failed_on_the_first_screen(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    for row in rows[t.BACKTEST_VERDICTS]:
        row["passed"] = False
    first_screen = text_of(page(rows)).split("Headline risk")[0]
    assert "Backtest failed" in first_screen
    assert "Its record does not support them" in first_screen
    assert "Backtest passed" not in first_screen


def test_too_few_days_are_neither_a_pass_nor_a_failure(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    first_screen = text_of(drawn_page(run_rows(days=120))).split("Headline risk")[0]
    assert "Too few days to judge" in first_screen
    assert "too short to say anything" in first_screen


def test_a_run_without_a_backtest_says_so(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    rows[t.BACKTEST_FORECASTS].clear()
    rows[t.BACKTEST_VERDICTS].clear()
    text = text_of(drawn_page(rows))
    assert "Not backtested" in text
    assert "treat them as unverified" in text
    assert "There is no backtest in this run" in text


def test_no_exceptions_at_all_still_render(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    for row in rows[t.BACKTEST_FORECASTS]:
        row["exception"] = False
    for row in rows[t.BACKTEST_VERDICTS]:
        row |= {"exceptions": 0, "independence_p": float("nan")}
    made = drawn_page(rows)
    assert row_of(made, "EWMA normal (RiskMetrics)")[2:6] == ["0", "7.0", "< 0.001", "n/a"]
    assert "0 exceptions where 7.0 were expected" in text_of(made)


def test_only_crises_inside_the_data_are_shown(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows(days=780)
    made = page(rows)
    inside = [
        row
        for row in rows[t.BACKTEST_FORECASTS]
        if row["model"] == "filtered_historical_calibrated"
        and date(2020, 2, 19) <= row["date"] <= date(2020, 6, 30)
    ]
    cells = row_of(made, "Pandemic (2020)")
    assert cells[1:5] == [
        "2020-02-19",
        "2020-06-30",
        str(len(inside)),
        str(sum(row["exception"] for row in inside)),
    ]
    assert "Financial crisis" not in text_of(made)


def test_a_rank_ic_above_a_tenth_is_called_probable_leakage(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    assert "Probable leakage" not in text_of(page(rows))
    rows[t.SIGNAL_VALIDATION][1]["rank_ic"] = 0.101
    text = text_of(page(rows))
    assert "Probable leakage: rank IC above 0.1 in fold 2." in text
    assert "No fold shows a rank IC above 0.1" not in text


def test_scores_always_come_with_the_warning_about_survivors(
    run_rows: Callable[..., Any], page_settings: Settings, page: Callable[[Any], str], tmp_path: Path
) -> None:
    rows = run_rows([f"N{i:02d}" for i in range(20)])
    assert "proves nothing about alpha" in text_of(page(rows))
    sample = page_settings.model_copy(
        update={"market_data": page_settings.market_data.model_copy(update={"source": "sample"})}
    )
    made = write(rows.read, sample, tmp_path / "sample.html").read_text(encoding="utf-8")
    assert "20 surviving names prove nothing about alpha" in text_of(made)


def test_quarantined_prices_are_counted_by_reason_with_examples(
    run_rows: Callable[..., Any], page: Callable[[Any], str], move_to_quarantine: Callable[..., None]
) -> None:
    rows = run_rows()
    days = sorted({row["date"] for row in rows[t.PRICES]})
    move_to_quarantine(rows, "AAA", days[3], "-1", "price is not positive")
    move_to_quarantine(rows, "BBB", days[5], "0", "price is not positive")
    move_to_quarantine(rows, "CCC", days[0], "n.a.", "price is not a number")
    made = page(rows)
    assert row_of(made, "price is not positive")[1:] == [
        "2",
        "2",
        f"AAA on {days[3]}: '-1' BBB on {days[5]}: '0'",
    ]
    text = text_of(made)
    assert "Prices received 60 Accepted 57 Quarantined 3" in text
    assert "do not add up" not in text
    # The gaps that quarantine leaves are gaps: in between, and before the first price.
    assert row_of(made, "AAA", str(days[0]))[3:] == ["19", "1", "0", "0"]
    assert row_of(made, "CCC", str(days[1]))[3:] == ["19", "0", "1", "0"]


def test_nothing_quarantined_and_no_gaps_are_said_in_words(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    text = text_of(page(run_rows()))
    assert "No price was quarantined." in text
    assert "no gaps, no late starts, no early ends" in text


def test_rows_that_vanished_between_bronze_and_silver_are_noticed(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    rows[t.PRICES].pop()
    assert "do not add up: 60 received, 59 accounted for" in text_of(page(rows))


def test_lineage_resolves_the_first_number_and_lists_versions_in_the_order_of_stages(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    made = page(run_rows())
    assert (
        "portfolio lineage gold.risk_measures run_id=r-test-0001 portfolio_id=REFERENCE"
        " measure=value_at_risk confidence=0.99 horizon_d=1"
    ) in text_of(made)
    assert row_of(made, "ingest", "wrote", "silver.prices", "41", "1,234")
    assert row_of(made, "simulate", "read", "gold.returns", "41", "1,234")
    # A stage is named once; its further tables follow without it.
    assert row_of(made, "", "wrote", "gold.risk_measures", "41", "1,234")
    assert made.index(">silver.prices<") < made.index(">gold.returns<") < made.index(">gold.risk_measures<")
    assert row_of(made, "MLflow run", "0123456789abcdef")
    assert row_of(made, "Seed", "20260101")


def test_a_run_without_evidence_of_models_or_lineage_renders(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    for table in (
        *(t.RUNS, t.RUN_TABLES, t.SIGNAL_VALIDATION, t.PREDICTIONS, t.LOSS_DISTRIBUTION),
        *(t.SCENARIO_SETS, t.PORTFOLIO_SCORES, t.CALIBRATION, t.PRICES, t.PRICES_RECEIVED),
    ):
        rows[table].clear()
    text = text_of(drawn_page(rows))
    assert "not recorded" in text
    assert "This run scored no portfolios." in text


@pytest.mark.parametrize(("instruments", "portfolios"), [(3, 1), (60, 2000)])
def test_small_and_large_runs_render_and_say_what_they_leave_out(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str], instruments: int, portfolios: int
) -> None:
    text = text_of(drawn_page(run_rows([f"N{i:03d}" for i in range(instruments)], portfolios=portfolios)))
    large = instruments > 50
    assert ("The 40 most volatile of 60 calibrated instruments" in text) is large
    assert ("The 10 riskiest of 2,000 portfolios" in text) is large
    assert ("All portfolios by one-day value at risk" in text) is not large


def test_without_a_reference_portfolio_there_is_one_plain_line_and_the_old_file_stays(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path
) -> None:
    rows = run_rows()
    rows[t.PORTFOLIOS].clear()
    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")
    with pytest.raises(PortfolioError, match="no reference portfolio"):
        write(rows.read, page_settings, path)
    assert path.read_text(encoding="utf-8") == "older"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_write_that_breaks_half_way_leaves_the_old_file_and_no_other(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write(run_rows().read, page_settings, path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "older"


def test_price_tables_are_asked_for_without_their_prices(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    rows = run_rows()
    page(rows)
    asked = {table.label: set(table.column_names) for table in rows.asked}
    assert asked["bronze.prices_received"] == {"instrument_id"}
    assert "price" not in asked["silver.prices"]
    assert "gold.positions" not in asked


def test_simulated_things_are_called_simulated_and_nothing_is_called_compliant(
    run_rows: Callable[..., Any], page: Callable[[Any], str]
) -> None:
    text = text_of(page(run_rows()))
    assert "12 portfolios, of which 11 are simulated" in text
    assert "The book is simulated." in text
    assert "FRTB-aligned" in text
    assert "compliant" not in text.lower()


class Outline(HTMLParser):
    """Checks nesting and collects what a screen reader needs."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.headers: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.pictures.append(found)
        if tag == "th":
            self.headers.append(found)
        if identity := found.get("id"):
            self.ids.append(identity)
        if tag == "a":
            self.targets.append(str(found.get("href")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_readable_without_eyes(
    run_rows: Callable[..., Any], drawn_page: Callable[[Any], str]
) -> None:
    outline = Outline()
    outline.feed(drawn_page(run_rows(rejected={"BBB": "too short"})))
    assert outline.open == []
    assert len(outline.pictures) == 6
    assert all(len(str(picture.get("alt"))) > 20 for picture in outline.pictures)
    assert all(header.get("scope") in {"row", "col"} for header in outline.headers)
    assert len(set(outline.ids)) == len(outline.ids)
    assert {target.lstrip("#") for target in outline.targets} == set(outline.ids)
