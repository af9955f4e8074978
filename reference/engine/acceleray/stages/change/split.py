"""The change of one number split into parts that add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PARTS = ("positions", "instruments", "market", "parameters")


@dataclass(frozen=True)
class Split:
    """Parts of a change in % of NAV; arrays of shape (portfolios,). With the remainder they add up to it."""

    positions: NDArray[np.float64]
    instruments: NDArray[np.float64]
    market: NDArray[np.float64]
    parameters: NDArray[np.float64]
    remainder: NDArray[np.float64]


def split(
    reported_before: NDArray[np.float64], stepped: Sequence[NDArray[np.float64]], today: NDArray[np.float64]
) -> Split:
    """Return the parts of a change from what was reported before to what is reported today.

    Args:
        reported_before: (portfolios,).
        stepped: values of the steps (1) to (4), see `acceleray.stages.change.steps`.
        today: what is reported, the value of step (5).

    The remainder is by how far step (1) misses what was reported before: prices, settings or code have
    changed since. Without steps the whole change is remainder.
    """
    if not stepped:
        none = np.zeros(len(today))
        return Split(none, none, none, none, today - reported_before)
    first, second, third, fourth = stepped
    return Split(second - first, third - second, fourth - third, today - fourth, first - reported_before)
