"""Models fitted every 250 days against every 63: what each schedule forecast, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.backtest import kupiec
from acceleray.quant.forecasts import filtered_historical_calibrated
from acceleray.quant.stale_prices import after_standstills
from acceleray.settings.sections import Simulation
from choices_record import CALIBRATION, RISK, SEED, computed, fits_before, record
from choices_scores import difference, fissler_ziegel, quantile_loss, three_measures

SCHEDULES = {"yearly": 250, "quarterly": 63}


@dataclass(frozen=True)
class Task:
    """Days `first` to `last - 1` share one calibration; returns are those before `last`, (days, names)."""

    first: int
    last: int
    returns: NDArray[np.float64]


@dataclass(frozen=True)
class Forecasts:
    """Losses (days, 1 + names) and forecasts (days, 1 + names, 3) of the portfolio, then of each name.

    The three are VaR, and VaR and ES at the level of the latter; NaN for a name without a model. `modelled`
    (days, names) is whether a name had one.
    """

    losses: NDArray[np.float64]
    forecasts: NDArray[np.float64]
    modelled: NDArray[np.bool_]


def table() -> list[str]:
    """Return the comparison of both schedules, as lines."""
    returns = record().returns
    found, fits = {}, {}
    for name, every_d in SCHEDULES.items():
        days = [*range(CALIBRATION.first_fit_d, len(returns), every_d), len(returns)]
        tasks = [Task(first, last, returns[:last]) for first, last in pairwise(days)]
        found[name] = joined(computed(forecast, tasks, f"calibrations, {name}"))
        fits[name] = len(tasks) * returns.shape[1]
    return [*compared(found["yearly"], found["quarterly"]), f"fits: {fits}"]


def joined(blocks: Sequence[Forecasts]) -> Forecasts:
    """Return blocks of days as one."""
    losses, forecasts = (
        np.concatenate([getattr(block, field) for block in blocks]) for field in ("losses", "forecasts")
    )
    return Forecasts(losses, forecasts, np.concatenate([block.modelled for block in blocks]))


def compared(yearly: Forecasts, quarterly: Forecasts) -> list[str]:
    """Return lines with coverage, scores and their differences, on days on which both hold the same names."""
    same = (yearly.modelled == quarterly.modelled).all(axis=1)
    whole = same & yearly.modelled.all(axis=1)
    lines = [f"{same.sum()} days on which both hold the same names; gains are yearly less quarterly loss"]
    scores: dict[str, list[NDArray[np.float64]]] = {}
    for name, one in (("yearly", yearly), ("quarterly", quarterly)):
        losses, (var, threshold, shortfall) = one.losses, np.moveaxis(one.forecasts, -1, 0)
        exceptions = int(np.sum(losses[same, 0] > var[same, 0]))
        test = kupiec(exceptions, int(same.sum()), RISK.var_confidence)
        lines.append(
            f"{name}: {exceptions} exceptions at 99 %, {0.01 * same.sum():.1f} expected, p {test.p_value:.3f}"
        )
        joint = fissler_ziegel(losses, threshold, shortfall, RISK.es_confidence)
        tick = 1e4 * quantile_loss(losses, var, RISK.var_confidence)
        scores.setdefault("FZ0 97.5 %, portfolio (decides)", []).append(joint[same, 0])
        scores.setdefault("quantile loss 99 % in bp, portfolio", []).append(tick[same, 0])
        scores.setdefault("FZ0 97.5 %, mean of 20 names", []).append(joint[whole, 1:].mean(axis=1))
        scores.setdefault("quantile loss 99 % in bp, mean of 20 names", []).append(
            tick[whole, 1:].mean(axis=1)
        )
    for what, (old, new) in scores.items():
        gain = difference(old - new)
        lines.append(
            f"{what}: yearly {old.mean():.5f}, quarterly {new.mean():.5f}, gain {gain.told(5)}, "
            f"{gain.count} days"
        )
    return lines


def forecast(task: Task) -> Forecasts:
    """Return what happened on the days of a task, and what was forecast with fits on the days before them."""
    fits = fits_before(task.first, task.returns)
    modelled = np.array([fit.modelled for fit in fits])
    # What a standstill left out of a fit is left out of its residuals too, as in the backtest.
    begun = np.isfinite(after_standstills(task.returns[: task.first])).argmax(axis=0)
    seen = np.where(np.arange(len(task.returns))[:, None] < begun, np.nan, task.returns)
    weights = np.vstack([modelled / modelled.sum(), np.diag(modelled.astype(float))])
    days = task.last - task.first
    forecasts = np.full((days, len(weights), 3), np.nan)
    for place, held in enumerate(weights):
        if held.any():
            forecasts[:, place] = filtered_historical_calibrated(
                seen,
                held,
                task.first,
                task.last,
                fits,
                Simulation().residual_window_d,
                seed=SEED,
                measure=three_measures,
            ).T
    losses = -task.returns[task.first :] @ weights.T
    return Forecasts(losses, forecasts, np.tile(modelled, (days, 1)))
