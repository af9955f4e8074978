"""The dynamic quantile test: does anything known the day before say that an exception will come?"""

import numpy as np
from numpy.typing import NDArray

LAGS = 4
# Directions in which the regressors vary less than this share of the largest are none.
_RANK = 1e-10


def dynamic_quantile(
    exceptions: NDArray[np.bool_], forecasts: NDArray[np.float64], confidence: float, lags: int = LAGS
) -> NDArray[np.float64]:
    """Return the statistic of Engle & Manganelli (2004, theorem 4) of each record, of shape (records,).

    H' X (X'X)^-1 X' H / (c (1 - c)), H being exceptions less 1 - c, and X a constant, the forecast of the day
    and the last ``lags`` values of H: large where exceptions are too many, follow each other, or come with
    the level of the forecast. Asymptotically chi-squared with 2 + lags degrees of freedom; at 99 % the law in
    samples of some thousand days is wider, so compare with a simulated one (`null_record`).

    Args:
        exceptions: (records, days), in the order of time.
        forecasts: (days,) value-at-risk forecasts, alike for all records; any unit.
        confidence: of the forecasts.
        lags: days of the past.

    NaN with fewer than twice as many days as regressors.

    Raises:
        ValueError: shapes do not fit.
    """
    hits = np.asarray(exceptions)
    if hits.ndim != 2 or forecasts.shape != hits.shape[1:]:
        raise ValueError(f"{hits.shape} exceptions and {forecasts.shape} forecasts do not make a test")
    record, day = np.nonzero(hits)
    return dynamic_quantile_of(record, day, len(hits), forecasts, confidence, lags)


def dynamic_quantile_of(
    record: NDArray[np.int64],
    day: NDArray[np.int64],
    records: int,
    forecasts: NDArray[np.float64],
    confidence: float,
    lags: int = LAGS,
) -> NDArray[np.float64]:
    """Return the same of exceptions by their record and day (exceptions,), in the order of both."""
    if forecasts.size <= 2 * (lags + 2):
        return np.full(records, np.nan)
    days = forecasts.size - lags
    rate = 1.0 - confidence
    level = np.asarray(forecasts[lags:], dtype=np.float64)
    level = level - level.mean()
    level = level / (np.sqrt(np.sum(level * level) / days) or 1.0)
    count, with_level = np.empty((2, records, lags + 1))
    both = np.zeros((lags + 1, lags + 1, records))
    # An exception seen with a lag is one on the row so many days later.
    for lag in range(lags + 1):
        row = day - lags + lag
        seen = (row >= 0) & (row < days)
        count[:, lag] = both[lag, lag] = np.bincount(record[seen], minlength=records)
        with_level[:, lag] = np.bincount(record[seen], level[row[seen]], minlength=records)
    for step in range(1, lags + 1):
        apart = day[step:] - day[:-step]
        pairs = np.flatnonzero((record[step:] == record[:-step]) & (apart <= lags))
        for distance in range(1, lags + 1):
            first = pairs[apart[pairs] == distance]
            for lag in range(distance, lags + 1):
                row = day[first] - lags + lag
                seen = (row >= 0) & (row < days)
                together = np.bincount(record[first[seen]], minlength=records)
                both[lag, lag - distance] += together
                both[lag - distance, lag] += together
    # Products of H = hit - rate from products of hits; the first of them is today's, the others are lags.
    products = both.transpose(2, 0, 1) - rate * (count[:, :, None] + count[:, None, :]) + rate**2 * days
    totals = count - rate * days
    size = 2 + lags
    gram = np.zeros((records, size, size))
    gram[:, 0, 0] = gram[:, 1, 1] = days
    gram[:, 0, 2:] = gram[:, 2:, 0] = totals[:, 1:]
    gram[:, 1, 2:] = gram[:, 2:, 1] = with_level[:, 1:]
    gram[:, 2:, 2:] = products[:, 1:, 1:]
    moments = np.concatenate([totals[:, :1], with_level[:, :1], products[:, 0, 1:]], axis=1)
    # Where forecasts stand still, or no lag holds an exception, columns coincide: a generalised inverse.
    inverse = np.linalg.pinv(gram, rcond=_RANK, hermitian=True)
    statistic = np.sum(moments * np.sum(inverse * moments[:, None, :], axis=2), axis=1)
    return np.asarray(statistic / (confidence * rate))
