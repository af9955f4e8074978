"""Features of a part of the risk days before ranking: pure arithmetic, wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acceleray.extend import Signal
from acceleray.quant.rolling import Market, Windows, on_days, windows
from acceleray.stages.features.definitions import DEFINITIONS

# Risk days at a time: enough to keep NumPy busy, few enough for what they share to stay in a cache.
_ROWS = 320


def raw(
    days: NDArray[np.datetime64],
    prices: NDArray[np.float64],
    returns: NDArray[np.float64],
    market: NDArray[np.float64],
    first: int,
    own: Sequence[Signal] = (),
) -> NDArray[np.float64]:
    """Return all features from position `first` on, of shape (features, days - first, instruments).

    NaN where there is none: on a day that brings an instrument no price, without a full window before it.
    The values of a day do not depend on `first`, nor on where the days begin, if they reach back as far as
    its windows.

    Args:
        days: risk days, of shape (days,).
        prices: new ones of each risk day, of shape (days, instruments), NaN where there is none.
        returns: of the same shape, NaN on days without a price and where there was none before.
        market: its returns, of shape (days,).
        first: position of the first day that features are wanted of.
        own: signals of the project, which follow the engine's.
    """
    found = np.full((len(DEFINITIONS) + len(own), len(days) - first, prices.shape[1]), np.nan)
    numbers = days.astype("datetime64[D]").astype(np.int64)
    series = [_Series.of(prices[:, place], returns[:, place], market) for place in range(prices.shape[1])]
    for begin in range(first, len(days), _ROWS):
        end = min(begin + _ROWS, len(days))
        shared = _Shared(market)
        for place, each in enumerate(series):
            bounds = {of: each.between(of, begin, end) for of in each.days}
            for number, signal in enumerate(DEFINITIONS):
                at, given = each.windows(signal, *bounds[signal.of])
                if not given:
                    continue
                if signal.of == "returns and market":
                    values = signal.statistic(given[0], shared.market(at, given[1]))
                else:
                    values = signal.statistic(*given)
                found[number, at - first, place] = values
    for number, signal in enumerate(own, len(DEFINITIONS)):
        for place, each in enumerate(series):
            at, given = each.windows(signal, *each.between(signal.of, first, len(days)))
            if given:
                found[number, at - first, place] = on_days(signal.statistic, numbers[at], given)
    return found


@dataclass(frozen=True)
class _Series:
    """Inputs of the signals of one instrument: values in their order, and the positions of their days.

    Both by what windows contain.
    """

    days: dict[str, NDArray[np.int64]]
    values: dict[str, tuple[NDArray[np.float64], ...]]
    views: dict[tuple[str, int], tuple[Windows, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, prices: NDArray[np.float64], returns: NDArray[np.float64], market: NDArray[np.float64]
    ) -> _Series:
        price_days, return_days = (np.flatnonzero(np.isfinite(each)) for each in (prices, returns))
        known = returns[return_days]
        days = {"prices": price_days, "returns": return_days, "returns and market": return_days}
        values: dict[str, tuple[NDArray[np.float64], ...]] = {
            "prices": (prices[price_days],),
            "returns": (known,),
            "returns and market": (known, market[return_days]),
        }
        return cls(days, values)

    def between(self, of: str, begin: int, end: int) -> tuple[int, int]:
        """Return the first of the values from day `begin` on, and the first from day `end` on."""
        low, high = self.days[of].searchsorted((begin, end)).tolist()
        return low, high

    def windows(self, signal: Signal, low: int, high: int) -> tuple[NDArray[np.int64], tuple[Windows, ...]]:
        """Return the days of these values that have a full window, and the windows; none if no day has."""
        days, length = self.days[signal.of], signal.length
        low = max(low, length - 1)
        if low >= high:
            return days[:0], ()
        kind = (signal.of, length)
        if kind not in self.views:
            self.views[kind] = tuple(windows(each, length) for each in self.values[signal.of])
        at = slice(low - length + 1, high - length + 1)
        return days[low:high], tuple(each[at] for each in self.views[kind])


class _Shared:
    """Windows of the market that several instruments share, as those do that trade on every risk day."""

    def __init__(self, market: NDArray[np.float64]) -> None:
        self._returns = market
        self._known: dict[tuple[int, int, int], Market] = {}

    def market(self, days: NDArray[np.int64], windows: Windows) -> Market:
        """Return what statistics need of the market in the windows that end on these days."""
        length, first, last = windows.shape[1], int(days[0]), int(days[-1])
        start = first - length + 1
        every = last - first + 1 == days.size and start >= 0
        if not every or not np.array_equal(windows[0], self._returns[start : first + 1]):
            return Market(windows)
        return self._known.setdefault((length, first, last), Market(windows))
