"""Few enough values that histogram trees need no sketch of them: the same splits however rows are shared out.

A boosting library that sees more distinct values than it has bins picks the edges of its bins from an
approximate summary of the data; several processes that merge their summaries pick others than one does.
"""

import numpy as np
from numpy.typing import NDArray

# XGBoost's own number of bins is 256.
MOST = 254
TOLERANCE = 1e-6
"""Largest difference between the scores of a model fitted by several processes and of one fitted by one.

In the unit of the scores. Both see the same few values, so they may split at the same points. Histograms are
sums of doubles, which can differ in their last bits with the order in which shards are added up; that leaves
splits as they are, and mostly every bit. A split that changed would differ by a thousand times as much.
"""


def edges(values: NDArray[np.float32], most: int = MOST) -> NDArray[np.float32]:
    """Return at most ``most`` values of a feature, ascending: all there are, or its quantiles.

    The least value is always among them. NaN is passed over; empty where nothing is known.
    """
    # Sorted once, which takes most of the time: of millions of rows half a second.
    ordered = np.sort(values[np.isfinite(values)])
    first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    if np.count_nonzero(first) <= most:
        return ordered[first]
    # Quantiles of the rows, not of the distinct values: a bin holds about as many rows as any other.
    places = np.arange(most, dtype=np.int64) * ordered.size // most
    return np.unique(ordered[places])


def floored(values: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each value replaced by the largest of ``points`` that is not above it; NaN stays.

    For every point c, a value is below c exactly if what replaces it is. So trees that were fitted on the
    replaced values split the values themselves in the same way.
    """
    if not points.size:
        return values
    place = np.searchsorted(points, values, side="right") - 1
    return np.where(np.isfinite(values), points[np.maximum(place, 0)], np.float32(np.nan))


def binned(
    features: NDArray[np.float64] | NDArray[np.float32], chosen: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Return features in single precision, each column with few distinct values.

    Args:
        features: (rows, features).
        chosen: (rows,) those that are wanted; all by default. Of millions there is no other copy.
    """
    rows = len(features) if chosen is None else int(np.count_nonzero(chosen))
    single = np.empty((rows, features.shape[1]), dtype=np.float32)
    for column in range(features.shape[1]):
        values = features[:, column] if chosen is None else features[chosen, column]
        values = values.astype(np.float32)
        single[:, column] = floored(values, edges(values))
    return single
