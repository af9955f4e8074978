"""Historical replay: what today's instruments did between two closes of the past."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel, as_date
from acceleray.quant.months import MONTH_D, month_of
from acceleray.quant.stress import compounded, from_logs
from acceleray.stages.stress.definitions import Replay
from acceleray.stages.stress.distance import Distance, measured
from acceleray.stages.stress.outcome import (
    PRICED,
    PRICED_WITHOUT_BETAS,
    PROXIED,
    UNPRICED,
    Assumption,
    Outcome,
    not_run,
    outcome,
)

if TYPE_CHECKING:
    from acceleray.stages.calibrate.factor_model import FactorModel

# An instrument with more of the window's returns missing than this is proxied, not priced.
_MISSING_ALLOWED = 0.05
# The model repeats the last level of a factor for ever. Standing still for longer than this it has ended; a
# monthly one may repeat a value or two.
STANDSTILL = np.timedelta64(92, "D")


def replay(scenario: Replay, returns: Panel, as_of: date, model: FactorModel) -> Outcome:
    """Return what each instrument did from the last close on or before `first` to that of `last`.

    An instrument without enough returns in the window is proxied by exp(beta' x) - 1, x being what the
    factors did; one without betas stays unpriced. A factor without levels throughout the window is left out
    of x. Betas are those of the model with ended factors where one of these moved in the window, else those
    of the live factors. Nothing after `as_of` is looked at.
    """
    count = len(returns.instruments)
    reason = _outside(scenario, returns, as_of)
    if reason:
        return not_run(scenario, reason, (), count)
    start, end = (_row(returns.dates, day) for day in (scenario.first, scenario.last))
    first, last = returns.dates[start], returns.dates[end]
    wide = model.widest
    every, assumptions = _factor_changes(wide, first, last)
    moved = {name for name, change in zip(wide.factors, every, strict=True) if np.isfinite(change)}
    model = wide if moved & set(wide.ended) else model
    changes = np.array([every[wide.factors.index(name)] for name in model.factors])
    known = np.flatnonzero(np.isfinite(changes))
    simple, missing = compounded(returns.values[start + 1 : end + 1], model.arithmetic)
    priced = missing <= _MISSING_ALLOWED
    has_betas = np.isfinite(model.betas).all(axis=1) & (known.size > 0)
    explained = np.where(has_betas, np.sum(model.betas[:, known] * changes[known], axis=1), np.nan)
    simple = np.where(priced, simple, from_logs(explained, model.arithmetic))
    origin = np.select(
        [priced & has_betas, priced, has_betas], [PRICED, PRICED_WITHOUT_BETAS, PROXIED], UNPRICED
    )
    return outcome(
        scenario,
        assumptions,
        simple,
        np.where(priced & ~has_betas, 0.0, explained),
        origin,
        _distance(model, changes, end - start),
        model,
        as_date(first),
        as_date(last),
    )


def last_move(model: FactorModel, factor: int, row: int) -> np.datetime64:
    """Return the last date, up to a row of the model's dates, on which a factor's level was a new one."""
    levels = model.levels[: row + 1, factor]
    moved = np.flatnonzero(levels[1:] != levels[:-1])
    return np.datetime64(str(model.dates[moved[-1] + 1 if moved.size else 0]), "D")


def _row(dates: NDArray[np.datetime64], day: date | np.datetime64) -> int:
    return int(np.searchsorted(dates, np.asarray(day, dtype="datetime64[D]"), side="right")) - 1


def _outside(scenario: Replay, returns: Panel, as_of: date) -> str:
    if scenario.last > as_of:
        return f"ends on {scenario.last}, after the as-of date {as_of}"
    start, end = _row(returns.dates, scenario.first), _row(returns.dates, scenario.last)
    if start < 0:
        return f"begins on {scenario.first}, before the first return on {returns.day(0)}"
    return "" if end > start else "holds no trading day"


def _factor_changes(
    model: FactorModel, first: np.datetime64, last: np.datetime64
) -> tuple[NDArray[np.float64], tuple[Assumption, ...]]:
    """Return what each factor did between two dates, NaN where its levels do not cover them, and in words."""
    changes = np.full(len(model.factors), np.nan)
    assumptions = []
    for place, name in enumerate(model.factors):
        averaged = bool(model.averaged) and model.averaged[place]
        # A mean is stamped with the end of its month; the month of a date is nearer than the one before.
        start, end = (_row(model.dates, _month_end(day) if averaged else day) for day in (first, last))
        before = float(model.levels[start, place]) if start >= 0 else np.nan
        after = float(model.levels[end, place]) if end >= 0 else np.nan
        origin = model.origin[place]
        if np.isfinite(before) and last - last_move(model, place, end) <= STANDSTILL:
            changes[place] = after - before if model.points[place] else np.log(after / before)
            moved = f"from {before:.6g} to {after:.6g}"
            words = f"What it did, {first} to {last} ({origin})."
            assumptions.append(Assumption(name, moved, name, None, changes[place], "observed", words))
        else:
            words = f"Left out: its levels do not cover {first} to {last} ({origin})."
            assumptions.append(Assumption(name, "", None, None, np.nan, "not mapped", words))
    return changes, tuple(assumptions)


def _month_end(day: np.datetime64) -> np.datetime64:
    month = month_of(np.asarray(day))
    return np.datetime64(str((month + 1).astype("datetime64[D]") - 1), "D")


def _distance(model: FactorModel, changes: NDArray[np.float64], days: int) -> Distance:
    """Return how far the factors moved, by what they do over as many risk days."""
    horizon_m = days / MONTH_D
    try:
        return measured(model, changes, horizon_m)
    except ValueError:
        return Distance(horizon_m=horizon_m)
