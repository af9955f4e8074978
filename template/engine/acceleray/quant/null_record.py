"""Null distribution of the tests of a record under a correct model, simulated, with window error.

A right model knows the law of tomorrow's standardised loss, up to what it must estimate: here the quantile
and the shortfall, from a window of past losses of that law, as filtered historical simulation does. So each
simulated record draws independent losses from Student's t, estimates both again every `REFRESH_D` days from
the window before, and is tested like the real one. P-values from these records hold at any number of days
and any tail, and allow for estimation error; asymptotic ones do neither.

Each record has its stream, so a longer record extends a shorter one: `null_path` follows it
over the refreshes that are over, which stay as they are, and only the days since the last one are new. The
law of T days is exact for every T.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.dynamic_quantile import dynamic_quantile_of
from acceleray.quant.null_path import BATCH, NullLaw, NullPath, counted, follow, open_days
from acceleray.quant.shortfall_tests import FEWEST

__all__ = ["BATCH", "NullLaw", "NullRecords", "lower_p", "records_of", "two_sided_p", "upper_p"]


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


def simulate_records(records: int, law: NullLaw, forecasts: NDArray[np.float64], seed: int) -> NullRecords:
    """Return the statistics of so many records; a record depends on the seed, its number and the law alone.

    ``forecasts`` (days,) are the real value-at-risk forecasts, which the dynamic quantile test looks at.
    """
    paths = [follow((law.begun, batch), seed) for batch in range(-(-records // BATCH))]
    return records_of(paths, records, law, [forecasts], seed)[0]


def records_of(
    paths: Sequence[NullPath],
    records: int,
    law: NullLaw,
    forecasts: Sequence[NDArray[np.float64]],
    seed: int,
) -> list[NullRecords]:
    """Return the statistics of the first so many records under one law, for several series of forecasts.

    ``paths`` are those of ``law.begun``, batch by batch. Only the dynamic quantile test looks at forecasts.
    """
    path = NullPath.joined(paths)
    ended = counted(open_days(len(paths) * BATCH, law, path.edges, seed), path.edges[:, :, np.newaxis], law)
    together = np.concatenate((path.record, ended.record)).astype(np.int64)
    days = np.concatenate((path.day, ended.day)).astype(np.int64)
    order = np.lexsort((days, together))
    order = order[together[order] < records]
    record, day = together[order], days[order]
    exceeded = (path.exceeded + ended.exceeded)[:records]
    total, squares = (path.sums + ended.sums)[:, :records]
    # The sum of loss / shortfall over exceedances is that of residuals, and one for each.
    z2 = 1.0 - (total + exceeded) / (law.days * (1.0 - law.es_confidence))
    found = np.bincount(record, minlength=records).astype(np.float64)
    residual = _in_errors(exceeded, total, squares)
    return [
        NullRecords(
            found,
            dynamic_quantile_of(record, day, records, each, law.var_confidence),
            z2,
            residual,
        )
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
