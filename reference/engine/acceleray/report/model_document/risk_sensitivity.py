"""The section on sensitivity of a risk model: method, window, horizon, scenarios, stress, reverse stress."""

from __future__ import annotations

import numpy as np

from acceleray.report.formats import MISSING
from acceleray.report.model_document.cells import declared, grid, shown, source
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.risk_fits import finite
from acceleray.report.model_document.risk_outcomes import further
from acceleray.report.model_document.tree import Grid, Head, Judgement, Part, Section, Words
from acceleray.report.risk import headline
from acceleray.report.rows import narrowed
from acceleray.tables import (
    CALIBRATION,
    RISK_MEASURES,
    SCENARIO_SETS,
    STRESS_LOSSES,
    STRESS_SCENARIOS,
    Table,
)

ESTIMATED = ("mu", "omega", "alpha", "gamma", "beta", "nu")
WINDOWS = "gold.backtest_windows"
_WITHOUT = ("portfolio_id",)
T_COPULA = "t_copula"
GENERATORS = {
    "standard": "Normals and margins are computed.",
    "tables": "Normals, the mixing and margins are read from tables of cubics. From the same random numbers,"
    " each return is within 1e-9 of that of the standard generator.",
}


def section(told: Context) -> Section:
    """Return the section."""
    parts: list[Part] = [
        Words(
            "Measures of the headline portfolio by method, confidence and horizon, with the error of each:"
            " what the choice of a method or a horizon moves, and what is noise."
        ),
        _reference(told, RISK_MEASURES, "Risk of the headline portfolio."),
        grid(SCENARIO_SETS, told.read(SCENARIO_SETS).to_pylist(), "How the scenarios were made."),
        *_generator(told),
        *_windows(told),
        *_drift(told),
        *_errors(told),
        *_stress(told),
        *_reverse(told),
        Judgement(
            "which of these choices moves the numbers materially, why the one that was made is right, and"
            " what a change of positions would do."
        ),
    ]
    return Section("sensitivity", "Sensitivity", tuple(parts))


def _reference(told: Context, table: Table, caption: str) -> Part:
    rows = told.read(table, portfolio_id=[headline(told.read)]).to_pylist()
    return grid(table, rows, caption, without=_WITHOUT)


def _windows(told: Context) -> list[Part]:
    if declared(WINDOWS) is None:
        window, where = told.setting("simulation", "residual_window_d")
        return [
            Words(f"Window of residuals: {window} days ({where}). No other window was tried in this run.")
        ]
    return further(told, WINDOWS)


def _generator(told: Context) -> list[Part]:
    """Return by what the scenarios of the t copula were made, if there are any."""
    if T_COPULA not in told.read(narrowed(SCENARIO_SETS, "method"))["method"].to_pylist():
        return []
    value, where = told.setting("simulation", "generator")
    name = "standard" if value == MISSING else value
    means = GENERATORS.get(name, "It is described in engine/docs/methodology.md.")
    return [Words(f"Generator of the scenarios of the t copula: {name} ({where}). {means}")]


def _drift(told: Context) -> list[Part]:
    value, where = told.setting("simulation", "drift")
    mean = _median(told, "mu")
    said = "as fitted" if value == MISSING else value
    return [
        Words(
            f"Drift of the simulated paths: {said} ({where}); the median fitted mean is {shown(mean)} a day"
            f" ({source(CALIBRATION, 'mu')})."
        )
    ]


def _errors(told: Context) -> list[Part]:
    """Return how well the parameters are known: each may lie a standard error or two from its estimate."""
    heads = (Head("Parameter"), Head("Median", number=True), Head("Median standard error", number=True))
    rows = tuple(
        (
            name,
            shown(_median(told, name)),
            shown(_median(told, f"{name}_se")),
            source(CALIBRATION, name, f"{name}_se"),
        )
        for name in ESTIMATED
    )
    caption = "How well the parameters are known; the measures above take them as they are."
    return [Grid(caption, (*heads, Head("From", names=True)), rows)]


def _median(told: Context, name: str) -> float | None:
    values = finite(told.read(narrowed(CALIBRATION, name))[name].to_pylist())
    return float(np.median(values)) if values.size else None


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
        _reference(told, STRESS_LOSSES, "Loss of the headline portfolio in each scenario."),
    ]


def _reverse(told: Context) -> list[Part]:
    table = declared("gold.reverse_stress")
    if table is None:
        return []
    rows = told.read(table, portfolio_id=[headline(told.read)]).to_pylist()
    if not rows:
        return []
    caption = "Reverse stress: the most plausible way for the headline portfolio to lose a given amount."
    return [grid(table, rows, caption, without=_WITHOUT)]
