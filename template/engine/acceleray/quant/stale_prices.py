"""Histories in which a price stood still: no trading, and poison for a volatility model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST_STANDSTILL_D = 20
"""Unchanged days in a row that still count as trading, about a month; market_data.stale_price_d sets it.

A Student-t density can be made infinite on a run of equal returns, so a longer one breaks the fit.
"""


def longest_standstill(returns: NDArray[np.float64]) -> int:
    """Return the days of the longest run of returns of exactly zero in a series without gaps."""
    moves = np.flatnonzero(np.concatenate(([True], returns != 0.0, [True])))
    return int(np.diff(moves).max()) - 1


def after_standstills(
    returns: NDArray[np.float64],
    longest_d: int = LONGEST_STANDSTILL_D,
    may_stand: Sequence[bool] | NDArray[np.bool_] = (),
) -> NDArray[np.float64]:
    """Return the returns, of shape (days, instruments), NaN up to the end of the last standstill of each one.

    A standstill is a run of more than `longest_d` returns of exactly zero. Gaps neither break nor lengthen it
    because a model sees the returns of an instrument one after the other. It looks at the given rows alone:
    give the past only where the future must not be known. Instruments that `may_stand`, as cash does, are
    kept.
    """
    kept = np.array(returns, dtype=np.float64)
    for column in range(kept.shape[1]):
        if len(may_stand) and may_stand[column]:
            continue
        known = np.flatnonzero(np.isfinite(kept[:, column]))
        moves = np.concatenate(([-1], np.flatnonzero(kept[known, column] != 0.0), [known.size]))
        long = np.flatnonzero(np.diff(moves) - 1 > longest_d)
        if long.size:
            end = moves[long[-1] + 1]
            kept[: known[end] if end < known.size else len(kept), column] = np.nan
    return kept
