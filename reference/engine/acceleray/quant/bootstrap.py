"""The stationary bootstrap: what else the mean of a series could have been, had its days come differently.

Blocks of random length keep neighbouring days together, so that their dependence is kept up to the length of
a block (Politis & Romano 1994).
"""

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.streams import Purpose, Stream


def stationary_days(seed: int, index: int, days: int, block_d: int) -> NDArray[np.int64]:
    """Return the positions of ``days`` days drawn in blocks, of shape (days,), for one replication.

    Lengths of blocks are geometric with mean ``block_d``, first days equally likely, and the first day
    follows the last (Politis & Romano 1994, section 2). The draw depends on seed and index alone.
    """
    if days < 1 or block_d < 1:
        raise ValueError("there must be at least one day, and a block must have one")
    return block_days(Stream(seed, index, Purpose.SIGNAL_DAYS), days, days, block_d)


def block_days(stream: Stream, days: int, length: int, block_d: float) -> NDArray[np.int64]:
    """Return `length` days from 0 to days - 1: the stationary bootstrap (Politis & Romano 1994, section 2).

    A block starts on a random day and ends each day with probability 1 / `block_d`; after the last day comes
    the first.
    """
    begins = stream.uniforms(length) < 1.0 / block_d
    first = np.asarray(stream.uniforms(length) * days, dtype=np.int64)
    place = np.arange(length)
    # The first day begins a block whatever was drawn.
    begun = np.maximum.accumulate(np.where(begins, place, 0))
    return np.asarray((first[begun] + place - begun) % days, dtype=np.int64)


def resampled_mean(values: NDArray[np.float64], days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each column of ``values`` (days, series) over drawn days, of shape (series,).

    Missing values are left out; NaN where a series has none on the drawn days.
    """
    drawn = np.bincount(days, minlength=values.shape[0]).astype(np.float64)[:, np.newaxis]
    known = np.isfinite(values)
    total = np.where(known, values * drawn, 0.0).sum(axis=0)
    count = np.where(known, drawn, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan))


def percentile_interval(
    means: NDArray[np.float64], confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lower and upper ends of shape (series,) from means of shape (replications, series).

    The plain percentile interval (Efron & Tibshirani 1993, chapter 13). NaN where any mean is.
    """
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return low, high
