"""A full matrix of standardised residuals out of a ragged one, so that whole days can be drawn together.

Filtered historical simulation keeps the dependence between instruments by drawing the residuals of one day
for all of them (Barone-Adesi, Giannopoulos & Vosper 1999). Instruments listed later have no residual on
earlier days.
Filling the gaps by a one-factor proxy is our choice, not part of that paper: it keeps every crisis in the
sample for every instrument, at the price of dependence that is only as good as one factor. The filled share
says how much of an instrument is proxy.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.garch import GjrParameters, variance_path
from acceleray.quant.streams import Purpose, integers


def filtered(
    returns: NDArray[np.float64],
    parameters: GjrParameters,
    initial_variance: float,
    unseen: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return residuals (days,), NaN on gaps, and volatility forecasts (days + 1,), the last for tomorrow.

    A gap leaves the filter where it was: the next forecast waits for the next return. On a gap with a value
    in ``unseen`` (days,) the residual is that over the forecast.
    """
    present = np.isfinite(returns)
    sigma = np.sqrt(variance_path(returns[present], parameters, initial_variance))
    forecasts = sigma[np.concatenate(([0], np.cumsum(present)))]
    residuals = np.where(present, (returns - parameters.mu) / forecasts[:-1], np.nan)
    if unseen is not None:
        residuals = np.where(present | ~np.isfinite(unseen), residuals, unseen / forecasts[:-1])
    return residuals, forecasts


def fill_missing(
    residuals: NDArray[np.float64],
    seed: int,
    keys: Sequence[int] | None = None,
    estimation_days: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the filled residuals (days, instruments) and the share of each instrument that was filled.

    A missing z[t, i] becomes ``b[i] m[t] + u``: m is the mean of that day's observed residuals, b the
    least-squares slope of the instrument on the mean of the *other* instruments, and u one of the
    instrument's own residuals around that line, drawn with the stream (seed, key of the instrument). Observed
    values are returned unchanged.
    ``keys`` are stable whole numbers, one an instrument: with them a value does not depend on the column
    order.
    Without keys, column numbers serve. ``estimation_days`` limits slopes and draws to the first so many days,
    so that later rows are filled without knowledge of days after them.
    Raises ValueError for a day or an instrument without any residual in reach, or keys that repeat.
    """
    residuals = np.asarray(residuals, dtype=np.float64)
    days, instruments = residuals.shape
    keys = range(instruments) if keys is None else keys
    if len(keys) != instruments or len(set(keys)) != instruments:
        raise ValueError("there must be one key for each instrument, and no key twice")
    observed = np.isfinite(residuals)
    filled_share = 1.0 - observed.mean(axis=0)
    if bool(observed.all()):
        return residuals.copy(), filled_share
    if not bool(observed.any(axis=1).all()):
        raise ValueError("leave out the days on which no instrument has a residual")

    # Summing in the order of the keys makes the mean, to the last bit, independent of the column order.
    order = np.argsort(np.asarray(keys, dtype=np.uint64), kind="stable")
    values = np.where(observed, residuals, 0.0)
    totals = np.ascontiguousarray(values[:, order]).sum(axis=1)
    counts = observed.sum(axis=1)

    filled = residuals.copy()
    for column in map(int, np.flatnonzero(~observed.all(axis=0))):
        missing = ~observed[:, column]
        slope, own = _proxy(values[:, column], observed[:, column], totals, counts, estimation_days)
        if own.size == 0:
            raise ValueError(f"instrument {keys[column]} has no residual to learn a proxy from")
        # One number a day, used or not: what fills a day does not depend on which other days are missing.
        drawn = own[integers(seed, int(keys[column]), Purpose.MISSING_RESIDUALS, days, own.size)]
        filled[missing, column] = slope * (totals[missing] / counts[missing]) + drawn[missing]
    return filled, filled_share


def _proxy(
    values: NDArray[np.float64],
    observed: NDArray[np.bool_],
    totals: NDArray[np.float64],
    counts: NDArray[np.int64],
    estimation_days: int | None,
) -> tuple[float, NDArray[np.float64]]:
    # The mean of the others: where the instrument is missing, it is not part of the day's mean either.
    usable = observed & (counts > 1)
    if estimation_days is not None:
        usable[estimation_days:] = False
    own = values[usable]
    others = (totals[usable] - own) / (counts[usable] - 1)
    square = float(np.sum(others * others))
    slope = float(np.sum(others * own)) / square if square > 0.0 else 0.0
    return slope, own - slope * others
