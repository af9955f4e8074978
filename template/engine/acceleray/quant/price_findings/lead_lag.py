"""Closes of different hours: markets that follow others by a day, which hides same-day correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.price_findings.finding import THE_FILE, Finding

WINDOW_D = 750
"""Days that are looked at, three years: enough for a correlation, and time zones do not change."""

FEWEST_DAYS = 250
"""With fewer days the error of a correlation is as large as what is looked for."""

MOST_INSTRUMENTS = 300
"""Instruments that are looked at; a market shows in a sample as well as in all of it."""

LARGEST_MOVE = 5.0
"""Moves are cut at so many robust deviations, so that one day makes no correlation."""

SMALLEST_CORRELATION = 0.15
"""A correlation with the day before below this has no weight in a portfolio."""

STANDARD_ERRORS = 5.0
"""Standard errors, 1 / sqrt(days), that it must have: with 300 instruments there are 45,000 pairs."""

SMALLEST_EXCESS = 0.05
"""By so much it must be larger than the correlation of the same day."""

FOLLOWED_SHARE = 0.1
"""Share of all others that an instrument must follow; a market is followed by a market."""

_SHOWN = 4


def standardised(
    grid: NDArray[np.datetime64], days: NDArray[np.datetime64], log_prices: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return an instrument's moves between the days of a grid, cut and of mean 0 and variance 1.

    Shape (grid - 1,); 0 where it had no new price, and everywhere if it hardly ever had one.
    """
    at = np.searchsorted(days, grid, side="right") - 1
    moves = np.where(
        at[:-1] >= 0, log_prices[np.maximum(at[1:], 0)] - log_prices[np.maximum(at[:-1], 0)], 0.0
    )
    sizes = np.abs(moves[moves != 0.0])
    if sizes.size < FEWEST_DAYS // 2:
        return np.zeros(moves.size, np.float32)
    limit = LARGEST_MOVE * 1.4826 * float(np.median(sizes))
    moves = np.clip(moves, -limit, limit)
    spread = float(moves.std())
    return np.asarray((moves - moves.mean()) / spread if spread else 0.0 * moves, dtype=np.float32)


def lead_lag(
    names: Sequence[str], moves: NDArray[np.float32], grid: NDArray[np.datetime64]
) -> Finding | None:
    """Return the finding that some instruments follow others by a day (Burns, Engle and Mezrich 1998).

    Args:
        names: of the instruments.
        moves: as `standardised` gives them, shape (instruments, days).
        grid: the days, shape (days + 1,).
    """
    number, days = moves.shape
    if number < 2 or days < FEWEST_DAYS:
        return None
    same = moves @ moves.T / days
    # Row: who moves first; column: who moves the day after.
    after = moves[:, :-1] @ moves[:, 1:].T / (days - 1)
    limit = max(SMALLEST_CORRELATION, STANDARD_ERRORS / np.sqrt(days))
    leads = (after > limit) & (after > same + SMALLEST_EXCESS) & ~np.eye(number, dtype=bool)
    # A series that reacts to its past is stale or smoothed and follows everything: another finding.
    followed = leads.sum(axis=0)
    followers = np.flatnonzero(followed >= max(1.0, FOLLOWED_SHARE * (number - 1)))
    if not followers.size:
        return None
    leaders = np.flatnonzero(leads[:, followers].sum(axis=1) >= max(1.0, 0.5 * followers.size))
    if not leaders.size:
        return None
    pairs = leads[np.ix_(leaders, followers)]
    before = float(after[np.ix_(leaders, followers)][pairs].mean())
    day = float(same[np.ix_(leaders, followers)][pairs].mean())
    verb = "lags" if followers.size == 1 else "lag"
    text = (
        f"{_some(names, followers)} {verb} {_some(names, leaders)} by a day: correlation with the day before "
        f"{before:.2f}, on the same day {day:.2f}; their markets close at different hours"
    )
    advice = "use correlations and risk over two days or longer; the one-day risk of the portfolio is too low"
    return Finding(
        "lead_lag", "warning", THE_FILE, grid[0], grid[-1], int(followers.size), before - day, text, advice
    )


def _some(names: Sequence[str], at: NDArray[np.int64]) -> str:
    shown = ", ".join(names[int(one)] for one in at[:_SHOWN])
    return shown if at.size <= _SHOWN else f"{shown} and {at.size - _SHOWN} more"
