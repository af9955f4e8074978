"""Value-at-risk and expected shortfall of many portfolios over any number of scenarios, in constant memory.

Scenarios can be regenerated from their seed, so they are processed in passes instead of being stored: count
losses in bins (``acceleray.quant.rank_search``), then collect the few losses that share a bin with a rank
that is needed, and sum what lies above. The result is that of ``acceleray.quant.risk`` on all losses at once,
whatever the losses tie.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.euler import Band
from acceleray.quant.rank_search import Brackets, Level, Places
from acceleray.quant.risk import edge_share

# Pairs that may wait before equal ones are put together.
_WAITING = 500_000


@dataclass(frozen=True)
class Wanted:
    """Data to collect for one level: losses in these bins, and sums of what lies above that of the edge.

    Losses are summed less ``floor`` (portfolios,), which is close to the edge: squares then lose no digits.
    """

    brackets: Brackets
    bins: NDArray[np.int64]
    floor: NDArray[np.float64]

    @classmethod
    def of(cls, brackets: Brackets, places: Places) -> "Wanted":
        """Return what is to be collected once the bins of the ranks are known."""
        return cls(brackets, places.bins, brackets.floor(places.bins[:, 0]))

    def part(self, portfolios: slice) -> "Wanted":
        """Return what is wanted of some of the portfolios."""
        return Wanted(self.brackets.part(portfolios), self.bins[portfolios], self.floor[portfolios])

    @property
    def lowest(self) -> NDArray[np.float64]:
        """Return a loss for each portfolio below which nothing is needed, of shape (portfolios,)."""
        return np.asarray(self.brackets.floor(self.bins.min(axis=1)) - 0.5 * self.brackets.width)


class Pairs:
    """Losses of many portfolios as (portfolio, loss, number of times), so that equal ones take no room."""

    def __init__(self) -> None:
        """Start with none."""
        self._rows: list[NDArray[np.int64]] = []
        self._losses: list[NDArray[np.float64]] = []
        self._times: list[NDArray[np.int64]] = []
        self._waiting = 0

    def add(
        self,
        rows: NDArray[np.int64],
        losses: NDArray[np.float64],
        times: NDArray[np.int64] | None = None,
    ) -> None:
        """Take in losses of the portfolios in ``rows``, each once if ``times`` does not say otherwise."""
        self._rows.append(rows)
        self._losses.append(losses)
        self._times.append(np.ones(rows.size, dtype=np.int64) if times is None else times)
        self._waiting += rows.size
        if self._waiting > _WAITING:
            self.sorted()

    def sorted(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Return portfolios ascending, for each the losses descending, and how often each one occurred."""
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *self._rows])
        losses = np.concatenate([np.zeros(0), *self._losses])
        times = np.concatenate([np.zeros(0, dtype=np.int64), *self._times])
        order = np.lexsort((-losses, rows))
        rows, losses, times = rows[order], losses[order], times[order]
        first = np.ones(rows.size, dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (losses[1:] != losses[:-1])
        starts = np.flatnonzero(first)
        rows, losses = rows[starts], losses[starts]
        times = np.add.reduceat(times, starts) if starts.size else times
        self._rows, self._losses, self._times, self._waiting = [rows], [losses], [times], 0
        return rows, losses, times


@dataclass(frozen=True)
class Above:
    """Losses in the bins above that of the edge, less a floor, each (portfolios,): number, sum, squares."""

    count: NDArray[np.int64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def none(cls, portfolios: int) -> "Above":
        """Return the sums of no scenario."""
        return cls(np.zeros(portfolios, dtype=np.int64), np.zeros(portfolios), np.zeros(portfolios))

    @classmethod
    def joined(cls, parts: Sequence["Above"]) -> "Above":
        """Return the sums of several groups of portfolios as one, in the order given."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def __add__(self, other: "Above") -> "Above":
        """Return the sums of both; add in the order of scenarios, on which the last bits depend."""
        return Above(self.count + other.count, self.total + other.total, self.squares + other.squares)


def collected(
    wanted: Wanted, rows: NDArray[np.int64], losses: NDArray[np.float64], pairs: Pairs, first: int = 0
) -> Above:
    """Return the sums over some losses of the portfolios in ``rows``, and add to pairs what is wanted.

    In pairs the portfolios are numbered from ``first``.
    """
    portfolios = wanted.floor.size
    bins = wanted.brackets.bins(rows, losses)
    chosen = np.flatnonzero((bins[:, np.newaxis] == wanted.bins[rows]).any(axis=1))
    pairs.add(rows[chosen] + first, losses[chosen])
    above = np.flatnonzero(bins > wanted.bins[rows, 0])
    holder = rows[above]
    excess = losses[above] - wanted.floor[holder]
    return Above(
        np.bincount(holder, minlength=portfolios),
        _sums(holder, excess, portfolios),
        _sums(holder, excess * excess, portfolios),
    )


@dataclass(frozen=True)
class TailAt:
    """The measures of every portfolio at one confidence level, each (portfolios,)."""

    value_at_risk: NDArray[np.float64]
    value_at_risk_error: NDArray[np.float64]
    expected_shortfall: NDArray[np.float64]
    expected_shortfall_error: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence["TailAt"]) -> "TailAt":
        """Return the measures of several groups of portfolios as one, in the order given."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def part(self, portfolios: slice) -> "TailAt":
        """Return the measures of some of the portfolios."""
        return TailAt(*(getattr(self, one.name)[portfolios] for one in fields(self)))


@dataclass(frozen=True)
class Located:
    """The measures at one level, and where its tail is.

    ``tail`` weighs the scenarios of the expected shortfall, ``window`` those around the value-at-risk.
    """

    measures: TailAt
    tail: Band
    window: Band


def tail_at(level: Level, wanted: Wanted, places: Places, pairs: Pairs, above: Above) -> Located:
    """Return what all scenarios say about one level, given everything collected.

    Raises RuntimeError where counts of the passes do not fit together: some scenarios are missing or others.
    """
    if not np.array_equal(above.count, places.above):
        raise RuntimeError("two passes over the scenarios did not see the same losses")
    rows, losses, times = pairs.sorted()
    bins = wanted.brackets.bins(rows, losses)
    # Within its bin a loss comes after the larger ones collected there; its bin comes after all higher bins.
    before = np.cumsum(times) - times
    opens = np.ones(rows.size, dtype=bool)
    opens[1:] = (rows[1:] != rows[:-1]) | (bins[1:] != bins[:-1])
    first = np.maximum.accumulate(np.where(opens, np.arange(rows.size), 0))
    start = places.from_top[rows, bins + 1] + before - before[first]
    ranked = Ranked(rows, losses, times, start)
    return located(level, ranked, bins == wanted.bins[rows, 0], above, wanted.floor)


@dataclass(frozen=True)
class Ranked:
    """Distinct losses, portfolio by portfolio and descending: portfolio, loss, how often, first rank."""

    rows: NDArray[np.int64]
    losses: NDArray[np.float64]
    times: NDArray[np.int64]
    start: NDArray[np.int64]


def located(
    level: Level, ranked: Ranked, near: NDArray[np.bool_], above: Above, floor: NDArray[np.float64]
) -> Located:
    """Return what is known of one level from losses around its ranks and sums of those above.

    ``near`` marks what ``above``, its zero ``floor``, has not seen. RuntimeError for a rank that is missing.
    """
    portfolios = floor.size
    rows, losses, times, start = ranked.rows, ranked.losses, ranked.times, ranked.start

    def at(rank: int) -> NDArray[np.int64]:
        hit = np.flatnonzero((start <= rank) & (rank < start + times))
        if not np.array_equal(rows[hit], np.arange(portfolios)):
            raise RuntimeError("two passes over the scenarios did not see the same losses")
        return hit

    edge, upper, lower, first_rank, last_rank = (at(rank) for rank in level.ranks)
    var = losses[edge]
    inside = np.flatnonzero(near & (losses > var[rows]))
    excess = losses[inside] - var[rows[inside]]
    within = _sums(rows[inside], times[inside] * excess, portfolios)
    within_squares = _sums(rows[inside], times[inside] * excess * excess, portfolios)
    # Everything is measured from the value-at-risk, so equal losses give exactly nothing.
    shift = floor - var
    total = (above.total + above.count * shift) + within
    squares = above.squares + 2.0 * shift * above.total + above.count * shift * shift + within_squares
    mean = np.maximum(total, 0.0) / level.mass
    deviations = squares / level.mass - (1.0 - level.confidence) * mean * mean
    ranks = max(level.spread[1] - level.spread[0], 1)
    share = edge_share(level.mass, start[edge], times[edge])
    measures = TailAt(
        value_at_risk=var,
        value_at_risk_error=(losses[upper] - losses[lower]) * (level.deviation / ranks),
        expected_shortfall=var + mean,
        expected_shortfall_error=np.sqrt(np.maximum(deviations, 0.0) / level.mass),
    )
    return Located(
        measures,
        tail=Band(var, np.full(portfolios, np.inf), share, share, np.full(portfolios, level.mass)),
        window=_window(level, losses, start, times, first_rank, last_rank),
    )


def _sums(rows: NDArray[np.int64], values: NDArray[np.float64], portfolios: int) -> NDArray[np.float64]:
    """Return the sum of the values of each portfolio, added in the order given."""
    return np.asarray(np.bincount(rows, values, minlength=portfolios), dtype=np.float64)


def _window(
    level: Level,
    losses: NDArray[np.float64],
    start: NDArray[np.int64],
    times: NDArray[np.int64],
    high: NDArray[np.int64],
    low: NDArray[np.int64],
) -> Band:
    first, last = level.window

    def weight(end: NDArray[np.int64]) -> NDArray[np.float64]:
        places = np.minimum(last + 1, start[end] + times[end]) - np.maximum(first, start[end])
        return np.asarray(places / times[end])

    total = np.full(low.size, float(last - first + 1))
    return Band(losses[low], losses[high], weight(low), weight(high), total)


@dataclass(frozen=True)
class Tail:
    """Measures of every portfolio at a few confidence levels; losses are positive, as in ``risk``.

    Of simulated scenarios they are what the functions of ``risk`` of the same names return on all losses, of
    shape (portfolios,); of enumerated days see ``order_weights``.
    """

    levels: dict[float, TailAt]

    def at(self, confidence: float) -> TailAt:
        """Return everything at one level; ValueError for one that was not simulated for."""
        if confidence not in self.levels:
            raise ValueError(f"measures are known at {sorted(self.levels)}, not at {confidence}")
        return self.levels[confidence]

    def value_at_risk(self, confidence: float) -> NDArray[np.float64]:
        """Return the value-at-risk of every portfolio, of shape (portfolios,)."""
        return self.at(confidence).value_at_risk

    def expected_shortfall(self, confidence: float) -> NDArray[np.float64]:
        """Return the expected shortfall of every portfolio, of shape (portfolios,)."""
        return self.at(confidence).expected_shortfall

    def value_at_risk_error(self, confidence: float) -> NDArray[np.float64]:
        """Return the standard error of the value-at-risk, of shape (portfolios,)."""
        return self.at(confidence).value_at_risk_error

    def expected_shortfall_error(self, confidence: float) -> NDArray[np.float64]:
        """Return the standard error of the expected shortfall, of shape (portfolios,)."""
        return self.at(confidence).expected_shortfall_error


def part_of(tail: Tail, portfolios: slice) -> Tail:
    """Return the tails of some of the portfolios."""
    return Tail({level: each.part(portfolios) for level, each in tail.levels.items()})


def joined(tails: Sequence[Tail]) -> Tail:
    """Return the tails of several groups of portfolios as one, in the order given."""
    return Tail({level: TailAt.joined([each.levels[level] for each in tails]) for level in tails[0].levels})
