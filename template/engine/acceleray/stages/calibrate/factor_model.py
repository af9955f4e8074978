"""Exposure of instruments to risk factors: one regression for each instrument, on Ray.

A factor whose data has ended is not mixed with the others. The model of every day is that of the live
factors, on all months to the as-of date; a second one has the ended factors too, on the months they share
with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import as_date
from acceleray.quant.factor_model import Regression, factor_covariance, regress, select_factors
from acceleray.quant.months import (
    from_means_to_month_ends,
    last_known,
    monthly_changes,
    monthly_levels,
    monthly_log_returns,
    monthly_mean_log_returns,
    monthly_means,
    months_between,
)
from acceleray.quant.stale_prices import after_standstills
from acceleray.runtime.run import Run
from acceleray.stages.calibrate import factor_rows
from acceleray.stages.calibrate.factor_series import (
    EQUITY,
    VOLATILITY,
    Series,
    ended,
    factor_series,
    too_old,
    with_derived,
)
from acceleray.stages.calibrate.sampled import Sampled, in_weeks
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import (
    ENDED_FACTOR_BETAS,
    ENDED_FACTOR_COVARIANCES,
    FACTOR_BETAS,
    FACTOR_COVARIANCES,
    Table,
)

__all__ = [
    "EQUITY",
    "VOLATILITY",
    "FactorModel",
    "Series",
    "build_factor_model",
    "regress_batch",
    "too_old",
    "with_derived",
]

# One regression takes milliseconds: a task is worth its overhead from some dozens on.
_INSTRUMENTS_PER_TASK = 50


@dataclass(frozen=True)
class FactorModel:
    """Factors with data, and how instruments hang on them.

    Attributes:
        factors: names, ascending; none if not even equity has enough months.
        points: whether a factor's change is a difference in percentage points instead of a log change.
        origin: data set of each factor.
        dates: days of `levels`, ascending, none after the as-of date.
        levels: (dates, factors) last known level on or before a day, NaN before the first; the last one is
            repeated where the data of a factor has ended.
        covariance: (factors, factors) of monthly changes, as between month ends.
        months: months behind the covariance.
        betas: (instruments of `calibration.returns`, factors) log return per factor change of one; NaN where
            it cannot be estimated.
        specific_volatility: (instruments,) standard deviation of the rest, a month; NaN where there is none.
        arithmetic: (instruments,) whose betas are those of sums of arithmetic returns; None: nobody's.
        averaged: whether each level of a factor is the mean of its month; empty if none is.
        first_month: first day of the first month behind the covariance; None without months.
        last_month: first day of the last one.
        ended: which of the factors are of data that has ended; none in the model of live factors.
        with_ended: the model that has the factors whose data has ended too, on the months they share with
            the others; None if none has ended.
    """

    factors: tuple[str, ...]
    points: tuple[bool, ...]
    origin: tuple[str, ...]
    dates: NDArray[np.datetime64]
    levels: NDArray[np.float64]
    covariance: NDArray[np.float64]
    months: int
    betas: NDArray[np.float64]
    specific_volatility: NDArray[np.float64]
    averaged: tuple[bool, ...] = ()
    first_month: date | None = None
    last_month: date | None = None
    ended: tuple[str, ...] = ()
    with_ended: FactorModel | None = None
    arithmetic: NDArray[np.bool_] | None = None

    @property
    def widest(self) -> FactorModel:
        """Return the model with the most factors: that with ended ones, if there is one."""
        return self if self.with_ended is None else self.with_ended

    @property
    def window(self) -> str:
        """Return the months behind the covariance in words, as in "347 months, 1990-02 to 2018-12"."""
        if self.first_month is None or self.last_month is None:
            return f"{self.months} months"
        return f"{self.months} months, {self.first_month:%Y-%m} to {self.last_month:%Y-%m}"


def build_factor_model(run: Run, calibration: Calibration) -> FactorModel:
    """Estimate factor covariances and betas, and commit both, with ended factors in separate tables.

    Betas are of weekly changes where every factor has a level in each week, else of monthly ones; covariances
    are of monthly changes. Only levels up to the as-of date are read. Without an equity factor in the data,
    or one that reaches the days of the prices for long enough, equity is an index of the run's own
    instruments; without volatility, that is the volatility realised by equity. A factor that cannot be used
    is said with its reason, and one that has ended with its last month; an instrument without enough periods
    keeps rows without a beta.
    """
    series = factor_series(run, calibration)
    over = ended(series, run.as_of, run.settings.factors.stale_after_m)
    live = {name: one for name, one in series.items() if name not in over}
    model, left_out = _estimated(run, calibration, live, (FACTOR_BETAS, FACTOR_COVARIANCES))
    # Without an ended factor in it, it would be the live model again.
    wide, reasons = _estimated(
        run, calibration, series if over else {}, (ENDED_FACTOR_BETAS, ENDED_FACTOR_COVARIANCES), over
    )
    left_out |= {name: reason for name, reason in reasons.items() if name in over}
    for name, reason in sorted(left_out.items()):
        run.notices.add(f"Factor {name} is left out: in the months with prices {reason}.")
    if not wide.factors:
        return model
    wide = replace(wide, ended=tuple(name for name in wide.factors if name in over))
    ends = " and ".join(f"{name} ended in {series[name].last_month}" for name in wide.ended)
    run.reporter.say(
        f"    Factor {ends}: scenarios with {'it' if len(wide.ended) == 1 else 'one of them'} are priced on"
        f" {wide.window}; all others use {model.window}."
    )
    return replace(model, with_ended=wide)


def regress_batch(
    span: tuple[int, int],
    returns: NDArray[np.float64],
    changes: NDArray[np.float64],
    minimum: int,
    period: str = "month",
) -> list[Regression]:
    """Return the regressions of the columns in a span of log returns (periods, instruments)."""
    return [regress(returns[:, at], changes, minimum, period) for at in range(*span)]


def _estimated(
    run: Run,
    calibration: Calibration,
    series: Mapping[str, Series],
    tables: tuple[Table, Table],
    wanted: Collection[str] = (),
) -> tuple[FactorModel, dict[str, str]]:
    """Estimate one model and commit its betas and covariances; return it and which factors it leaves out.

    Without any of the factors that are wanted, if some are, it is a model without factors.
    """
    settings, returns = run.settings, calibration.returns
    every = tuple(sorted(series))
    points = tuple(name in settings.factors.points for name in every)
    first = min((returns.dates[0], *(one.dates[0] for one in series.values())))
    months = months_between(first, returns.dates[-1])
    # Means and month ends do not mix: one series that is known only as a mean makes all the others means.
    on_means = any(one.averaged for one in series.values())
    changes = np.empty((months.size, len(every)))
    for place, (name, in_points) in enumerate(zip(every, points, strict=True)):
        dates, levels = series[name].dates, series[name].levels
        seen = (
            monthly_means(dates, levels, months, in_points)
            if on_means
            else monthly_levels(dates, levels, months)
        )
        changes[:, place] = monthly_changes(seen, in_points)
    own = _own(run, calibration, months, monthly_mean_log_returns if on_means else monthly_log_returns)
    # A factor whose data ended before prices begin would leave every instrument without a beta.
    priced = np.isfinite(own).any(axis=1)
    selection = select_factors(every, changes[priced], settings.factors.minimum_months, EQUITY)
    names = tuple(every[at] for at in selection.used)
    if on_means and not any(series[name].averaged for name in names):
        others = {name: one for name, one in series.items() if not one.averaged}
        model, left_out = _estimated(run, calibration, others, tables, wanted)
        return model, left_out | dict(selection.left_out)
    used = list(selection.used) if not wanted or set(wanted) & set(names) else []
    names = tuple(every[at] for at in used)
    changes = np.ascontiguousarray(changes[:, used])
    minimum = settings.factors.minimum_months
    sampled = Sampled("month", months, own, changes, minimum)
    weekly = in_weeks(
        series,
        names,
        [points[at] for at in used],
        lambda seen, weeks: _own(run, calibration, weeks, seen),
        returns.dates[-1],
        minimum,
    )
    if weekly is not None and np.isfinite(weekly.own).any():
        sampled = weekly
    regressions = _regress_all(run, sampled)
    days = np.unique(np.concatenate([returns.dates, *(series[name].dates for name in names)]))
    covariance, count = factor_covariance(changes)
    if on_means:
        covariance = covariance * from_means_to_month_ends()
        # Betas are alike on means and on month ends; the rest is not.
        regressions = [_of_a_month(one, from_means_to_month_ends() ** 0.5) for one in regressions]
    behind = months[np.isfinite(changes).all(axis=1)] if used else months[:0]
    run.commit(tables[1], factor_rows.covariances(names, covariance, behind))
    run.commit(tables[0], factor_rows.betas(returns.instruments, names, regressions, sampled))
    found = [last_known(series[name].dates, series[name].levels, days) for name in names]
    model = FactorModel(
        factors=names,
        points=tuple(points[at] for at in used),
        origin=tuple(series[name].origin for name in names),
        dates=days,
        levels=np.column_stack(found) if found else np.empty((days.size, 0)),
        covariance=covariance,
        months=count,
        betas=np.array([one.betas for one in regressions]).reshape(len(regressions), len(names)),
        specific_volatility=np.array([one.specific_volatility for one in regressions]),
        averaged=tuple(series[name].averaged for name in names),
        first_month=as_date(behind[0]) if behind.size else None,
        last_month=as_date(behind[-1]) if behind.size else None,
        arithmetic=calibration.arithmetic,
    )
    return model, dict(selection.left_out)


def _own(
    run: Run, calibration: Calibration, periods: NDArray[Any], seen: Callable[..., NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return what `seen` makes of the daily returns of the instruments in each period."""
    returns = calibration.returns
    # A history before a standstill of the price is left out, as it is of volatility models.
    begun = np.isfinite(
        after_standstills(calibration.seen, run.settings.market_data.stale_price_d, calibration.held)
    ).argmax(axis=0)
    before = np.arange(len(returns.dates))[:, None] < begun
    return seen(returns.dates, np.where(before, np.nan, returns.values), periods, calibration.arithmetic)


def _regress_all(run: Run, sampled: Sampled) -> list[Regression]:
    """Return the regression of each instrument, its specific volatility that of a month."""
    count = sampled.own.shape[1]
    if not sampled.changes.shape[1]:
        none = np.empty(0)
        return [Regression(none, none, np.nan, np.nan, 0, "there are no factors")] * count
    starts = range(0, count, _INSTRUMENTS_PER_TASK)
    spans = [(start, min(start + _INSTRUMENTS_PER_TASK, count)) for start in starts]
    batches = run.fan_out.map(
        regress_batch,
        spans,
        (sampled.own, sampled.changes),
        run.reporter.counter(len(spans), "batches of betas estimated"),
        minimum=sampled.minimum,
        period=sampled.period,
    )
    scale = sampled.to_a_month
    return [
        replace(one, specific_volatility=one.specific_volatility * scale)
        for batch in batches
        for one in batch
    ]


def _of_a_month(found: Regression, scale: float) -> Regression:
    return replace(found, specific_volatility=found.specific_volatility * scale)
