"""Rows of gold.features of a part of the risk days: pure arithmetic, wherever it runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.extend import Signal
from acceleray.quant.cross_section import ranked
from acceleray.quant.day_prices import DayPrices, ahead, day_returns, market
from acceleray.stages.features.definitions import DEFINITIONS
from acceleray.stages.features.part import Part, long_rows
from acceleray.stages.features.raw import raw


@dataclass(frozen=True)
class FeatureRows:
    """Inputs of the rows of gold.features.

    Attributes:
        prices: of the instruments that have features.
        in_market: which of them the market is the mean of, of shape (instruments,).
        horizon_d: risk days that the forward return looks ahead.
        own: signals of the project.
    """

    prices: DayPrices
    in_market: NDArray[np.bool_]
    horizon_d: int
    own: tuple[Signal, ...] = ()

    @property
    def longest(self) -> tuple[int, int]:
        """Return how many prices the longest window of prices contains, and how many returns that of
        returns."""
        signals = (*DEFINITIONS, *self.own)
        return (
            max(each.length for each in signals if each.of == "prices"),
            max(each.length for each in signals if each.of != "prices"),
        )

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the least and the most rows that each risk day can have, of shape (days,).

        An instrument has a row as soon as its prices fill the shortest window; a window of a project's own
        signal may be full and say nothing.
        """
        new = np.isfinite(self.prices.prices)
        so_far = new.cumsum(axis=0)
        surely, perhaps = (min(map(_prices, signals)) for signals in (DEFINITIONS, (*DEFINITIONS, *self.own)))
        return (new & (so_far >= surely)).sum(axis=1), (new & (so_far >= perhaps)).sum(axis=1)

    def of(self, part: Part) -> pa.Table:
        """Return instrument_id, date, features and target as ranks, and forward_return, of a part.

        Rows in which every feature is missing are left out, and ranked with no other.
        """
        values, forward = self.raw(part)
        kept = np.asarray(np.isfinite(values).any(axis=0))
        forward = np.where(kept, forward, np.nan)
        names = [each.name for each in (*DEFINITIONS, *self.own)]
        columns = {name: ranked(each)[kept] for name, each in zip(names, values, strict=True)}
        columns |= {"forward_return": forward[kept], "target": ranked(forward)[kept]}
        return long_rows(self.prices, part, kept, columns)

    def raw(self, part: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return features before ranking, (features, days of the part, instruments), and forward returns.

        A day without a price tells a signal nothing.
        """
        days = self.prices.days[part.known_from : part.stop + self.horizon_d]
        prices = self.prices.prices[part.known_from : part.stop + self.horizon_d]
        first, stop = part.first - part.known_from, part.stop - part.known_from
        found = day_returns(prices, 0, np.full(prices.shape[1], np.nan))
        new = np.isfinite(prices)
        forward = np.where(new, ahead(found.price, self.horizon_d), np.nan)[first:stop]
        returns = np.where(new, found.simple, np.nan)[:stop]
        index = market(returns[:, self.in_market])
        return raw(days[:stop], prices[:stop], returns, index, first, self.own), forward


def _prices(signal: Signal) -> int:
    """Return how many prices a window takes: of returns, that before the first as well."""
    return signal.length + (signal.of != "prices")
