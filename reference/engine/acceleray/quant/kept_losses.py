"""The losses of many portfolios that lie in a bracket around the ranks of one level, and sums of those above.

Used by ``acceleray.quant.tail_search``, which says what they are for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.path_walks import machine_code
from acceleray.quant.rank_search import Level
from acceleray.quant.tail_scans import DEAL_OUT, SORT_OUT
from acceleray.quant.tails import Above

GROWTH = 4
"""Brackets narrow when so many times as many scenarios have been seen."""

TOGETHER = 64
"""Portfolios whose losses are sorted at a time."""

# Losses that brackets are compared with at a time: some megabytes.
_PIECE = 200_000
# A portfolio that keeps so many times what its bracket should hold has losses that tie: it is left to others.
_CROWD, _SLACK = 4, 1024


@dataclass
class KeptLosses:
    """One level: brackets (portfolios,), sums above them, and the losses in them with their scenarios."""

    level: Level
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    floor: NDArray[np.float64]
    above: Above
    counts: NDArray[np.int64]
    most: int
    rows: list[NDArray[np.int32]]
    losses: list[NDArray[np.float64]]
    scenarios: list[NDArray[np.int32]]

    def take(
        self,
        rows: NDArray[np.int32],
        losses: NDArray[np.float64],
        scenarios: NDArray[np.int32],
        compiled_in: Path | None = None,
    ) -> NDArray[np.int64]:
        """Keep what lies in the brackets, and return places of what lies above.

        ``compiled_in`` is where machine code for it is kept: faster, and the same to the bit.
        """
        if run := machine_code(SORT_OUT, compiled_in):
            size, portfolios = rows.size, self.floor.size
            bounds = np.stack((self.low, self.high, self.floor))
            room = np.empty_like(rows), np.empty_like(losses), np.empty_like(scenarios)
            places, counts = np.empty(size, np.int64), np.zeros((2, portfolios), np.int64)
            sums = np.zeros((2, portfolios))
            inside = run(rows, losses, scenarios, bounds, *room, places, counts, sums, size, portfolios)
            self.rows.append(room[0][:inside].copy())
            self.losses.append(room[1][:inside].copy())
            self.scenarios.append(room[2][:inside].copy())
            self.counts = self.counts + counts[0]
            self.above += Above(counts[1], sums[0], sums[1])
            return places[: int(counts[1].sum())]
        over = losses > self.high[rows]
        kept = np.flatnonzero((losses >= self.low[rows]) & ~over)
        self._add(rows, losses, scenarios, kept)
        above = np.flatnonzero(over)
        self.above += self._sums(rows[above], losses[above])
        return above

    def by_portfolio(self, compiled_in: Path | None = None) -> Iterator[NDArray[np.float64]]:
        """Yield the losses kept of each portfolio, of few at a time: what is kept is not in memory twice.

        ``compiled_in`` is where machine code for it is kept: faster, and the same order.
        """
        run = machine_code(DEAL_OUT, compiled_in)
        for first in range(0, self.floor.size, TOGETHER):
            if run:
                ends = np.cumsum(self.counts[first : first + TOGETHER])
                places, dealt = np.concatenate(([0], ends[:-1])), np.empty(int(ends[-1]))
                for own, found in zip(self.rows, self.losses, strict=True):
                    run(own, found, places, dealt, own.size, places.size, dealt.size, first)
                yield from np.split(dealt, ends[:-1])
                continue
            chosen = [(rows >= first) & (rows < first + TOGETHER) for rows in self.rows]
            rows = np.concatenate([part[some] for part, some in zip(self.rows, chosen, strict=True)])
            losses = np.concatenate([part[some] for part, some in zip(self.losses, chosen, strict=True)])
            # So few different numbers that they are sorted by counting.
            order = np.argsort((rows - first).astype(np.int16), kind="stable")
            yield from np.split(losses[order], np.cumsum(self.counts[first : first + TOGETHER])[:-1])

    def narrow(
        self, seen: int, compiled_in: Path | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Narrow the brackets after so many scenarios; return portfolio and scenario of what is now above."""
        upper, lower = self.level.pilot_ranks(seen)
        low, high = self.low.copy(), self.high.copy()
        for place, losses in enumerate(self.by_portfolio(compiled_in)):
            first, last = (losses.size - 1 - rank + self.above.count[place] for rank in (upper, lower))
            # A rank outside the bracket leaves it as it is on that side; one of -1 is that of no loss.
            some = [at for at in (first, last) if 0 <= at < losses.size]
            ordered = np.partition(losses, some) if some else losses
            if upper >= 0 and first in some:
                high[place] = ordered[first]
            if last in some:
                low[place] = ordered[last]
        self.low, self.high = low, high
        found = []
        for rows, losses, scenarios in self._pieces():
            over = losses > high[rows]
            found.append((rows[over], losses[over], scenarios[over]))
            self._add(rows, losses, scenarios, (losses >= low[rows]) & ~over)
        rows, losses, scenarios = (np.concatenate(each) for each in zip(*found, strict=True))
        self.above += self._sums(rows, losses)
        self.most = crowd(self.level, seen)
        return rows, scenarios

    def drop(self, portfolios: NDArray[np.bool_]) -> None:
        """Forget what was kept of some portfolios and keep no more of them."""
        self.low = np.where(portfolios, np.inf, self.low)
        for rows, losses, scenarios in self._pieces():
            self._add(rows, losses, scenarios, ~portfolios[rows])

    def _pieces(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]]:
        """Give up what was kept, in its order: yield portfolio, loss and scenario, of some atoms at a time.

        So what is kept of it again is not in memory twice, and lies in few pieces.
        """
        parts = list(zip(self.rows, self.losses, self.scenarios, strict=True))[::-1]
        self.rows, self.losses, self.scenarios = [], [], []
        self.counts = np.zeros_like(self.counts)
        while parts:
            some = [parts.pop()]
            while parts and sum(rows.size for rows, _, _ in some) < _PIECE:
                some.append(parts.pop())
            rows, losses, scenarios = (np.concatenate(each) for each in zip(*some, strict=True))
            del some
            yield rows, losses, scenarios

    def _add(
        self,
        rows: NDArray[np.int32],
        losses: NDArray[np.float64],
        scenarios: NDArray[np.int32],
        chosen: NDArray[np.bool_] | NDArray[np.int64],
    ) -> None:
        self.rows.append(rows[chosen])
        self.losses.append(losses[chosen])
        self.scenarios.append(scenarios[chosen])
        self.counts = self.counts + np.bincount(self.rows[-1], minlength=self.counts.size)

    def _sums(self, rows: NDArray[np.int32], losses: NDArray[np.float64]) -> Above:
        excess, portfolios = losses - self.floor[rows], self.floor.size
        count = np.bincount(rows, minlength=portfolios)
        return Above(
            count,
            np.asarray(np.bincount(rows, excess, minlength=portfolios), dtype=np.float64),
            np.asarray(np.bincount(rows, excess * excess, minlength=portfolios), dtype=np.float64),
        )


def crowd(level: Level, seen: int) -> int:
    """Return how many losses of one portfolio may be kept until the brackets narrow again."""
    upper, lower = level.pilot_ranks(seen)
    return _SLACK + _CROWD * GROWTH * (lower - max(upper, 0) + 1)
