"""Rows of gold.returns of a part of the risk days: pure arithmetic, wherever it runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.day_prices import DayPrices, day_returns
from acceleray.stages.features.part import Part, long_rows


@dataclass(frozen=True)
class ReturnRows:
    """Inputs of the rows of gold.returns.

    Attributes:
        prices: of all instruments.
        levels: of arithmetic returns, of shape (instruments,), NaN where returns are simple.
        longest_closed_d: risk days without a price after which an instrument has no rows.
    """

    prices: DayPrices
    levels: NDArray[np.float64]
    longest_closed_d: int

    def counts(self) -> NDArray[np.int64]:
        """Return how many rows each risk day has, of shape (days,)."""
        found = day_returns(self.prices.prices, self.longest_closed_d, self.levels)
        return np.asarray(np.isfinite(found.simple).sum(axis=1))

    def of(self, part: Part) -> pa.Table:
        """Return instrument_id, date, return_1d and span_d of a part, by date and instrument."""
        prices = self.prices.prices[part.known_from : part.stop]
        found = day_returns(prices, self.longest_closed_d, self.levels)
        made = slice(part.first - part.known_from, None)
        simple, span_d = found.simple[made], found.span_d[made]
        kept = np.isfinite(simple)
        return long_rows(self.prices, part, kept, {"return_1d": simple[kept], "span_d": span_d[kept]})
