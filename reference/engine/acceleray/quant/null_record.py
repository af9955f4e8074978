"""What tests of a record say where the model is right: their law, simulated, with the error of the window.

A right model knows the law of tomorrow's standardised loss, up to what it must estimate: here the quantile
and the shortfall, from a window of past losses of that law, as filtered historical simulation does. So each
simulated record draws independent losses from Student's t, estimates both anew every `REFRESH_D` days from
the window before, and is tested like the real one. P-values from these records hold at any number of days
and any tail, and allow for estimation error; asymptotic ones do neither.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.dynamic_quantile import dynamic_quantile
from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.risk import largest_first
from acceleray.quant.shortfall_tests import FEWEST
from acceleray.quant.streams import Purpose, uniforms
from acceleray.quant.student_tail import quantiles, shortfall

# Days after which the window of a simulated record is looked at again, and the losses of them that may rank:
# eleven of fifty beyond 97.5 % come once in ten million records.
REFRESH_D, _RANKING = 50, 10
# Losses below this quantile matter to no measure: they are not made, unless a level lies below `_HIGH`.
_TAIL_FROM, _HIGH = 0.85, 0.95
# Records of one batch, the unit of random numbers.
BATCH = 250


@dataclass(frozen=True)
class NullLaw:
    """What decides the law of the tests.

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
    def high(self) -> bool:
        """Return whether both levels are so high that only a tail of the losses matters."""
        return min(self.var_confidence, self.es_confidence) >= _HIGH


@dataclass(frozen=True)
class NullRecords:
    """Statistics of simulated records, each of shape (records,); NaN where a record has too little to test.

    exceptions at the confidence of value-at-risk; dynamic_quantile and z2 as in their modules; residual is
    the mean of exceedance residuals in standard errors.
    """

    exceptions: NDArray[np.float64]
    dynamic_quantile: NDArray[np.float64]
    z2: NDArray[np.float64]
    residual: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: "list[NullRecords]") -> "NullRecords":
        """Return the records of several batches as one, in the order given."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


def batches(records: int) -> list[tuple[int, int]]:
    """Return (batch, number of its records) for so many records."""
    return [(first // BATCH, min(BATCH, records - first)) for first in range(0, records, BATCH)]


def simulate_records(
    batch: tuple[int, int], law: NullLaw, forecasts: NDArray[np.float64], seed: int
) -> NullRecords:
    """Return the statistics of one batch of records; it depends on seed and batch alone.

    ``forecasts`` (days,) are the real value-at-risk forecasts, which the dynamic quantile test looks at.
    """
    return simulate_shared_records(batch, law, [forecasts], seed)[0]


def simulate_shared_records(
    batch: tuple[int, int], law: NullLaw, forecasts: Sequence[NDArray[np.float64]], seed: int
) -> list[NullRecords]:
    """Return the same for several series of forecasts (days,) under one law, from the same simulated records.

    Only the dynamic quantile test looks at forecasts: all else is simulated once.
    """
    number, count = batch
    padding = -law.before % REFRESH_D if law.window else 0
    length = (law.before if law.window else 0) + padding + law.days
    drawn = uniforms(seed, number, Purpose.NULL_RECORD, count * length).reshape(count, length)
    losses = np.full((count, length), -np.inf)
    tail = drawn > (_TAIL_FROM if law.high else 0.0)
    losses[tail] = quantiles(drawn[tail], law.nu)
    tested = losses[:, length - law.days :]
    if law.window:
        edges = _estimated(losses, law, padding)
    else:
        exact = [
            float(quantiles(np.array([each]), law.nu)[0]) for each in (law.var_confidence, law.es_confidence)
        ]
        edges = np.array([*exact, shortfall(law.nu, law.es_confidence)])[:, None, None]
        edges = np.broadcast_to(edges, (3, count, 1))
    refresh = REFRESH_D if law.window else law.days
    exceptions = np.zeros(tested.shape, dtype=np.bool_)
    exceeded = np.zeros(count, dtype=np.int64)
    sums = np.zeros((2, count))
    for step, first in enumerate(range(0, law.days, refresh)):
        some = tested[:, first : first + refresh]
        var, threshold, mean = edges[:, :, step, None]
        exceptions[:, first : first + refresh] = some > var
        beyond = some > threshold
        residual = np.where(beyond, some / mean - 1.0, 0.0)
        exceeded += beyond.sum(axis=1)
        sums += [residual.sum(axis=1), (residual * residual).sum(axis=1)]
    counted = exceptions.sum(axis=1).astype(np.float64)
    # The sum of loss / shortfall over exceedances is that of residuals, and one for each.
    z2 = 1.0 - (sums[0] + exceeded) / (law.days * (1.0 - law.es_confidence))
    residual = _in_errors(exceeded, sums[0], sums[1])
    return [
        NullRecords(counted, dynamic_quantile(exceptions, each, law.var_confidence), z2, residual)
        for each in forecasts
    ]


def upper_p(found: float, null: NDArray[np.float64]) -> float:
    """Return the share of records at least as large, the found one counted in; NaN without a statistic."""
    known = null[np.isfinite(null)]
    if not math.isfinite(found) or not known.size:
        return math.nan
    # A statistic that is whole or nearly so in both must not miss its equals by rounding.
    return float((1 + np.sum(known >= found - 1e-12 * abs(found))) / (1 + known.size))


def lower_p(found: float, null: NDArray[np.float64]) -> float:
    """Return the share of records at least as small, otherwise as ``upper_p``."""
    return upper_p(-found, -null)


def two_sided_p(found: float, null: NDArray[np.float64]) -> float:
    """Return twice the smaller of both shares, at most one."""
    return min(1.0, 2.0 * min(upper_p(found, null), lower_p(found, null)))


def _estimated(losses: NDArray[np.float64], law: NullLaw, padding: int) -> NDArray[np.float64]:
    """Return value-at-risk, threshold and shortfall at every refresh, of shape (3, records, refreshes)."""
    count, length = losses.shape
    first = length - law.days
    chunks = losses[:, : length - length % REFRESH_D].reshape(count, -1, REFRESH_D)
    left_out = REFRESH_D - _RANKING if law.high else 0
    ranking = np.partition(chunks, left_out, axis=2)[:, :, left_out:]
    refreshes = range(first // REFRESH_D, -(-length // REFRESH_D))
    found = np.empty((3, count, len(refreshes)))
    together = max(1, round(law.window / REFRESH_D))
    for step, chunk in enumerate(refreshes):
        oldest = max(chunk - together, 0)
        size = (chunk - oldest) * REFRESH_D - (padding if oldest == 0 else 0)
        weights = (
            quantile_weights(size, law.var_confidence),
            quantile_weights(size, law.es_confidence),
            shortfall_weights(size, law.es_confidence),
        )
        kept = max(each.size for each in weights)
        pool = ranking[:, oldest:chunk].reshape(count, -1)
        top = largest_first(np.partition(pool, pool.shape[1] - kept, axis=1)[:, pool.shape[1] - kept :])
        found[:, :, step] = [weighted_losses(top, each) for each in weights]
    return found


def _in_errors(
    count: NDArray[np.int64], total: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    enough = count >= FEWEST
    size = np.where(enough, count, 2)
    mean = total / size
    variance = np.maximum(squares - size * mean * mean, 0.0) / (size - 1)
    found = np.full(count.shape, np.nan)
    usable = enough & (variance > 0.0)
    found[usable] = mean[usable] / np.sqrt(variance[usable] / size[usable])
    return found
