"""Data for betas: changes of factors and instruments over weeks, or over months if necessary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.months import month_of, monthly_changes
from acceleray.quant.weeks import (
    WEEKS_A_MONTH,
    friday_of,
    in_each_week,
    weekly_levels,
    weekly_log_returns,
    weeks_between,
    weeks_in,
)
from acceleray.stages.calibrate.factor_series import Series


@dataclass(frozen=True)
class Sampled:
    """Changes over periods of one length, NaN where missing.

    Attributes:
        period: how long one is.
        month_of: (periods,) month in which each ends.
        own: (periods, instruments) log returns.
        changes: (periods, factors) log changes, or differences of factors in percentage points.
        minimum: fewest periods of a regression.
    """

    period: Literal["week", "month"]
    month_of: NDArray[np.datetime64]
    own: NDArray[np.float64]
    changes: NDArray[np.float64]
    minimum: int

    def months(self, periods: int) -> int:
        """Return how many months so many periods are."""
        return periods if self.period == "month" else round(periods / WEEKS_A_MONTH)

    @property
    def to_a_month(self) -> float:
        """Return what a standard deviation over a period is multiplied by to be one over a month."""
        return 1.0 if self.period == "month" else WEEKS_A_MONTH**0.5


def in_weeks(
    series: Mapping[str, Series],
    names: Sequence[str],
    points: Sequence[bool],
    own: Callable[[Callable[..., NDArray[np.float64]], NDArray[np.int64]], NDArray[np.float64]],
    last: np.datetime64,
    minimum_months: int,
) -> Sampled | None:
    """Return weekly changes of some factors, None where one of them has no level in each week.

    Args:
        series: of the factors.
        names: of the factors that are wanted.
        points: which of them are in percentage points.
        own: returns what `weekly_log_returns` makes of the instruments.
        last: date of the last return.
        minimum_months: fewest months of a regression.
    """
    if not names or any(series[name].averaged or not in_each_week(series[name].dates) for name in names):
        return None
    weeks = weeks_between(min(series[name].dates[0] for name in names), last)
    changes = np.empty((weeks.size, len(names)))
    for place, (name, in_points) in enumerate(zip(names, points, strict=True)):
        seen = weekly_levels(series[name].dates, series[name].levels, weeks)
        changes[:, place] = monthly_changes(seen, in_points)
    months = month_of(np.minimum(friday_of(weeks), last.astype("datetime64[D]")))
    return Sampled("week", months, own(weekly_log_returns, weeks), changes, weeks_in(minimum_months))
