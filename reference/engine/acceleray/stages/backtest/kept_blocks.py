"""Closed blocks of the backtest, portfolio by portfolio: taken where an earlier run made them from the same.

What decides a block are the days up to its end (and of its windows), the fits before it, and the positions.
Positions held in quantities have other weights every day, and blocks of them are never the same again: of
them only what had the same weights in an earlier run already is kept, so that what is kept does not grow by
whole backtests every day. Positions that are given as weights are kept at once. The last block, which another
day will lengthen, is not kept either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from acceleray.engines.ray.fanout import Tasks
from acceleray.runtime.content import content_key
from acceleray.runtime.run import Run
from acceleray.runtime.shelf import Kind
from acceleray.stages.backtest.blocks import Block, BlockForecasts, forecast_some
from acceleray.stages.backtest.history import Blocks
from acceleray.stages.backtest.long_horizon import Answer, forecast_some_windows
from acceleray.stages.backtest.packing import packed, unpacked
from acceleray.stages.backtest.positions import Positions


def _of_forecasts(part: BlockForecasts) -> bytes:
    return packed([part.losses, part.covered, part.forecasts, part.calibrated])


def _to_forecasts(content: bytes) -> BlockForecasts:
    return BlockForecasts(*unpacked(content))


def _of_answers(part: Sequence[Answer]) -> bytes:
    return packed([array for each in part for array in (each.forecasts, each.losses)])


def _to_answers(content: bytes) -> list[Answer]:
    arrays = unpacked(content)
    return [Answer(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True)]


def seen_weights(weights: str) -> str:
    """Return a digest of weights: that a run has seen them is all that is kept."""
    return weights


BLOCK = Kind("backtest_block", forecast_some, _of_forecasts, _to_forecasts)
WINDOWS = Kind("backtest_windows", forecast_some_windows, _of_answers, _to_answers)
WEIGHTS = Kind("backtest_weights", seen_weights, str.encode, bytes.decode)


@dataclass(frozen=True)
class Standing:
    """Keys of portfolio results, and which of them an earlier run may have stored.

    Attributes:
        digests: (portfolios,) of the positions.
        same: (portfolios,) whether an earlier run had the same weights, or weights are given as such.
    """

    digests: tuple[str, ...]
    same: tuple[bool, ...]

    @classmethod
    def of(cls, run: Run, positions: Positions, still: Sequence[bool]) -> Standing:
        """Return what is known of some portfolios, and note their weights for later runs.

        Those that stand `still` have the same weights every day.
        """
        lines = content_key(positions.lines)
        digests = tuple(
            content_key(lines, weights, bool(equal), positions.least_covered)
            for weights, equal in zip(positions.weights, positions.equal, strict=True)
        )
        same = []
        for digest, fixed in zip(digests, still, strict=True):
            if fixed:
                same.append(True)
            elif run.kept.find(WEIGHTS, digest) is not None:
                run.kept.take(WEIGHTS, digest)
                same.append(True)
            else:
                run.kept.add(WEIGHTS, digest, digest)
                same.append(False)
        run.kept.save(WEIGHTS)
        return cls(digests, tuple(same))

    def at(self, places: Iterable[int]) -> Standing:
        """Return what is known of some of them."""
        some = list(places)
        return Standing(
            tuple(self.digests[place] for place in some), tuple(self.same[place] for place in some)
        )


class Grounds:
    """The blocks of a run and what decides them, the positions apart."""

    def __init__(
        self, blocks: Blocks, spans: Sequence[tuple[int, int]], returns: Panel, ahead_d: int
    ) -> None:
        """Digest the fits of all blocks, and the days up to the end of each and of windows of `ahead_d`."""
        self.blocks, self._spans, self._days = blocks, spans, len(returns.dates)
        self._fitted = [content_key(blocks[number]) for number in range(len(blocks))]
        self._before = prefixes(
            returns,
            [self._end(number, reach) for number in range(len(spans)) for reach in range(1, ahead_d + 1)],
        )

    def closed(self, number: int, ahead_d: int = 1) -> bool:
        """Return whether no further day changes a block, or windows of `ahead_d` that begin in it."""
        last = self._spans[number][1]
        # The last block of all grows until the next calibration.
        return last < self._days and last - 1 + ahead_d <= self._days

    def key(self, number: int, ahead_d: int, *terms: Any) -> str:
        """Return a digest of all that decides a block, or windows of `ahead_d` that begin in it."""
        return content_key(self._fitted[number], self._before[self._end(number, ahead_d)], *terms)

    def inside(self, number: int, rows: Sequence[int]) -> list[int]:
        """Return which rows lie in a block."""
        first, last = self._spans[number]
        return [row for row in rows if first <= row < last]

    def _end(self, number: int, ahead_d: int) -> int:
        return min(self._spans[number][1] - 1 + ahead_d, self._days)


@dataclass(frozen=True)
class _Some:
    """Blocks with the places of the portfolios that are to be forecast, made when they are asked for."""

    blocks: Blocks
    wanted: Sequence[tuple[int, tuple[int, ...]]]

    def __len__(self) -> int:
        """Return how many blocks there are."""
        return len(self.wanted)

    def __getitem__(self, number: int) -> tuple[Block, tuple[int, ...]]:
        """Return a block and places."""
        block, places = self.wanted[number]
        return self.blocks[block], places


def by_portfolio(
    run: Run,
    kind: Kind,
    blocks: Blocks,
    standing: Standing,
    deciding: Sequence[str],
    closed: Sequence[bool],
    compute: Callable[[Tasks], Iterator[list[Any]]],
) -> list[list[Any]]:
    """Return the result of each portfolio in each block, in their order.

    Args:
        run: whose kept work it is.
        kind: of work.
        blocks: to be forecast.
        standing: of the portfolios.
        deciding: (blocks,) digests of whatever else decides.
        closed: (blocks,) those that no further day changes.
        compute: the results of (block, places), one a portfolio.
    """
    kept, places = run.kept, range(len(standing.digests))
    keys: list[dict[int, str]] = []
    wanted = []
    for number, decided in enumerate(deciding):
        # The first portfolio has forecasts of all models.
        worth = {
            place: content_key(decided, standing.digests[place], place == 0)
            for place in places
            if closed[number] and standing.same[place]
        }
        there = {place for place, key in worth.items() if kept.find(kind, key) is not None}
        keys.append(worth)
        if missing := tuple(place for place in places if place not in there):
            wanted.append((number, missing))
    missing_of = dict(wanted)
    computed = compute(_Some(blocks, wanted))
    results = []
    for number, worth in enumerate(keys):
        missing = missing_of.get(number, ())
        own = dict(zip(missing, next(computed), strict=True)) if missing else {}
        for place, key in worth.items():
            if place in own:
                kept.add(kind, key, own[place])
            else:
                own[place] = kept.take(kind, key)
        results.append([own[place] for place in places])
    # A map is over when it is asked for more than there is.
    next(computed, None)
    kept.save(kind)
    return results


def prefixes(returns: Panel, ends: Iterable[int]) -> dict[int, str]:
    """Return a digest of the returns and spans of all days before each end."""
    parts = [(values, hashlib.sha256()) for values in (returns.values, returns.spans)]
    found, begin = {}, 0
    for end in sorted(set(ends)):
        for values, digest in parts:
            digest.update(np.ascontiguousarray(values[begin:end]).data)
        found[end] = content_key(returns.values.shape[1], *(digest.hexdigest() for _, digest in parts))
        begin = end
    return found
