from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray import tables as t
from report.invented import record_of


def test_simulated_losses_are_shown_for_each_method_and_horizon_with_standard_errors(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    for row in rows[t.RISK_MEASURES]:
        if row["method"] == "t_copula":
            row["standard_error"] = 345.0
    made = stress_page(rows)
    assert made.row("Filtered historical simulation", "10 days") == [
        *("Filtered historical simulation", "10 days", "75,937", "212", "7.59 %"),
        *("78,236", "212", "7.82 %", "10,000", "draws", "8 exceptions in 731 windows, 7.3 expected"),
    ]
    assert made.row("Filtered historical simulation", "1 day")[-3:] == [
        *("2,500", "the window", "Backtested day by day")
    ]
    assert "(2,500 days) are all taken, each once and none drawn, for all" in made.text
    assert "(2,500 days) are drawn for all" in made.text
    # Nine tenths of the other method.
    copula = made.row("Student-t copula on GJR-GARCH-t margins", "1 day")
    assert copula[2:5] == ["22,781", "345", "2.28 %"]
    assert copula[-2:] == ["draws", "Not backtested"]
    assert "with 8.4 degrees of freedom" in made.text


def test_a_method_that_its_record_rejects_is_called_so_wherever_it_is_shown(
    run_rows: Callable[..., Any], stress_page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.BACKTEST_HORIZONS].append(record_of("t_copula", 1, 110, 7312, 5.5e-5))
    made = stress_page(rows)
    name = "Student-t copula on GJR-GARCH-t margins"
    assert made.row(name, "1 day")[-1] == "110 exceptions in 7,312 windows, 73.1 expected: rejected"
    assert f"Rejected, so do not rely on them: {name}, 1 day. Not backtested: {name}, 10 days." in made.text
