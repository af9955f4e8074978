"""Losses of portfolios in replayed days, without making the moves of every instrument on every day.

A residual of a past day at the correlation of today is (see ``comovement``)

    z' = b M sqrt(c_now) + Z sqrt(1 - c_now),   M = m / sqrt(c_day),   Z = (z - b m) / sqrt(1 - c_day)

and what an instrument earns is sigma z' + mu. So the return of any weights is a linear function of M and Z of
the past day: a tile of days is one matrix product, in which M and Z stay where they are. What is not linear
in them is worked out element by element: the floor at a loss of everything, and exchange rates.

A tile has the same shape whatever a block holds, with zeros where there is no day, so that a day gets the
same bits however many days come after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.past import Past

TILE = 64
"""Days of a block whose replayed days are multiplied together."""


class Replay:
    """The past of a block, in the form in which tiles of its days are multiplied."""

    def __init__(
        self, past: Past, means: NDArray[np.float64], longest: int, arithmetic: NDArray[np.bool_] | None
    ) -> None:
        """Split the residuals.

        Args:
            past: of the block.
            means: (columns,) added to every replayed day.
            longest: past days that are replayed on a day, at most.
            arithmetic: (columns,) those that may lose more than everything; none by default.
        """
        joint = past.comovement
        share = np.zeros(len(past.days) + 1) if joint.share is None else joint.share
        days, instruments = joint.residuals.shape
        self.longest, self.means, self.ends = longest, means, past.ends
        # The first row is M, then come the rows of Z.
        self.rows = np.zeros((1 + instruments, longest + days + TILE))
        inside = slice(longest, longest + days)
        own = joint.residuals - joint.mean[:, np.newaxis] * joint.slopes
        self.rows[1:, inside] = (own / np.sqrt(1.0 - share[:-1, np.newaxis])).T
        if joint.share is not None:
            self.rows[0, inside] = joint.mean / np.sqrt(share[:-1])
        today = share[past.ends, np.newaxis]
        self.own = np.sqrt(1.0 - today) * past.sigma
        self.common = np.sqrt(today) * past.sigma * joint.slopes
        self.floored = np.ones(instruments, dtype=np.bool_) if arithmetic is None else ~arithmetic

    @property
    def known(self) -> NDArray[np.int64]:
        """Return how many past days are replayed on each day, (days,)."""
        return np.minimum(self.ends, self.longest)

    def tiles(self) -> Iterator["Tile"]:
        """Yield the tiles of the block, in order."""
        for first in range(0, len(self.ends), TILE):
            yield Tile(self, first, self.ends[first : first + TILE])


@dataclass
class Tile:
    """Up to `TILE` days of a block, the first of them ``first``, and past days enough for all of them.

    Results are of shape (`TILE`, past days); ``last_losses`` cuts out what belongs to a day.
    """

    replay: Replay
    first: int
    ends: NDArray[np.int64]
    _moves: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    _beyond: dict[int, NDArray[np.float64] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the days out of the block."""
        days, replay = len(self.ends), self.replay
        begin = int(self.ends[0])
        self._rows = replay.rows[:, begin : begin + replay.longest + TILE]
        self._own, self._common = np.zeros((2, TILE, len(replay.means)))
        self._own[:days] = replay.own[self.first : self.first + days]
        self._common[:days] = replay.common[self.first : self.first + days]

    def earned(self, weights: NDArray[np.float64], constant: float = 0.0) -> NDArray[np.float64]:
        """Return what weights (instruments,) earn on each past day, and a constant.

        Instruments without a weight have no part in it: they change no bit.
        """
        held = np.flatnonzero(weights)
        some = weights[held]
        scales = np.empty((TILE, 1 + held.size))
        scales[:, 0] = np.sum(np.take(self._common, held, axis=1) * some, axis=1)
        scales[:, 1:] = np.take(self._own, held, axis=1) * some
        everything = held.size == weights.size
        rows = self._rows if everything else np.take(self._rows, np.concatenate(([0], 1 + held)), axis=0)
        earned = scales @ rows
        earned += float(np.sum(some * self.replay.means[held])) + constant
        for place, weight in zip(held.tolist(), some.tolist(), strict=True):
            if (beyond := self._lost_beyond(place)) is not None:
                earned += weight * beyond
        return np.asarray(earned)

    def move(self, place: int) -> NDArray[np.float64]:
        """Return what one instrument earns on each past day; not to be changed."""
        if place not in self._moves:
            moved = self._raw(place)
            self._moves[place] = np.maximum(moved, -1.0, out=moved) if self.replay.floored[place] else moved
        return self._moves[place]

    def last_losses(self, losses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is replayed on each day of the tile, (days, longest), the oldest first.

        Where there are fewer past days, -inf stands first.
        """
        longest = self.replay.longest
        shifts = self.ends - self.ends[0]
        found = np.lib.stride_tricks.sliding_window_view(losses, longest, axis=1)[
            np.arange(shifts.size), shifts
        ]
        missing = np.maximum(longest - self.ends, 0)
        found[np.arange(longest) < missing[:, np.newaxis]] = -np.inf
        return found

    def _raw(self, place: int) -> NDArray[np.float64]:
        moved = self._own[:, place, np.newaxis] * self._rows[1 + place]
        moved += self._common[:, place, np.newaxis] * self._rows[0]
        moved += self.replay.means[place]
        return moved

    def _lost_beyond(self, place: int) -> NDArray[np.float64] | None:
        """Return by how much an instrument would lose more than everything; None where it never does."""
        if place not in self._beyond:
            own, common = self._rows[1 + place], self._rows[0]
            least = self._own[:, place].max() * min(own.min(), 0.0)
            least -= np.abs(self._common[:, place]).max() * np.abs(common).max()
            beyond = None
            if self.replay.floored[place] and least + self.replay.means[place] < -1.0:
                beyond = np.maximum(-1.0 - self._raw(place), 0.0)
            self._beyond[place] = beyond
        return self._beyond[place]
