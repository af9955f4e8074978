"""The page of a calibration: gate, fits with a doubt, drift and parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.calibration.page import PAGE
from acceleray.settings import Settings


def test_the_badge_says_what_the_gate_says_with_shares_limits_and_reasons(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows(rejected={"BBB": "too short"})
    made = calibration_page(rows)
    assert "Portfolio model calibration Gate passed" in made.text
    assert "2 of 3 instruments have a model fitted to returns up to 28 December 2022" in made.text
    assert made.row("Fits that converged") == [
        *("Fits that converged", "98.0 %", "at least 90.0 %", "passed"),
        "converged is within its limit",
    ]
    drifted = next(row for row in rows[t.CALIBRATION_GATE] if row["check_name"] == "drifted")
    drifted |= {"share": 0.375, "passed": False, "reason": "three of eight moved, AAA most"}
    made = calibration_page(rows)
    assert "Portfolio model calibration Gate failed" in made.text
    assert "37.5 % instead of at most 25.0 %" in made.text
    assert made.row("Fits that drifted from the one before")[3:] == [
        "failed",
        "three of eight moved, AAA most",
    ]


def test_a_gate_that_did_not_run_is_no_pass(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.CALIBRATION_GATE].clear()
    text = calibration_page(rows).text
    assert "Gate not run" in text
    assert "no gate has judged them" in text
    assert "Gate passed" not in text


def test_failed_fits_come_before_rejected_ones_and_both_keep_their_reasons(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows(rejected={"AAA": "312 returns are too few", "CCC": "no start converged"})
    next(row for row in rows[t.CALIBRATION] if row["instrument_id"] == "CCC")["status"] = "failed"
    made = calibration_page(rows)
    assert made.row("AAA", "rejected")[3] == "312 returns are too few"
    assert made.row("CCC", "failed")[3] == "no start converged"
    assert made.markup.index("no start converged") < made.markup.index("312 returns are too few")
    assert "1 of them failed" in made.text


def test_the_worst_fits_are_listed_gravest_first_with_what_speaks_against_them(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows([f"N{i}" for i in range(6)])
    fits = {row["instrument_id"]: row for row in rows[t.CALIBRATION]}
    fits["N1"] |= {"starts": 3}
    fits["N2"] |= {"nu": 5.0, "nu_se": 6.0}
    fits["N3"] |= {"at_bound": "gamma"}
    fits["N4"] |= {"converged": False}
    made = calibration_page(rows)
    worst = made.markup[made.markup.index('id="worst"') : made.markup.index('id="drift"')]
    places = [worst.find(f">N{number}<") for number in (4, 3, 2, 1)]
    assert places == sorted(places)
    assert places[0] > 0
    assert ">N0<" not in worst
    assert made.row("N2")[1:4] == [
        "standard error of degrees of freedom is 1.2 times its value",
        "1.20",
        "1",
    ]
    assert made.row("N1")[1] == "found after 3 starts"
    assert "All 4 fits with a doubt, of 6" in made.text


def test_a_standard_error_at_a_bound_counts_as_no_doubt_of_its_own(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.CALIBRATION][0] |= {"nu": 500.0, "nu_se": 5000.0, "at_bound": "nu"}
    made = calibration_page(rows)
    assert made.row("AAA")[1] == "at a bound: nu"


def test_drift_is_counted_against_the_limit_of_the_settings(
    run_rows: Callable[..., Any], page_settings: Settings, calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for row, drift in zip(rows[t.CALIBRATION], (0.3, -0.2, None), strict=True):
        row["volatility_drift"] = drift
    # exp(0.25) is 1.284, exp(-0.25) is 0.779.
    assert (
        "1 of 2 instruments with a scheduled fit before this one moved by a factor above 1.28 or below 0.78"
        in calibration_page(rows).text
    )
    tighter = page_settings.model_copy(
        update={"calibration": page_settings.calibration.model_copy(update={"drifted_above": 0.1})}
    )
    assert "2 of 2 instruments with a scheduled fit before this one moved by a factor above 1.11" in (
        calibration_page(rows, tighter).text
    )


def test_the_dots_of_the_drift_figure_follow_the_numbers(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    before = drawn_page(rows, writer=PAGE.write).drawings
    rows[t.CALIBRATION][0]["volatility_drift"] = 0.9
    after = drawn_page(rows, writer=PAGE.write).drawings
    changed = [one != other for one, other in zip(before, after, strict=True)]
    # Five pictures, wide and narrow each; the drift is the second.
    assert changed == [False, False, True, True, False, False, False, False, False, False]


def test_parameters_carry_standard_errors_below_them(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.CALIBRATION][0] |= {
        "mu": 0.00051,
        "mu_se": 0.00013,
        "omega": 2.5e-6,
        "omega_se": 0.7e-6,
        "alpha": 0.031,
        "alpha_se": 0.011,
    }
    made = calibration_page(rows)
    assert made.row("AAA", "0.051 0.013")[1:4] == ["0.051 0.013", "2.50 0.70", "0.031 0.011"]


def test_a_run_with_nothing_but_rows_of_calibration_renders(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for table in t.ALL:
        if table is not t.CALIBRATION:
            rows[table].clear()
    for row in rows[t.CALIBRATION]:
        kept = ("run_id", "as_of", "instrument_id", "status", "reason", "observations")
        kept += ("converged", "at_bound", "starts")
        row |= {name: None for name in row if name not in kept}
    text = drawn_page(rows, writer=PAGE.write).text
    for sentence in (
        "No gate has judged this calibration.",
        "No instrument has a scheduled fit before this one",
        "This run has no scheduled fits before the last one",
        "This run has no exposures to factors",
        "This run estimated no dependence between instruments.",
        "This run has not recorded table versions.",
    ):
        assert sentence in text


def test_a_run_in_which_every_fit_failed_still_has_a_page(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    names = ["A", "B"]
    text = drawn_page(run_rows(names, rejected=dict.fromkeys(names, "constant")), writer=PAGE.write).text
    assert "0 of 2 instruments have a model" in text
    assert "No instrument could be calibrated." in text


def test_without_a_calibration_there_is_one_plain_line(
    run_rows: Callable[..., Any], page_settings: Settings, tmp_path: Path
) -> None:
    rows = run_rows()
    rows[t.CALIBRATION].clear()
    with pytest.raises(PortfolioError, match="portfolio run portfolio_model_calibration"):
        PAGE.write(rows.read, page_settings, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_lineage_begins_with_a_row_of_the_calibration_quoted_for_the_shell(
    run_rows: Callable[..., Any], calibration_page: Callable[..., Any]
) -> None:
    assert (
        "portfolio lineage gold.calibration run_id=r-test-0001 'instrument_id=A B; true'"
        in calibration_page(run_rows(["A B; true", "Z"])).text
    )
