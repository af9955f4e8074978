from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from acceleray import tables as t
from report.invented_rows import KEYS


def test_all_models_are_judged_with_their_p_values_in_the_order_simple_to_calibrated(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    made = page(rows)
    hits = {row["model"]: str(row["exceptions"]) for row in rows[t.BACKTEST_VERDICTS]}
    assert made.row("Historical simulation") == [
        *("Historical simulation", "700", hits["historical_simulation"], "7.0", "1.40 to 2.10"),
        *("0.001", "0.002", "\u22120.90 \u22120.21", "0.001", "0.270", "< 0.001 < 0.001"),
        *("red \u00d72.00 yellow", "failed benchmark"),
    ]
    calibrated = "Filtered historical simulation, calibrated filter"
    assert made.row(calibrated) == [
        *(calibrated, "700", hits["filtered_historical_calibrated"], "7.0", "0.80 to 1.30"),
        *("0.410", "0.620", "\u22120.05 \u22120.21", "0.330", "0.270", "0.317 0.577"),
        *("green \u00d71.50 green", "passed promoted"),
    ]
    assert (
        made.markup.index("EWMA normal")
        < made.markup.index("EWMA filter")
        < made.markup.index("calibrated filter")
    )
    assert "more exceptions than expected" in made.text


def test_a_model_that_failed_is_called_failed_on_the_first_screen(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for row in rows[t.BACKTEST_VERDICTS]:
        row["passed"] = False
    first_screen = page(rows).text.split("Headline risk")[0]
    assert "Backtest failed" in first_screen
    assert "Its record does not support them" in first_screen
    assert "Backtest passed" not in first_screen


def test_too_few_days_are_neither_a_pass_nor_a_failure(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    first_screen = drawn_page(run_rows(days=120)).text.split("Headline risk")[0]
    assert "Too few days to judge" in first_screen
    assert "too short to say anything" in first_screen


def test_a_run_without_a_backtest_says_so(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.BACKTEST_FORECASTS].clear()
    rows[t.BACKTEST_VERDICTS].clear()
    text = drawn_page(rows).text
    assert "Not backtested" in text
    assert "treat them as unverified" in text
    assert "There is no backtest in this run" in text


def test_no_exceptions_at_all_still_render(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for row in rows[t.BACKTEST_FORECASTS]:
        row["exception"] = False
    for row in rows[t.BACKTEST_VERDICTS]:
        row |= {"exceptions": 0, "independence_p": float("nan")}
    made = drawn_page(rows)
    assert made.row("EWMA normal (RiskMetrics)")[2:5] == ["0", "7.0", "1.40 to 2.10"]
    assert "0 exceptions where 7.0 were expected" in made.text


def test_only_crises_inside_the_data_are_shown(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows(days=780)
    made = page(rows)
    inside = [
        row
        for row in rows[t.BACKTEST_FORECASTS]
        if row["model"] == "filtered_historical_calibrated"
        and date(2020, 2, 19) <= row["date"] <= date(2020, 3, 23)
    ]
    # Windows and their names are those of the stress file: nobody else's crises stand over a book.
    cells = made.row("COVID-19 crash (2020)")
    assert cells[1:5] == [
        "2020-02-19",
        "2020-03-23",
        str(len(inside)),
        str(sum(row["exception"] for row in inside)),
    ]
    assert "financial crisis" not in made.text
    assert "Chance" not in made.text


def test_a_crisis_in_which_the_model_fell_short_is_not_hidden_by_a_pass(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows(days=780)
    crisis = [
        row
        for row in rows[t.BACKTEST_FORECASTS]
        if row["model"] == "filtered_historical_calibrated" and row["date"] <= date(2020, 3, 23)
        if row["date"] >= date(2020, 2, 19)
    ]
    for number, row in enumerate(crisis):
        row["exception"] = number < 3
    made = page(rows)
    assert made.row("COVID-19 crash (2020)")[4:6] == ["3", f"{0.01 * len(crisis):.1f}"]
    assert "fell short" not in made.text
    for number, row in enumerate(crisis):
        row["exception"] = number < 6
    made = page(rows)
    first_screen = made.text.split("Headline risk")[0]
    assert "Backtest passed" in first_screen
    assert "In a crisis, however, it fell short" in first_screen
    assert "the model fell short (covid-19 crash: 6 exceptions where 0.2 were expected)" in made.text


def test_the_look_back_is_shown_for_every_model_that_has_one(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    identity = {"portfolio_id": "REFERENCE", "model": "historical_simulation", "confidence": 0.99}
    numbers = {"days": 700, "exceptions": 9, "expected_exceptions": 7.0, "kupiec_p": 0.47}
    numbers |= {"conditional_coverage_p": 0.62, "z2": -0.1, "mean_value_at_risk_pct_nav": 2.4}
    rows[t.BACKTEST_WINDOWS].append(KEYS | identity | numbers | {"window_d": 500})
    cells = page(rows).row("500")
    assert cells[1:] == [*("Historical simulation", "9", "7.0", "0.470", "0.620", "\u22120.10", "2.40 %")]
