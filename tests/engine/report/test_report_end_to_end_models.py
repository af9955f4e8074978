from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray import tables as t
from acceleray.settings import Settings
from report.invented_rows import Rows
from report.invented_training import training


def test_rejected_instruments_are_listed_with_reasons_and_what_they_leave_unpriced(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    reason = "312 returns are fewer than the 500 required"
    rows = run_rows(rejected={"BBB": reason})
    rows[t.PORTFOLIO_SCORES][0]["unpriced_pct_nav"] = 33.333
    made = page(rows)
    assert made.row("BBB", "rejected") == ["BBB", "rejected", "1,200", reason]
    assert "Calibrated 2 of 3" in made.text
    assert "33.3 % of NAV is in instruments without a calibrated model." in made.text


def test_a_run_in_which_nothing_could_be_calibrated_still_renders(
    run_rows: Callable[..., Any], drawn_page: Callable[..., Any]
) -> None:
    names = ["A", "B", "C"]
    text = drawn_page(run_rows(names, rejected=dict.fromkeys(names, "constant"))).text
    assert "No instrument could be calibrated." in text
    assert "This run computed no contributions" in text


def test_a_persistence_of_one_has_a_half_life_beyond_ten_years(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    rows[t.CALIBRATION][0] |= {"persistence": 1.0, "half_life_d": None, "at_bound": "persistence"}
    made = page(rows)
    cells = made.row("AAA", "calibrated")
    assert cells[3:7] == ["1.0000", "> 10 years", cells[5], "persistence"]


def test_a_rank_ic_above_a_tenth_is_called_probable_leakage(
    run_rows: Callable[..., Any], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    assert "Probable leakage" not in page(rows).text
    rows[t.SIGNAL_VALIDATION][1]["rank_ic"] = 0.101
    text = page(rows).text
    assert "Probable leakage: rank IC above 0.1 in fold 2." in text
    assert "No fold shows a rank IC above 0.1" not in text


def test_scores_always_come_with_the_warning_about_survivors(
    run_rows: Callable[..., Any], page_settings: Settings, page: Callable[..., Any]
) -> None:
    rows = run_rows([f"N{i:02d}" for i in range(20)])
    assert "proves nothing about alpha" in page(rows).text
    sample = page_settings.model_copy(
        update={"market_data": page_settings.market_data.model_copy(update={"source": "sample"})}
    )
    assert "20 surviving names prove nothing about alpha" in page(rows, sample).text


def test_the_gates_decision_on_the_signal_is_told_and_a_refused_model_has_no_scores(
    run_rows: Callable[..., Rows], page: Callable[..., Any]
) -> None:
    rows = run_rows()
    assert "The gate " not in page(rows).text
    (decision,) = training()[t.MODEL_DECISIONS]
    rows[t.MODEL_DECISIONS].append(decision | {"decision": "refused", "reason": "it may be luck"})
    rows[t.PREDICTIONS].clear()
    text = page(rows).text
    assert "The gate refused version 7: it may be luck. A refused model scores nothing." in text
    assert "This run has no scores" in text
