"""The tails of many portfolios in one pass over any number of scenarios, in memory that hardly grows.

The first scenarios bracket the ranks that are needed. Losses above a bracket are only summed, those below it
forgotten, those in it kept with the number of their scenario. Each time four times as many scenarios have
been seen, and after each half million, the brackets narrow, so what is kept grows with the square root of the
scenarios. At the end the ranks are among the losses kept, or the bracket was wrong and `missed` says so.
What is found is that of ``acceleray.quant.tails`` on the same losses: the same value-at-risk, sums but for
rounding.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from acceleray.quant.euler import Band
from acceleray.quant.kept_losses import GROWTH, TOGETHER, KeptLosses, crowd
from acceleray.quant.path_walks import machine_code
from acceleray.quant.rank_search import Level
from acceleray.quant.scenarios import ATOM
from acceleray.quant.tail_scans import ADD_WEIGHTED
from acceleray.quant.tails import Above, Located, Ranked, TailAt, located

# Scenarios seen when brackets narrow: 16 atoms, four times as many, and each half million.
_FIRST_NARROWING, _STEP = 16 * ATOM, 128 * ATOM

Columns = Callable[[NDArray[np.float64]], NDArray[np.float64]]
# Portfolio, scenario and weight of losses of one atom.
Weighed = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]


class TailSearch:
    """State of the tails of some portfolios after the scenarios so far; `take` adds more.

    ``columns`` turns returns (scenarios, lines) into what is summed over the tail of the level ``summed``;
    the same function goes into every call. The window of every level is averaged over returns.
    """

    def __init__(
        self,
        levels: Sequence[Level],
        bounds: Sequence[NDArray[np.float64]],
        pilot: int,
        summed: float,
        compiled_in: Path | None = None,
    ) -> None:
        """Begin with brackets (2, portfolios) for each level out of so many ``pilot`` scenarios.

        ``compiled_in`` is where machine code is kept, with which it is faster and finds the same to the bit.
        """
        self._compiled_in = compiled_in
        self.seen, self._lines, self._held = 0, 0, list[tuple[NDArray[np.int32], NDArray[np.float64]]]()
        self._packed = 0
        self._summed = [level.confidence for level in levels].index(summed)
        self._beyond: NDArray[np.float64] | None = None
        portfolios = bounds[0].shape[1]
        self.missed = np.zeros(portfolios, dtype=np.bool_)
        self._kept = []
        for level, (low, high) in zip(levels, bounds, strict=True):
            # The largest of a few says nothing about the largest of many.
            ceiling = high if level.pilot_ranks(pilot)[0] >= 0 else np.full(portfolios, np.inf)
            start = (level, low.copy(), ceiling.copy(), low.copy(), Above.none(portfolios))
            counts, none = np.zeros(portfolios, dtype=np.int64), np.zeros(0, dtype=np.int32)
            most = crowd(level, pilot)
            self._kept.append(KeptLosses(*start, counts, most, [none], [np.zeros(0)], [none.copy()]))

    @property
    def least(self) -> NDArray[np.float64]:
        """Return for each portfolio the loss below which nothing is needed, of shape (portfolios,)."""
        return np.minimum.reduce([each.low for each in self._kept])

    def leave(self, portfolios: NDArray[np.bool_]) -> None:
        """Look no further at some portfolios (a mask), of which nothing will be found."""
        self.missed = self.missed | portfolios
        for each in self._kept:
            each.drop(portfolios)

    def take(
        self,
        rows: NDArray[np.int32],
        scenarios: NDArray[np.int32],
        losses: NDArray[np.float64],
        returns: NDArray[np.float64],
        columns: Columns,
    ) -> None:
        """Take in one more atom: losses not below `least`, each with its portfolio and scenario in the atom.

        Portfolios ascend, and the scenarios of each; returns (scenarios, lines) are those of the whole atom.
        """
        numbers = np.asarray(scenarios + self.seen, dtype=np.int32)
        for place, each in enumerate(self._kept):
            above = each.take(rows, losses, numbers, self._compiled_in)
            if place == self._summed:
                self._sum(rows[above], scenarios[above], returns, columns)
        self._lines = returns.shape[1]
        self._held.append((np.arange(self.seen, self.seen + len(returns), dtype=np.int32), returns))
        self.seen += len(returns)
        crowded = np.logical_or.reduce([each.counts > each.most for each in self._kept])
        if bool(crowded.any()):
            self.leave(crowded)
        if _narrows(self.seen) and self.seen < self._kept[0].level.scenarios:
            self._narrow(columns)

    def pack(self) -> None:
        """Keep copies of the returns that may be needed, and no others."""
        needed = np.zeros(self.seen, dtype=np.bool_)
        for each in self._kept:
            for scenarios in each.scenarios:
                needed[scenarios] = True
        # Each in its place: what is held is not in memory twice.
        for place in range(self._packed, len(self._held)):
            numbers, returns = self._held[place]
            own = np.flatnonzero(needed[numbers])
            self._held[place] = numbers[own], returns[own]
        self._held = [part for part in self._held if part[0].size]
        self._packed = len(self._held)

    def found(self) -> dict[float, Located]:
        """Return what the losses kept say about each level; of portfolios in `missed`, nothing.

        After all scenarios: `missed` is then complete.
        """
        for each in self._kept:
            count, ranks = each.above.count, each.level.ranks
            self.missed = self.missed | (count > min(ranks)) | (count + each.counts <= max(ranks))
        return {each.level.confidence: self._located(each) for each in self._kept}

    def _located(self, each: KeptLosses) -> Located:
        kept, portfolios = each.by_portfolio(self._compiled_in), self.missed.size
        places = [slice(first, first + TOGETHER) for first in range(0, portfolios, TOGETHER)]
        parts = [self._located_part(each, some, islice(kept, TOGETHER)) for some in places]
        return Located(
            TailAt.joined([part.measures for part in parts]),
            tail=Band.joined([part.tail for part in parts]),
            window=Band.joined([part.window for part in parts]),
        )

    def _located_part(
        self, each: KeptLosses, portfolios: slice, kept: Iterable[NDArray[np.float64]]
    ) -> Located:
        known = ~self.missed[portfolios]
        # A loss of nothing stands for every scenario of a portfolio of which nothing is known.
        nothing = np.zeros(1), np.array([each.level.scenarios])
        distinct = [
            np.unique(losses, return_counts=True) if known[place] else nothing
            for place, losses in enumerate(kept)
        ]
        losses = np.concatenate([values[::-1] for values, _ in distinct])
        times = np.concatenate([counts[::-1] for _, counts in distinct])
        rows = np.repeat(np.arange(known.size), [values.size for values, _ in distinct])
        above = Above(
            *(np.where(known, getattr(each.above, one.name)[portfolios], 0) for one in fields(Above))
        )
        before = np.cumsum(times) - times
        first = np.searchsorted(rows, np.arange(known.size))
        ranked = Ranked(rows, losses, times, above.count[rows] + before - before[first][rows])
        near, floor = np.ones(rows.size, dtype=np.bool_), np.where(known, each.floor[portfolios], 0.0)
        return located(each.level, ranked, near, above, floor)

    def window_sums(self, confidence: float, band: Band) -> NDArray[np.float64]:
        """Return weighted sums of returns over a band of the losses kept, of shape (portfolios, lines)."""
        return self._banded(confidence, band, lambda returns: returns)

    def tail_sums(self, band: Band, columns: Columns) -> NDArray[np.float64]:
        """Return sums of the columns over the tail of the summed level, of shape (portfolios, columns)."""
        sums = self._banded(self._kept[self._summed].level.confidence, band, columns)
        return sums if self._beyond is None else self._beyond + sums

    def _banded(self, confidence: float, band: Band, columns: Columns) -> NDArray[np.float64]:
        each = next(one for one in self._kept if one.level.confidence == confidence)

        def chosen() -> Iterator[Weighed]:
            for rows, losses, scenarios in zip(each.rows, each.losses, each.scenarios, strict=True):
                for atom in _atoms(scenarios):
                    own, some = rows[atom], losses[atom]
                    inside = (some >= band.low[own]) & (some <= band.high[own]) & ~self.missed[own]
                    own, some = own[inside], some[inside]
                    yield own, scenarios[atom][inside], band.weights(own, some)

        return self._gathered(chosen(), columns)

    def _narrow(self, columns: Columns) -> None:
        for place, each in enumerate(self._kept):
            rows, scenarios = each.narrow(self.seen, self._compiled_in)
            if place == self._summed and rows.size:
                atoms = ((rows[own], scenarios[own], np.ones(len(rows[own]))) for own in _atoms(scenarios))
                self._add(self._gathered(atoms, columns))
        # Of those packed before, fewer are needed.
        self._packed = 0
        self.pack()

    def _gathered(self, atoms: Iterable[Weighed], columns: Columns) -> NDArray[np.float64]:
        """Return weighted sums of the columns of scenarios held, atom after atom, in their order.

        One atom at a time: what is known of all atoms together would be as large as what is kept.
        """
        total: NDArray[np.float64] | None = None
        held = {int(numbers[0]) // ATOM: (numbers, returns) for numbers, returns in self._held}
        for rows, scenarios, weights in atoms:
            if not rows.size:
                continue
            atom = int(scenarios[0]) // ATOM
            numbers, returns = held[atom]
            needed, places = numbered(scenarios - atom * ATOM)
            values = columns(returns[np.searchsorted(numbers, needed + atom * ATOM)])
            sums = self._by_portfolio(rows, places, weights, values)
            total = sums if total is None else total + sums
        if total is None:
            # Nothing is held where every portfolio was left.
            return np.zeros((self.missed.size, columns(np.empty((0, self._lines))).shape[1]))
        return total

    def _sum(
        self,
        rows: NDArray[np.int32],
        scenarios: NDArray[np.int32],
        returns: NDArray[np.float64],
        columns: Columns,
    ) -> None:
        needed, places = numbered(scenarios)
        values = columns(returns[needed])
        self._add(self._by_portfolio(rows, places, np.ones(rows.size), values))

    def _add(self, sums: NDArray[np.float64]) -> None:
        self._beyond = sums if self._beyond is None else self._beyond + sums

    def _by_portfolio(
        self,
        rows: NDArray[np.int32],
        places: NDArray[np.int64],
        weights: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return weighted sums of values (scenarios, columns), (portfolios, columns); rows ascend."""
        portfolios = self.missed.size
        if run := machine_code(ADD_WEIGHTED, self._compiled_in):
            sums = np.zeros((portfolios, values.shape[1]))
            run(
                rows, places, weights, np.ascontiguousarray(values), sums, rows.size, len(values), *sums.shape
            )
            return sums
        ends = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=portfolios))))
        return np.asarray(csr_matrix((weights, places, ends), shape=(portfolios, len(values))) @ values)


def numbered(scenarios: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different scenarios of an atom ascending, and for each one given its place among these."""
    needed = np.flatnonzero(np.bincount(scenarios, minlength=ATOM))
    places = np.empty(ATOM, dtype=np.int64)
    places[needed] = np.arange(needed.size)
    return needed, np.take(places, scenarios)


def _atoms(scenarios: NDArray[np.int32]) -> Iterator[slice]:
    """Yield the places of each atom's scenarios, whose atoms ascend."""
    atoms = scenarios // ATOM
    ends = np.flatnonzero(atoms[1:] != atoms[:-1]) + 1
    for first, last in pairwise([0, *ends.tolist(), scenarios.size]):
        yield slice(first, last)


def _narrows(seen: int) -> bool:
    """Return whether brackets narrow after so many scenarios."""
    if seen % _STEP == 0:
        return True
    while seen > _FIRST_NARROWING and seen % GROWTH == 0:
        seen //= GROWTH
    return seen == _FIRST_NARROWING
