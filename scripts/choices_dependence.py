"""Pearson's correlation of filled residuals against Kendall's tau of observed ones, for the t copula."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.correlation import t_copula_log_likelihood
from acceleray.quant.residuals import fill_missing, filtered
from acceleray.quant.stale_prices import after_standstills
from acceleray.settings.sections import Simulation
from choices_dependence_estimators import ESTIMATORS, FILLED_PEARSON, estimated
from choices_record import CALIBRATION, SEED, computed, fits_before, record
from choices_scores import difference

CASES = ("as it is", "a third listed later")
# Share of the window that a name listed later has, from the first of them to the last.
OBSERVED_SHARES = (0.25, 0.75)
# Three comparisons share five per cent.
CONFIDENCE = 1.0 - 0.05 / (len(ESTIMATORS) - 1)


@dataclass(frozen=True)
class Task:
    """Days `first` to `last - 1` are judged; returns are those before `last`, (days, names)."""

    first: int
    last: int
    returns: NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Of each (case, estimator): log densities of the days judged, degrees of freedom, mean correlation."""

    densities: dict[tuple[str, str], NDArray[np.float64]]
    degrees: dict[tuple[str, str], float]
    correlations: dict[tuple[str, str], float]


def table() -> list[str]:
    """Return the comparison of all estimators in both cases, as lines."""
    returns = record().returns
    days = [*range(CALIBRATION.first_fit_d, len(returns), CALIBRATION.refit_every_d), len(returns)]
    tasks = [Task(first, last, returns[:last]) for first, last in pairwise(days)]
    blocks = computed(judge, tasks, "years")
    lines = [f"log density a day of next year's residuals; intervals of {100.0 * CONFIDENCE:.1f} %"]
    for case in CASES:
        base = np.concatenate([block.densities[case, FILLED_PEARSON] for block in blocks])
        for name in ESTIMATORS:
            own = np.concatenate([block.densities[case, name] for block in blocks])
            degrees = float(np.mean([block.degrees[case, name] for block in blocks]))
            mean = float(np.mean([block.correlations[case, name] for block in blocks]))
            gain = "" if name == FILLED_PEARSON else f", gain {difference(own - base, CONFIDENCE).told(4)}"
            lines.append(
                f"{case}, {name}: {own.mean():.4f}{gain}, {own.size} days; "
                f"degrees {degrees:.1f}, mean correlation {mean:.3f}"
            )
    return lines


def judge(task: Task) -> Found:
    """Return how well each estimate on the days before a year describes the residuals in it."""
    past, coming = residuals_around(task)
    found = Found({}, {}, {})
    for case in CASES:
        observed = past if case == CASES[0] else listed_later(past)
        uniform = ranks_within(observed, coming)
        filled, _ = fill_missing(observed, SEED)
        for name in ESTIMATORS:
            correlation, nu = estimated(name, observed, filled)
            found.densities[case, name] = np.array(
                [t_copula_log_likelihood(day[np.newaxis], correlation, nu) for day in uniform]
            )
            found.degrees[case, name] = nu
            upper = np.triu_indices(len(correlation), 1)
            found.correlations[case, name] = float(correlation[upper].mean())
    return found


def residuals_around(task: Task) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return residuals of the names with a model: of the residual window before a task, and of its days.

    Of shapes (days, names), by fits on the days before it; NaN before the end of a standstill.
    """
    start = max(0, task.first - CALIBRATION.window_d)
    fits = fits_before(task.first, task.returns)
    begun = np.isfinite(after_standstills(task.returns[start : task.first])).argmax(axis=0)
    rows = np.arange(task.last - start)[:, None]
    seen = np.where(rows < begun, np.nan, task.returns[start:])
    columns = [
        filtered(seen[:, place], fit.parameters, fit.initial_variance)[0]
        for place, fit in enumerate(fits)
        if fit.parameters is not None
    ]
    residuals = np.column_stack(columns)
    first = task.first - start
    return residuals[max(0, first - Simulation().residual_window_d) : first], residuals[first:]


def listed_later(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return residuals (days, names) without the early ones of every third name, each from another day on."""
    days = len(residuals)
    young = range(0, residuals.shape[1], 3)
    later = residuals.copy()
    for place, share in zip(young, np.linspace(*OBSERVED_SHARES, len(young)), strict=True):
        later[: days - round(share * days), place] = np.nan
    return later


def ranks_within(past: NDArray[np.float64], coming: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where coming residuals (days, names) stand among the observed past ones, inside (0, 1).

    Half a rank above those that are smaller, over their number plus one: the margins are those that filtered
    historical simulation draws from, the same for every estimator.
    """
    ranked = np.empty_like(coming)
    for place in range(coming.shape[1]):
        known = np.sort(past[np.isfinite(past[:, place]), place])
        below = np.searchsorted(known, coming[:, place], side="left")
        not_above = np.searchsorted(known, coming[:, place], side="right")
        ranked[:, place] = ((below + not_above) / 2.0 + 0.5) / (known.size + 1.0)
    return ranked
