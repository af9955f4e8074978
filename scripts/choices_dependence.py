"""Pearson's correlation of filled residuals against Kendall's tau of observed ones, for the t copula."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.backtest import kupiec
from acceleray.quant.copula import TCopula, draw_shocks, t_copula
from acceleray.quant.correlation import t_copula_log_likelihood
from acceleray.quant.residuals import fill_missing, filtered
from acceleray.quant.stale_prices import after_standstills
from acceleray.settings.sections import Simulation
from choices_dependence_estimators import (
    ESTIMATORS,
    FILLED_KENDALL,
    FILLED_PEARSON,
    FILLED_SCORES,
    estimated,
)
from choices_record import CALIBRATION, RISK, SEED, computed, fits_before, record
from choices_scores import difference, fissler_ziegel, three_measures

CASES = ("as it is", "a third listed later")
# Share of the window that a name listed later has, from the first of them to the last.
OBSERVED_SHARES = (0.25, 0.75)
SCENARIOS = 10_000
# Comparisons with the present choice share five per cent.
CONFIDENCE = 1.0 - 0.05 / (len(ESTIMATORS) - 1)


@dataclass(frozen=True)
class Task:
    """Days `first` to `last - 1` are judged; returns are those before `last`, (days, names)."""

    first: int
    last: int
    returns: NDArray[np.float64]


@dataclass(frozen=True)
class Residuals:
    """Of the names with a model: residuals of the window before a task and of its days, both (days, names).

    NaN before the end of a standstill. Of the days judged also volatility forecasts and returns, both (days,
    names); of each name its mean return and the degrees of freedom of its innovations.
    """

    past: NDArray[np.float64]
    coming: NDArray[np.float64]
    sigma: NDArray[np.float64]
    returns: NDArray[np.float64]
    means: NDArray[np.float64]
    degrees: NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Of one estimator in one case: log densities of the days judged, losses and forecasts of the portfolio.

    Forecasts (days, 3) are VaR, and VaR and ES at the level of the latter. Variances are those of the
    portfolio's return, from volatilities and the correlation alone; squares are what they forecast.
    """

    densities: NDArray[np.float64]
    losses: NDArray[np.float64]
    forecasts: NDArray[np.float64]
    variances: NDArray[np.float64]
    squares: NDArray[np.float64]
    degrees: float
    mean_correlation: float


def table() -> list[str]:
    """Return the comparison of all estimators in both cases, as lines."""
    returns = record().returns
    days = [*range(CALIBRATION.first_fit_d, len(returns), CALIBRATION.refit_every_d), len(returns)]
    tasks = [Task(first, last, returns[:last]) for first, last in pairwise(days)]
    blocks = computed(judge, tasks, "years")
    lines = [f"log density a day of next year's residuals; intervals of {100.0 * CONFIDENCE:.2f} %"]
    lines.append(
        "FZ0 97.5 % and exceptions at 99 % of the portfolio under the simulated t copula, QLIKE without it"
    )
    for case in CASES:
        of_case = {name: [block[case, name] for block in blocks] for name in ESTIMATORS}
        lines += compared(case, of_case)
    return lines


def compared(case: str, found: Mapping[str, Sequence[Found]]) -> list[str]:
    """Return lines for each estimator: scores, and gains over Pearson on filled days; then the two best."""
    scores: dict[str, Callable[[Sequence[Found]], NDArray[np.float64]]] = {
        "log density (decides)": lambda years: np.concatenate([one.densities for one in years]),
        "less FZ0": lambda years: -fissler_ziegel_of(years),
        "less QLIKE": lambda years: -variance_loss_of(years),
    }
    lines = []
    for name, years in found.items():
        exceptions = sum(int(np.sum(one.losses > one.forecasts[:, 0])) for one in years)
        degrees = float(np.mean([one.degrees for one in years]))
        mean = float(np.mean([one.mean_correlation for one in years]))
        coverage = kupiec(exceptions, sum(len(one.losses) for one in years), RISK.var_confidence)
        lines.append(
            f"{case}, {name}: {degrees:.1f} degrees, mean correlation {mean:.3f}, {exceptions} exceptions "
            f"(p {coverage.p_value:.1e})"
        )
        for what, score in scores.items():
            own, today = score(years), score(found[FILLED_PEARSON])
            gain = "" if name == FILLED_PEARSON else f", gain {difference(own - today, CONFIDENCE).told(5)}"
            lines.append(f"    {what} {own.mean():.5f}{gain}, {own.size} days")
    for what, score in scores.items():
        apart = difference(score(found[FILLED_KENDALL]) - score(found[FILLED_SCORES]), CONFIDENCE)
        lines.append(f"{case}, {FILLED_KENDALL} over {FILLED_SCORES}, {what}: {apart.told(5)}")
    return lines


