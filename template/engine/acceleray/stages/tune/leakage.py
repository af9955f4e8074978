"""Whether anything knows the future: on real daily prices, too good is a reason to doubt, not to rejoice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column, panel
from acceleray.quant.evaluation import rank_information_coefficient
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run
from acceleray.tables import RETURNS

RANK_IC, NEXT_DAY = "rank_ic", "next_day_rank_ic"
VALIDATION, HOLDOUT = "validation_rank_ic", "holdout_rank_ic"
MODEL = "chosen model"
_MEANS = {
    RANK_IC: "rank correlation of the feature alone with the target",
    NEXT_DAY: "rank correlation of the feature alone with the return of the next day",
    VALIDATION: "rank correlation of the model's scores with the target in validation",
    HOLDOUT: "rank correlation of the model's scores with the target in the holdout",
}


@dataclass(frozen=True)
class Check:
    """One look at one subject: a feature, or the chosen model."""

    subject: str
    name: str
    value: float
    maximum: float
    suspected: bool
    reason: str


def feature_checks(
    examples: Examples,
    names: Sequence[str],
    next_day: NDArray[np.float64],
    maximum: float,
    planted: bool,
) -> list[Check]:
    """Return two checks for each feature, alone: against the target, and against the next day's return.

    Honest features of daily prices rank the next month a little better than chance, and the next day hardly
    at all. One that has seen the future stands out in one of the two: in the target if it saw much of it, in
    the next day if it saw only tomorrow.

    Args:
        examples: rows that may be looked at.
        names: of the features, in the order of the columns.
        next_day: (rows,) simple return of the day after each row, NaN where not known.
        maximum: of the absolute mean rank correlation.
        planted: whether a signal was planted in simulated prices, which may then be of any strength.
    """
    every = np.ones(len(examples.target), dtype=bool)
    against = {
        RANK_IC: examples.matrix(examples.target, every),
        NEXT_DAY: examples.matrix(next_day, every),
    }
    checks = []
    for place, subject in enumerate(names):
        values = examples.matrix(examples.features[:, place], every)
        for name, target in against.items():
            daily = rank_information_coefficient(values, target)
            found = float(np.nanmean(daily)) if np.isfinite(daily).any() else float("nan")
            checks.append(judged(subject, name, found, maximum, planted))
    return checks


def judged(subject: str, name: str, value: float, maximum: float, planted: bool) -> Check:
    """Return what a value says about a subject."""
    beyond = abs(value) > maximum
    means = _MEANS[name]
    if not np.isfinite(value):
        reason = f"the {means} cannot be measured"
    elif not beyond:
        reason = f"the {means} is within {maximum:g}"
    elif planted:
        reason = f"the {means} is beyond {maximum:g}, as it may be where a signal was planted"
    else:
        reason = f"the {means} is beyond {maximum:g}: on real daily prices, leakage until proven otherwise"
    return Check(subject, name, value, maximum, beyond and not planted, reason)


def next_day_returns(run: Run, examples: Examples) -> NDArray[np.float64]:
    """Return the one-day return of the trading day after each row, of shape (rows,), NaN where not known."""
    rows = run.arrow(
        RETURNS, ("date", "instrument_id", "return_1d"), f"date <= DATE'{run.as_of}' AND span_d > 0"
    )
    returns = panel(rows, "return_1d")
    days = np.unique(column(rows, "date"))
    # The first day with returns after each date of the examples.
    after = np.searchsorted(days, examples.dates.astype(days.dtype), side="right")
    places = {name: place for place, name in enumerate(returns.instruments)}
    columns = np.array([places.get(name, -1) for name in examples.instruments])
    values = np.vstack([returns.values, np.full(len(returns.instruments), np.nan)])
    values = np.column_stack([values, np.full(len(values), np.nan)])
    found: NDArray[np.float64] = values[after[examples.date], columns[examples.instrument]]
    return found
