"""Levels of risk factors: received, derived from the prices where they are missing, and which have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel, column
from acceleray.quant.months import month_of, realised_volatility
from acceleray.runtime.risk_days import outside_market
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import FACTORS
from acceleray.tables.stress import MONTHLY_MEAN

EQUITY, VOLATILITY = "equity", "volatility"


@dataclass(frozen=True)
class Series:
    """Levels of one factor on ascending dates, and the data set they come from.

    `averaged` says that each level is the mean of its month, and not that of its day.
    """

    dates: NDArray[np.datetime64]
    levels: NDArray[np.float64]
    origin: str
    averaged: bool = False

    @property
    def last_month(self) -> np.datetime64:
        """Return the month of the last level."""
        return np.datetime64(month_of(self.dates[-1:])[0], "M")


def _received(run: Run) -> dict[str, Series]:
    """Return the factors of silver.factors by name, none of their levels after the as-of date."""
    columns = ("factor_id", "date", "level", "origin", "sampling")
    rows = run.arrow(FACTORS, columns, f"date <= DATE'{run.as_of}'")
    ids = column(rows, "factor_id").astype(str)
    dates, levels = column(rows, "date").astype("datetime64[D]"), column(rows, "level")
    origins, sampling = (column(rows, name).astype(str) for name in ("origin", "sampling"))
    found = {}
    for name in sorted(set(ids.tolist())):
        own = ids == name
        averaged = str(sampling[own][0]) == MONTHLY_MEAN
        found[name] = Series(dates[own], levels[own], str(origins[own][0]), averaged)
    return found


def factor_series(run: Run, calibration: Calibration) -> dict[str, Series]:
    """Return every factor by name, equity replaced by the mean of the instruments where it must be.

    That is where it is not received, has too few months in common with the prices, or has ended; the last two
    are said in one line.
    """
    settings, returns = run.settings.factors, calibration.returns
    found = _received(run)
    equity = found.get(EQUITY)
    reason = ""
    if equity is not None and too_old(equity, returns, settings.minimum_months):
        reason = "has too few months in common with the prices"
    elif equity is not None and ended({EQUITY: equity}, run.as_of, settings.stale_after_m):
        # The others are measured against it, so that it cannot have ended.
        reason = f"ended in {equity.last_month}"
    if reason:
        run.notices.add(f"Factor {EQUITY} {reason}: the equal-weight mean of the instruments replaces it.")
        found.pop(EQUITY)
    # Exchange rates and what trades at weekends are no part of an index of the others, nor closed markets.
    apart = np.isin(returns.instruments, outside_market(run)) | calibration.arithmetic
    traded = np.where((returns.spans > 0) & ~apart, returns.values, np.nan)
    return with_derived(found, replace(returns, values=traded))


def ended(series: Mapping[str, Series], as_of: date, stale_after_m: int) -> tuple[str, ...]:
    """Return the factors, ascending, whose last level is more than `stale_after_m` months before the as-of.

    Calendar months are counted: with 3, a factor whose last level is of September 2018 has not ended for an
    as-of date in December, and has for one in January.
    """
    oldest = np.datetime64(as_of, "M") - stale_after_m
    return tuple(sorted(name for name, one in series.items() if one.last_month < oldest))


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
