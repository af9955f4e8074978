"""The section on sensitivity of a risk model: method, window, horizon, scenarios, stress, reverse stress."""

from __future__ import annotations

from acceleray.report.model_document.cells import declared, grid
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.risk_outcomes import further
from acceleray.report.model_document.tree import Judgement, Part, Section, Words
from acceleray.stages.book.stage import REFERENCE
from acceleray.tables import (
    RISK_MEASURES,
    SCENARIO_SETS,
    STRESS_LOSSES,
    STRESS_SCENARIOS,
    Table,
)

WINDOWS = "gold.backtest_windows"
_WITHOUT = ("portfolio_id",)


def section(told: Context) -> Section:
    """Return the section."""
    parts: list[Part] = [
        Words(
            "Measures of the reference portfolio by method, confidence and horizon, with the error of each:"
            " what the choice of a method or a horizon moves, and what is noise."
        ),
        _reference(told, RISK_MEASURES, "Risk of the reference portfolio."),
        grid(SCENARIO_SETS, told.read(SCENARIO_SETS).to_pylist(), "How the scenarios were made."),
        *_windows(told),
        *_stress(told),
        *_reverse(told),
        Judgement(
            "which of these choices moves the numbers materially, why the one that was made is right, and"
            " what a change of positions would do."
        ),
    ]
    return Section("sensitivity", "Sensitivity", tuple(parts))


def _reference(told: Context, table: Table, caption: str) -> Part:
    rows = [row for row in told.read(table).to_pylist() if row["portfolio_id"] == REFERENCE]
    return grid(table, rows, caption, without=_WITHOUT)


def _windows(told: Context) -> list[Part]:
    if declared(WINDOWS) is None:
        window, where = told.setting("simulation", "residual_window_d")
        return [
            Words(f"Window of residuals: {window} days ({where}). No other window was tried in this run.")
        ]
    return further(told, WINDOWS)


def _stress(told: Context) -> list[Part]:
    scenarios = told.read(STRESS_SCENARIOS).to_pylist()
    if not scenarios:
        return [
            Words(
                f"This workload ran no stress scenario ({STRESS_SCENARIOS.label}):"
                " `portfolio run risk_stress_testing` does, and its document has them."
            )
        ]
    scenarios.sort(key=lambda row: (row["kind"], row["scenario_id"]))
    return [
        grid(STRESS_SCENARIOS, scenarios, "Stress scenarios, and how far each is from no change."),
        _reference(told, STRESS_LOSSES, "Loss of the reference portfolio in each scenario."),
    ]


def _reverse(told: Context) -> list[Part]:
    table = declared("gold.reverse_stress")
    if table is None:
        return []
    rows = [row for row in told.read(table).to_pylist() if row["portfolio_id"] == REFERENCE]
    if not rows:
        return []
    caption = "Reverse stress: the most plausible way for the reference portfolio to lose a given amount."
    return [grid(table, rows, caption, without=_WITHOUT)]
