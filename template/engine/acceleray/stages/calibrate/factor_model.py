"""Exposure of instruments to risk factors: one regression for each instrument, on Ray."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel, column
from acceleray.quant.factor_model import Regression, factor_covariance, regress, select_factors
from acceleray.quant.months import (
    last_known,
    monthly_changes,
    monthly_levels,
    monthly_log_returns,
    months_between,
    realised_volatility,
)
from acceleray.quant.stale_prices import after_standstills
from acceleray.runtime.risk_days import weekend_traders
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import FACTOR_BETAS, FACTOR_COVARIANCES, FACTORS

EQUITY, VOLATILITY = "equity", "volatility"
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
        covariance: (factors, factors) of monthly changes.
        months: months behind the covariance.
        betas: (instruments of `calibration.returns`, factors) log return per factor change of one; NaN where
            it cannot be estimated.
        specific_volatility: (instruments,) standard deviation of the rest, a month; NaN where there is none.
        arithmetic: (instruments,) whose betas are those of sums of arithmetic returns; None: nobody's.
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
    arithmetic: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Series:
    """Levels of one factor on ascending dates, and the data set they come from."""

    dates: NDArray[np.datetime64]
    levels: NDArray[np.float64]
    origin: str


def build_factor_model(run: Run, calibration: Calibration) -> FactorModel:
    """Estimate factor covariance and betas; commit gold.factor_covariances and gold.factor_betas.

    Only levels up to the as-of date are read. Without an equity factor in the data, or one that reaches the
    days of the prices for long enough, equity is an index of the run's own instruments; without volatility,
    that is the volatility realised by equity. A factor that cannot be used is said with its reason; an
    instrument without enough months keeps rows without a beta.
    """
    settings, returns = run.settings, calibration.returns
    received = _received(run)
    if EQUITY in received and too_old(received[EQUITY], returns, settings.factors.minimum_months):
        run.reporter.say(
            f"    Factor {EQUITY} has too few months in common with the prices: "
            "the equal-weight mean of the instruments stands in for it."
        )
        received.pop(EQUITY)
    # Instruments that trade at weekends are no part of an index of the others, nor are closed markets and
    # arithmetic returns, which do not compound.
    apart = np.isin(returns.instruments, weekend_traders(run)) | calibration.arithmetic
    traded = np.where((returns.spans > 0) & ~apart, returns.values, np.nan)
    series = with_derived(received, replace(returns, values=traded))
    every = tuple(sorted(series))
    points = tuple(name in settings.factors.points for name in every)
    first = min(returns.dates[0], *(one.dates[0] for one in series.values()))
    months = months_between(first, returns.dates[-1])
    changes = np.column_stack(
        [
            monthly_changes(monthly_levels(series[name].dates, series[name].levels, months), in_points)
            for name, in_points in zip(every, points, strict=True)
        ]
    )
    # A history before a standstill of the price is left out, as it is of volatility models.
    begun = np.isfinite(
        after_standstills(calibration.seen, settings.market_data.stale_price_d, calibration.held)
    ).argmax(axis=0)
    before = np.arange(len(returns.dates))[:, None] < begun
    known = np.where(before, np.nan, returns.values)
    own = monthly_log_returns(returns.dates, known, months, calibration.arithmetic)
    # A factor whose data ended before prices begin would leave every instrument without a beta.
    priced = np.isfinite(own).any(axis=1)
    selection = select_factors(every, changes[priced], settings.factors.minimum_months, EQUITY)
    for name, reason in selection.left_out:
        run.reporter.say(f"    Factor {name} is left out: in the months with prices {reason}.")
    used = list(selection.used)
    names = tuple(every[at] for at in used)
    changes = np.ascontiguousarray(changes[:, used])
    regressions = _regress_all(run, own, changes)
    days = np.unique(np.concatenate([returns.dates, *(series[name].dates for name in names)]))
    covariance, count = factor_covariance(changes)
    run.commit(FACTOR_COVARIANCES, _covariances(names, covariance, count))
    run.commit(FACTOR_BETAS, _betas(returns.instruments, names, regressions))
    found = [last_known(series[name].dates, series[name].levels, days) for name in names]
    return FactorModel(
        factors=names,
        points=tuple(points[at] for at in used),
        origin=tuple(series[name].origin for name in names),
        dates=days,
        levels=np.column_stack(found) if found else np.empty((days.size, 0)),
        covariance=covariance,
        months=count,
        betas=np.array([one.betas for one in regressions]).reshape(len(regressions), len(names)),
        specific_volatility=np.array([one.specific_volatility for one in regressions]),
        arithmetic=calibration.arithmetic,
    )


def too_old(equity: Series, returns: Panel, minimum: int) -> bool:
    """Return whether equity has fewer than `minimum` monthly changes between the first and last return."""
    inside = (equity.dates >= returns.dates[0]) & (equity.dates <= returns.dates[-1])
    return np.unique(equity.dates[inside].astype("datetime64[M]")).size - 1 < minimum


def with_derived(received: dict[str, Series], returns: Panel) -> dict[str, Series]:
    """Return the received factors with equity and volatility, derived where they were not received.

    Equity is the index that compounds, from 100, the mean daily simple return of the instruments that have
    one on that day (`returns`, NaN where they have none); it stands still where none has. Volatility is in
    percent a year, as indices of it are quoted.
    """
    series = dict(received)
    if EQUITY not in series:
        some = np.isfinite(returns.values).any(axis=1)
        mean = np.zeros(len(returns.dates))
        mean[some] = np.nanmean(returns.values[some], axis=1)
        index = np.asarray(100.0 * np.cumprod(1.0 + mean), dtype=np.float64)
        series[EQUITY] = Series(returns.dates, index, "equal-weight mean of the instruments")
    if VOLATILITY not in series:
        equity = series[EQUITY]
        volatility = 100.0 * realised_volatility(equity.dates, equity.levels)
        known = np.isfinite(volatility)
        if known.any():
            series[VOLATILITY] = Series(
                equity.dates[known], volatility[known], f"realised over 21 days of: {equity.origin}"
            )
    return series


def regress_batch(
    span: tuple[int, int], returns: NDArray[np.float64], changes: NDArray[np.float64], minimum: int
) -> list[Regression]:
    """Return the regressions of the columns in a span of monthly log returns (months, instruments)."""
    return [regress(returns[:, at], changes, minimum) for at in range(*span)]


def _regress_all(run: Run, returns: NDArray[np.float64], changes: NDArray[np.float64]) -> list[Regression]:
    count = returns.shape[1]
    starts = range(0, count, _INSTRUMENTS_PER_TASK)
    spans = [(start, min(start + _INSTRUMENTS_PER_TASK, count)) for start in starts]
    batches = run.fan_out.map(
        regress_batch,
        spans,
        (returns, changes),
        run.reporter.counter(len(spans), "batches of betas estimated"),
        minimum=run.settings.factors.minimum_months,
    )
    return [one for batch in batches for one in batch]


def _received(run: Run) -> dict[str, Series]:
    rows = run.arrow(FACTORS, ("factor_id", "date", "level", "origin"), f"date <= DATE'{run.as_of}'")
    ids = column(rows, "factor_id").astype(str)
    dates, levels = column(rows, "date").astype("datetime64[D]"), column(rows, "level")
    origins = column(rows, "origin").astype(str)
    found = {}
    for name in sorted(set(ids.tolist())):
        own = ids == name
        found[name] = Series(dates[own], levels[own], str(origins[own][0]))
    return found


def _covariances(names: tuple[str, ...], covariance: NDArray[np.float64], months: int) -> pa.Table:
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    count = len(names)
    return pa.table(
        {
            "factor_id": pa.array(np.repeat(names, count).tolist(), pa.string()),
            "other_factor_id": pa.array(list(names) * count, pa.string()),
            "covariance": covariance.ravel(),
            "correlation": correlation.ravel(),
            "months": pa.array([months] * count**2, pa.int64()),
        }
    )


def _betas(instruments: tuple[str, ...], names: tuple[str, ...], found: list[Regression]) -> pa.Table:
    count = len(names)
    columns: dict[str, pa.Array] = {
        "instrument_id": pa.array([name for name in instruments for _ in range(count)], pa.string()),
        "factor_id": pa.array(list(names) * len(instruments), pa.string()),
        "beta": pa.array([float(beta) for one in found for beta in one.betas], pa.float64()),
        "beta_se": pa.array([float(error) for one in found for error in one.standard_errors], pa.float64()),
    }
    for name, kind in (("r_squared", pa.float64()), ("specific_volatility", pa.float64())):
        columns[name] = pa.array([getattr(one, name) for one in found for _ in range(count)], kind)
    columns["months"] = pa.array([one.months for one in found for _ in range(count)], pa.int64())
    columns["reason"] = pa.array([one.reason for one in found for _ in range(count)], pa.string())
    return pa.table(columns)
