from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.settings import Settings


def test_headline_numbers_carry_currency_share_of_nav_and_standard_error(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    text = page(run_rows()).text
    window = "Standard error of the window of 2,500 days EUR 212"
    assert f"Value at risk 99 % over 1 day EUR 25,312 2.53 % of NAV {window}" in text
    draws = "Monte Carlo standard error EUR 212"
    assert f"Expected shortfall 97.5 % over 10 days EUR 78,236 7.82 % of NAV {draws}" in text
    assert "reference portfolio loses less than EUR 25,312 (2.53 % of NAV) over 1 day" in text


def test_ten_days_are_shown_with_their_record_and_without_one_as_not_backtested(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    made = page(rows)
    assert (
        "2.53 % of NAV Standard error of the window of 2,500 days EUR 212 Backtested day by day" in made.text
    )
    assert "Monte Carlo standard error EUR 212 8 exceptions in 731 windows, 7.3 expected" in made.text
    assert made.row("Filtered historical simulation", "10 days")[2:] == [
        *("731", "8", "7.3", "0.801", "0.47 % to 2.14 %", "not rejected")
    ]
    rows[t.BACKTEST_HORIZONS].clear()
    made = page(rows)
    assert "Monte Carlo standard error EUR 212 Not backtested" in made.text
    assert made.row("Filtered historical simulation", "10 days")[-1] == "not backtested"
    assert "Not backtested: Filtered historical simulation, 10 days." in made.text


def test_the_header_names_customer_project_date_source_and_verdict(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    text = page(run_rows()).text
    assert "Müller & Søn Kapitalförvaltning 東京 · Risikosicht" in text
    assert "As of 28 December 2022" in text
    assert "CSV file prices.csv" in text
    assert "Portfolio risk report Backtest passed" in text


def test_contributions_add_up_to_expected_shortfall_in_a_total_row(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    made = page(run_rows([f"N{i:02d}" for i in range(40)]))
    assert made.row("Total = expected shortfall")[2:] == ["100.0 %", "26,079", "78,236"]
    assert "Other 25 instruments" in made.text
    shown = [made.row(f"N{i:02d}")[3] for i in range(15)] + [made.row("Other 25 instruments")[3]]
    # Sixteen amounts, each rounded to a whole unit.
    assert sum(int(amount.replace(",", "")) for amount in shown) == pytest.approx(26_079, abs=8)
    assert "The contributions add up to the expected shortfall" in made.text


def test_contributions_that_do_not_add_up_are_denounced(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.RISK_CONTRIBUTIONS][0]["contribution"] *= 1.01
    text = page(rows).text
    assert "The contributions miss the expected shortfall of the portfolio by" in text
    assert "The contributions add up" not in text


def test_a_hedge_is_drawn_to_the_left_of_the_common_zero(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows(["A", "B"])
    parts = {("A", 1): 26_078.6 * 1.25, ("B", 1): -26_078.6 * 0.25}
    for row in rows[t.RISK_CONTRIBUTIONS]:
        row["contribution"] = parts.get((row["instrument_id"], row["horizon_d"]), row["contribution"])
    made = page(rows)
    assert '<span style="left:16.67%;width:83.33%">' in made.markup
    assert '<span class="hedge" style="left:0.00%;width:16.67%">' in made.markup
    assert made.row("B")[2] == "\u221225.0 %"


def test_simulated_things_are_called_simulated_and_nothing_is_called_compliant(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    text = page(run_rows()).text
    assert "12 portfolios, of which 11 are simulated" in text
    assert "The book is simulated." in text
    assert "FRTB-aligned" in text
    assert "compliant" not in text.lower()


@pytest.mark.parametrize(("instruments", "portfolios"), [(3, 1), (60, 2000)])
def test_small_and_large_runs_render_and_say_what_they_leave_out(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any], instruments: int, portfolios: int
) -> None:
    text = drawn_page(run_rows([f"N{i:03d}" for i in range(instruments)], portfolios=portfolios)).text
    large = instruments > 50
    assert ("The 40 most volatile of 60 calibrated instruments" in text) is large
    assert ("The 10 riskiest of 2,000 portfolios" in text) is large
    assert ("All portfolios by one-day value at risk" in text) is not large


def test_portfolios_that_hold_something_unpriced_are_counted(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    assert "without a calibrated model. Their risk" not in page(rows).text
    for number in (3, 4, 7):
        rows[t.PORTFOLIO_SCORES][number]["unpriced_pct_nav"] = 12.5
    assert "3 portfolios hold instruments without a calibrated model." in page(rows).text


def test_a_large_hedge_is_not_lost_among_the_small_rest(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows([f"N{i:02d}" for i in range(40)])
    for row in rows[t.RISK_CONTRIBUTIONS]:
        if row["instrument_id"] == "N39":
            row["contribution"] = -5000.0
    assert page(rows).row("N39")[3] == "\u22125,000"


def test_a_page_about_weekly_prices_says_weeks(
    run_rows: Callable[..., Any], page: Callable[..., Any], page_settings: Settings
) -> None:
    data = page_settings.market_data.model_copy(update={"frequency": "weekly"})
    text = page(run_rows(), page_settings.model_copy(update={"market_data": data})).text
    assert "Value at risk 99 % over 1 week EUR 25,312" in text
    assert "Expected shortfall 97.5 % over 10 weeks EUR 78,236" in text
    assert not [unit for unit in ("1 day ", "10 days ") if f"over {unit}" in text]
