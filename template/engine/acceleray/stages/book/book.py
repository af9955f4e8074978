"""The book: portfolios, what they hold as shares of their net asset value, and how they hang together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.sparse_rows import DENSE_COLUMNS, LessRows, Rows, SparseRows, joined, rows_of
from acceleray.stages.book.details import WITHOUT, Details
from acceleray.stages.book.lines import Lines

REFERENCE = "REFERENCE"
# Portfolios whose rows are made together, fewer of many lines: megabytes, where all could be gigabytes.
_TOGETHER = 4096


@dataclass(frozen=True)
class Book:
    """Portfolios and their weights; the first is the one that headlines speak of.

    Attributes:
        portfolios: their ids.
        names: names for people.
        origins: where each comes from: reported, sample, reference or simulated.
        lines: the columns of `weights`.
        weights: (portfolios, lines), share of the portfolio's own NAV, long positive. What is left to one is
            cash or financing in the base currency, and no line.
        nav: (portfolios,), each in its own base currency.
        currencies: base currency of each, ISO 4217.
        parents: id of the portfolio that each is a part of, empty for none.
        benchmarks: id of the portfolio or instrument that each is measured against, empty for none.
        details: rows of weights beyond the portfolios, simulated with them; None for none.
        stated: of each, whether its weights are given as such, and so stand still until they are given anew;
            empty for none.
    """

    portfolios: tuple[str, ...]
    names: tuple[str, ...]
    origins: tuple[str, ...]
    lines: Lines
    weights: NDArray[np.float64]
    nav: NDArray[np.float64]
    currencies: tuple[str, ...]
    parents: tuple[str, ...]
    benchmarks: tuple[str, ...]
    details: Details | None = None
    stated: tuple[bool, ...] = ()

    @classmethod
    def plain(
        cls,
        portfolios: Sequence[str],
        instruments: Sequence[str],
        weights: NDArray[np.float64],
        nav: float,
        currency: str,
        names: Sequence[str] | None = None,
        origins: Sequence[str] | None = None,
    ) -> Book:
        """Return portfolios of one NAV and one currency that stand alone, as a benchmark's load does."""
        count = len(portfolios)
        none = ("",) * count
        return cls(
            portfolios=tuple(portfolios),
            names=tuple(names or portfolios),
            origins=tuple(origins or ("simulated",) * count),
            lines=Lines(tuple(instruments)),
            weights=weights,
            nav=np.full(count, nav),
            currencies=(currency,) * count,
            parents=none,
            benchmarks=none,
        )

    @property
    def instruments(self) -> tuple[str, ...]:
        """Return the names of the instruments, those of the calibration in its order."""
        return self.lines.own

    @property
    def held(self) -> NDArray[np.float64]:
        """Return the weights at own prices, of shape (portfolios, instruments)."""
        return self.weights[:, : len(self.lines.own)]

    @property
    def every(self) -> Rows:
        """Return the weights of the portfolios, those of the details behind them: (rows, lines)."""
        own, details = rows_of(self.weights), self.details
        if details is None or not details.rows:
            return own
        every = joined((own, details.weights))
        if details.lacking is None or not isinstance(every, SparseRows):
            return every
        lacking = SparseRows.joined((SparseRows.empty(*own.shape), details.lacking))
        wholes = [row.portfolio if row.kind == WITHOUT else -1 for row in details.rows]
        bases = np.concatenate((np.full(len(own), -1, dtype=np.int64), np.array(wholes, dtype=np.int64)))
        return LessRows(every, lacking, bases)

    def spans(self) -> Iterator[slice]:
        """Yield the places of all portfolios, some thousands at a time."""
        count = len(self.portfolios)
        size = max(_TOGETHER * DENSE_COLUMNS // max(len(self.lines), DENSE_COLUMNS), 1)
        for first in range(0, count, size):
            yield slice(first, min(first + size, count))