def fissler_ziegel_of(years: Sequence[Found]) -> NDArray[np.float64]:
    """Return the portfolio's joint loss of VaR and ES on all days of some years."""
    losses = np.concatenate([one.losses for one in years])
    _, threshold, shortfall = np.concatenate([one.forecasts for one in years]).T
    return fissler_ziegel(losses, threshold, shortfall, RISK.es_confidence)


def variance_loss_of(years: Sequence[Found]) -> NDArray[np.float64]:
    """Return the QLIKE loss of the portfolio's variance forecasts, ln v + r^2 / v (Patton 2011)."""
    variances = np.concatenate([one.variances for one in years])
    return np.asarray(np.log(variances) + np.concatenate([one.squares for one in years]) / variances)


def judge(task: Task) -> dict[tuple[str, str], Found]:
    """Return how well each estimate on the days before a year describes the residuals in it."""
    residuals = residuals_around(task)
    sigma = residuals.sigma
    found = {}
    for case in CASES:
        observed = residuals.past if case == CASES[0] else listed_later(residuals.past)
        uniform = ranks_within(observed, residuals.coming)
        filled, _ = fill_missing(observed, SEED)
        for name in ESTIMATORS:
            correlation, nu = estimated(name, observed, filled)
            densities = [t_copula_log_likelihood(day[np.newaxis], correlation, nu) for day in uniform]
            found[case, name] = Found(
                densities=np.array(densities),
                losses=-residuals.returns.mean(axis=1),
                forecasts=simulated(residuals, t_copula(correlation, nu, residuals.degrees)),
                variances=np.einsum("ti,ij,tj->t", sigma, correlation, sigma) / sigma.shape[1] ** 2,
                squares=(residuals.returns - residuals.means).mean(axis=1) ** 2,
                degrees=nu,
                mean_correlation=float(correlation[np.triu_indices(len(correlation), 1)].mean()),
            )
    return found


def simulated(residuals: Residuals, copula: TCopula) -> NDArray[np.float64]:
    """Return one-day forecasts (days, 3) of the equal-weight portfolio from the same shocks on every day."""
    shocks = np.concatenate([part[:, 0] for part in draw_shocks(copula, SEED, 0, SCENARIOS, 1)])
    forecasts = []
    for sigma in residuals.sigma:
        losses = -np.maximum(residuals.means + shocks * sigma, -1.0).mean(axis=1)
        forecasts.append(three_measures(losses, RISK.var_confidence))
    return np.array(forecasts)


def residuals_around(task: Task) -> Residuals:
    """Return what the fits made before a task leave on the days before it and on its own days."""
    start = max(0, task.first - CALIBRATION.window_d)
    fits = fits_before(task.first, task.returns)
    begun = np.isfinite(after_standstills(task.returns[start : task.first])).argmax(axis=0)
    rows = np.arange(task.last - start)[:, None]
    seen = np.where(rows < begun, np.nan, task.returns[start:])
    places = [place for place, fit in enumerate(fits) if fit.parameters is not None]
    parameters = [fit.parameters for fit in fits if fit.parameters is not None]
    paths = [
        filtered(seen[:, place], own, fits[place].initial_variance)
        for place, own in zip(places, parameters, strict=True)
    ]
    first = task.first - start
    residuals, sigma = (np.column_stack([path[which] for path in paths]) for which in (0, 1))
    return Residuals(
        past=residuals[max(0, first - Simulation().residual_window_d) : first],
        coming=residuals[first:],
        sigma=sigma[first:-1],
        returns=task.returns[task.first :, places],
        means=np.array([own.mu for own in parameters]),
        degrees=np.array([own.nu for own in parameters]),
    )


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
