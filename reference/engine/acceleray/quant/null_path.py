"""Simulated records of a right model, followed over the refreshes that are over.

A record is known by its number: its losses are the numbers of its stream, the window before the first
day first. So a path over more days begins with the path over fewer, to the bit, and what has been followed
once need not be followed again. Only losses in the tail are made: a bound that too many losses would have to
stay below is checked in every window, and lowered where it does not hold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.streams import Purpose, Stream
from acceleray.quant.student_tail import TAIL_FROM, probability, quantiles, shortfall, tail_quantiles

REFRESH_D = 50
"""Days after which the window of a simulated record is looked at again."""
BATCH = 250
"""Records that are followed together."""
# Standard deviations by which the losses above the bound of a tail are more than a window needs.
_SPARE = 5.5
# Of records followed together: what is beyond the bound in a record, ranked, is some megabytes.
_RANKED = 4


@dataclass(frozen=True)
class NullLaw:
    """Parameters of the null distribution of the tests.

    days: out of sample. window: losses the model looks back at, 0 for one that knows quantile and shortfall.
    before: losses there were before the first day, at most a window. nu: degrees of freedom of a loss.
    """

    days: int
    window: int
    before: int
    nu: float
    var_confidence: float
    es_confidence: float

    @property
    def past(self) -> int:
        """Return the losses that are drawn before the first day."""
        return self.before if self.window else 0

    @property
    def begun(self) -> "NullLaw":
        """Return the law up to the refresh that is in force on the last day."""
        return replace(self, days=self.days - self.days % REFRESH_D)


@dataclass(frozen=True)
class Tail:
    """Losses of records beyond a bound, in the order of records and days; arrays are of shape (losses,).

    ``day`` counts from the first day of the record.
    """

    records: int
    record: NDArray[np.int64]
    day: NDArray[np.int64]
    loss: NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """Outcomes of some days: exceptions by record and day, and sums over exceedances by record."""

    record: NDArray[np.uint32]
    day: NDArray[np.uint32]
    exceeded: NDArray[np.int64]
    sums: NDArray[np.float64]


@dataclass(frozen=True)
class NullPath(Counted):
    """State of records up to a refresh, and the estimates (3, records) from there on.

    Attributes:
        record: (exceptions,) its number; in order.
        day: (exceptions,) of the record, ascending within it.
        exceeded: (records,) days with a loss beyond the threshold of the shortfall.
        sums: (2, records) of exceedance residuals, and of their squares.
        edges: (3, records) value-at-risk, threshold and shortfall.
    """

    edges: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: "Sequence[NullPath]") -> "NullPath":
        """Return the paths of several batches, in their order."""
        return cls(
            record=np.concatenate([each.record for each in parts]),
            day=np.concatenate([each.day for each in parts]),
            exceeded=np.concatenate([each.exceeded for each in parts]),
            sums=np.concatenate([each.sums for each in parts], axis=1),
            edges=np.concatenate([each.edges for each in parts], axis=1),
        )


def follow(task: tuple[NullLaw, int], seed: int) -> NullPath:
    """Return the paths of one batch of records over all days of a law, a multiple of `REFRESH_D`."""
    law, batch = task
    if law.window:
        ranked = _ranked(batch, replace(law, nu=math.inf), seed)
        record, day, losses = ranked.record, ranked.day, _losses(ranked.drawn, law.nu)
        edges = _estimated(ranked, losses, law)
    else:
        levels = [law.var_confidence, law.es_confidence]
        record, day, drawn = _drawn(batch, law, seed, min(levels))
        losses = _losses(drawn, law.nu)
        known = [*quantiles(np.array(levels), law.nu).tolist(), shortfall(law.nu, law.es_confidence)]
        edges = np.broadcast_to(np.array(known)[:, np.newaxis, np.newaxis], (3, BATCH, 1))
    some = day >= 0
    tail = Tail(BATCH, record[some], day[some], losses[some])
    found = counted(tail, edges, law)
    first = np.uint32(batch * BATCH)
    return NullPath(found.record + first, found.day, found.exceeded, found.sums, np.array(edges[:, :, -1]))


def open_days(records: int, law: NullLaw, edges: NDArray[np.float64], seed: int) -> Tail:
    """Return the losses since the last refresh of the first so many records, as far as ``edges`` see them."""
    begun = law.begun.days
    days = law.days - begun
    drawn = np.empty((records, days))
    for number in range(records):
        stream = Stream(seed, number, Purpose.NULL_RECORD, law.past + begun)
        drawn[number] = stream.uniforms(days)
    bound = probability(float(edges[:2].min()), law.nu) * (1.0 - 1e-9)
    record, day = np.nonzero(drawn > bound)
    return Tail(records, record, day + begun, _losses(drawn[record, day], law.nu))


def counted(tail: Tail, edges: NDArray[np.float64], law: NullLaw) -> Counted:
    """Return what losses do at estimates (3, records, refreshes), the last of them for all later days."""
    refresh = np.minimum(tail.day // REFRESH_D, edges.shape[2] - 1)
    var, threshold, mean = edges[:, tail.record, refresh]
    exception, beyond = tail.loss > var, tail.loss > threshold
    record, day = tail.record[exception], tail.day[exception]
    exceeding = tail.record[beyond]
    residual = tail.loss[beyond] / mean[beyond] - 1.0
    sums = [np.bincount(exceeding, each, minlength=tail.records) for each in (residual, residual * residual)]
    exceeded = np.bincount(exceeding, minlength=tail.records)
    return Counted(record.astype(np.uint32), day.astype(np.uint32), exceeded, np.array(sums))


@dataclass(frozen=True)
class _Ranked:
    """Numbers of records beyond a bound (numbers,), in the order of records and days, and which rank where.

    ``top`` has, for each refresh, the places of the largest of its window, (records, kept), largest first.
    """

    record: NDArray[np.int64]
    day: NDArray[np.int64]
    drawn: NDArray[np.float64]
    top: list[NDArray[np.int64]]


def _estimated(ranked: _Ranked, losses: NDArray[np.float64], law: NullLaw) -> NDArray[np.float64]:
    """Return value-at-risk, threshold and shortfall from each refresh on, (3, records, refreshes)."""
    found = np.empty((3, BATCH, len(ranked.top)))
    for refresh, top in enumerate(ranked.top):
        largest = losses[top]
        for place, weights in enumerate(_weights(_size(law, refresh), law)):
            found[place, :, refresh] = weighted_losses(largest, weights)
    return found


@lru_cache(maxsize=_RANKED)
def _ranked(batch: int, law: NullLaw, seed: int) -> _Ranked:
    """Return what no tail decides: which numbers of a batch rank in the windows of a law."""
    sizes = [_size(law, refresh) for refresh in range(law.days // REFRESH_D + 1)]
    kept = [max(each.size for each in _weights(size, law)) for size in sizes]
    share = max(_share(size, count) for size, count in zip(sizes, kept, strict=True))
    while True:
        record, day, drawn = _drawn(batch, law, seed, 1.0 - share)
        rows = day + law.past
        length = law.past + law.days
        ends = np.array([law.past + refresh * REFRESH_D for refresh in range(len(sizes))])
        key, begin = record * (length + 1) + rows, (np.arange(BATCH) * (length + 1))[:, np.newaxis]
        to, since = (np.searchsorted(key, begin + each) for each in (ends, ends - sizes))
        if bool(np.all(to - since >= kept)):
            break
        # Too few of some window lie beyond the bound.
        share = 2.0 * share
    first, last = np.searchsorted(record, [np.arange(BATCH), np.arange(1, BATCH + 1)])
    padded = np.full((BATCH, int((last - first).max())), -1.0)
    padded[record, np.arange(record.size) - first[record]] = drawn
    order = np.argsort(-padded, axis=1, kind="stable")
    rank = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(rank, order, np.arange(order.shape[1], dtype=np.int32)[np.newaxis], axis=1)
    of_number = rank[record, np.arange(record.size) - first[record]]
    places = first[:, np.newaxis] + order
    top = []
    for refresh, count in enumerate(kept):
        inside = since[:, refresh, np.newaxis] + np.arange(int((to - since)[:, refresh].max()))
        ranks = np.where(
            inside < to[:, refresh, np.newaxis],
            of_number[np.minimum(inside, record.size - 1)],
            order.shape[1],
        )
        top.append(np.take_along_axis(places, np.sort(ranks, axis=1)[:, :count], axis=1))
    return _Ranked(record, day, drawn, top)


def _drawn(
    batch: int, law: NullLaw, seed: int, bound: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return record within the batch, day and number of all above a bound, those before the first day too."""
    days, drawn = [], []
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        numbers = Stream(seed, number, Purpose.NULL_RECORD).uniforms(law.past + law.days)
        some = np.flatnonzero(numbers > bound)
        days.append(some - law.past)
        drawn.append(numbers[some])
    record = np.repeat(np.arange(BATCH), [each.size for each in days])
    return record, np.concatenate(days), np.concatenate(drawn)


def _losses(drawn: NDArray[np.float64], nu: float) -> NDArray[np.float64]:
    if drawn.size and float(drawn.min()) > TAIL_FROM:
        return tail_quantiles(drawn, nu)
    return quantiles(drawn, nu)


def _size(law: NullLaw, refresh: int) -> int:
    return min(law.window, law.past + refresh * REFRESH_D)


def _share(size: int, kept: int) -> float:
    """Return how much of the law must be made so that a window surely has enough of it."""
    return ((_SPARE + math.sqrt(_SPARE * _SPARE + 4.0 * kept)) / 2.0) ** 2 / size


def _weights(size: int, law: NullLaw) -> tuple[NDArray[np.float64], ...]:
    return (
        quantile_weights(size, law.var_confidence),
        quantile_weights(size, law.es_confidence),
        shortfall_weights(size, law.es_confidence),
    )
