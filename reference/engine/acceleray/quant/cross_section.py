"""Ranks among the instruments of a day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each value in its row, of the same shape (days, instruments).

    A rank goes from -0.5 (lowest) to 0.5 among the values of a row, and is 0 for one alone. Equal values
    share the lowest of their ranks. NaN moves no rank and has none.
    """
    found = np.full(values.shape, np.nan)
    if not values.size:
        return found
    # NaN comes last.
    order = np.argsort(values, axis=1)
    ascending = np.take_along_axis(values, order, axis=1)
    places = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    new = np.ones(values.shape, dtype=np.bool_)
    new[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    below = np.maximum.accumulate(np.where(new, places, 0), axis=1)
    count = (~np.isnan(values)).sum(axis=1, keepdims=True)
    share = np.where(count == 1, 0.0, below / np.maximum(count - 1, 1) - 0.5)
    np.put_along_axis(found, order, np.where(np.isnan(ascending), np.nan, share), axis=1)
    return found
