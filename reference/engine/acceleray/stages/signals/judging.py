"""From signals to ranks in three maps over Ray: each signal alone, what it adds to others, the bootstrap.

On the sample one process would do; with thousands of instruments, or many replications, it would not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.fanout import FanOut
from acceleray.quant.bootstrap import percentile_interval
from acceleray.quant.multiple_testing import benjamini_hochberg, benjamini_yekutieli
from acceleray.runtime.progress import Reporter
from acceleray.settings import Settings
from acceleray.stages.signals.decisions import DECISIONS, Evidence, decide
from acceleray.stages.signals.inputs import Inputs
from acceleray.stages.signals.measures import (
    Examined,
    Measured,
    Terms,
    correlate,
    examine,
    marginal,
    resample,
)
from acceleray.stages.signals.rows import Rank

# A week day by day, then ever wider steps up to twice the longest horizon.
_FIRST_AHEAD_D, _STEP = 5, 1.25
# Replications of one task, each of which draws all signals: so many that Ray's own share is small.
_BATCH = 250

# For each signal (by position) and horizon: how many signals are before it, and the rank IC and t it adds.
Marginals = dict[tuple[int, int], tuple[int, float, float]]
# For each horizon the lower and the upper ends of the intervals of all signals.
Intervals = dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]


@dataclass(frozen=True)
class Judged:
    """All signals at all horizons in order, and what they were judged on.

    Attributes:
        ranks: by decision, then by |t|.
        examined: each signal on its own.
        ahead_d: the days ahead of its decay.
        correlations: mean rank correlations of each signal with those after it.
    """

    ranks: tuple[Rank, ...]
    examined: tuple[Examined, ...]
    ahead_d: tuple[int, ...]
    correlations: tuple[list[float], ...]


def judge(
    inputs: Inputs,
    settings: Settings,
    source: str,
    fan_out: FanOut,
    reporter: Reporter,
    batch: int = _BATCH,
) -> Judged:
    """Return what signals are worth; the same numbers for any number of workers and any batch."""
    chosen = settings.signals
    horizons = tuple(sorted(set(chosen.horizons_d)))
    terms = Terms(horizons, _ahead(2 * horizons[-1]), chosen.quantiles, chosen.cost_bp)
    shared = [fan_out.share(each) for each in (inputs.signals, inputs.prices, terms)]
    positions = range(len(inputs.names))
    done = reporter.counter(len(positions), "signals examined")
    examined = tuple(fan_out.map(examine, positions, shared, done))
    correlations = tuple(fan_out.map(correlate, positions, shared))
    tasks = _orders(examined, horizons)
    done = reporter.counter(len(tasks), "marginal rank ICs")
    added = fan_out.map(marginal, tasks, shared[:2], done)
    marginals: Marginals = {
        (position, horizon_d): (len(before), *found)
        for (position, horizon_d, before), found in zip(tasks, added, strict=True)
    }
    intervals = _intervals(examined, horizons, settings, fan_out, reporter, batch)
    cases = [(position, measured) for position, each in enumerate(examined) for measured in each.horizons]
    ranks = _ranked(inputs, examined, cases, marginals, intervals, settings, source)
    return Judged(tuple(sorted(ranks, key=_order)), examined, terms.ahead_d, correlations)


def _ahead(longest: int) -> tuple[int, ...]:
    days = [float(day) for day in range(1, _FIRST_AHEAD_D + 1)]
    while days[-1] < longest:
        days.append(days[-1] * _STEP)
    return tuple(sorted({min(round(day), longest) for day in days}))


def _orders(
    examined: Sequence[Examined], horizons: tuple[int, ...]
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return each signal and horizon with the signals before it: those with a larger |t| at that horizon."""
    tasks: list[tuple[int, int, tuple[int, ...]]] = []
    for place, horizon_d in enumerate(horizons):
        strength = {position: abs(each.horizons[place].t) for position, each in enumerate(examined)}
        known = [position for position in strength if np.isfinite(strength[position])]
        # Sorting keeps the order of columns where two are equal, as those of a copy are.
        order = sorted(known, key=lambda position: -strength[position])
        tasks += [(position, horizon_d, tuple(order[:rank])) for rank, position in enumerate(order)]
    return tasks


def _intervals(
    examined: Sequence[Examined],
    horizons: tuple[int, ...],
    settings: Settings,
    fan_out: FanOut,
    reporter: Reporter,
    batch: int,
) -> Intervals:
    chosen = settings.signals
    daily = {}
    for place, horizon_d in enumerate(horizons):
        values = np.column_stack([each.horizons[place].daily for each in examined])
        daily[horizon_d] = values[np.isfinite(values).any(axis=1)]
    tasks = [
        (horizon_d, first, min(first + batch, chosen.replications))
        for horizon_d in horizons
        if daily[horizon_d].size
        for first in range(0, chosen.replications, batch)
    ]
    done = reporter.counter(len(tasks), "batches of replications")
    drawn = fan_out.map(resample, tasks, (daily,), done, seed=settings.seed, block_d=chosen.block_d)
    means: dict[int, list[NDArray[np.float64]]] = {horizon_d: [] for horizon_d in horizons}
    for (horizon_d, _, _), part in zip(tasks, drawn, strict=True):
        means[horizon_d].append(part)
    nothing = np.full(len(examined), np.nan)
    return {
        horizon_d: percentile_interval(np.concatenate(parts)) if parts else (nothing, nothing)
        for horizon_d, parts in means.items()
    }


def _ranked(
    inputs: Inputs,
    examined: Sequence[Examined],
    cases: Sequence[tuple[int, Measured]],
    marginals: Marginals,
    intervals: Intervals,
    settings: Settings,
    source: str,
) -> list[Rank]:
    # All tests of the run are one family: three horizons give three chances to be lucky.
    p_values = np.array([measured.p_value for _, measured in cases])
    hochberg, yekutieli = benjamini_hochberg(p_values), benjamini_yekutieli(p_values)
    ranks = []
    for (position, measured), q_hochberg, q_yekutieli in zip(cases, hochberg, yekutieli, strict=True):
        before, added, added_t = marginals.get((position, measured.horizon_d), (0, np.nan, np.nan))
        low, high = (float(side[position]) for side in intervals[measured.horizon_d])
        found = Evidence(
            rank_ic=measured.rank_ic,
            low=low,
            high=high,
            t=measured.t,
            p_value=measured.p_value,
            q_hochberg=float(q_hochberg),
            q_yekutieli=float(q_yekutieli),
            net_information_ratio=measured.net_information_ratio,
            marginal_t=added_t,
            direction=measured.direction,
            tests=int(np.isfinite(p_values).sum()),
            before=before,
        )
        name, half_life_d = inputs.names[position], examined[position].half_life_d
        ranks.append(Rank(name, measured, half_life_d, found, added, *decide(found, settings, source)))
    return ranks


def _order(rank: Rank) -> tuple[int, float, str, int]:
    strength = abs(rank.measured.t) if np.isfinite(rank.measured.t) else -1.0
    return DECISIONS.index(rank.decision), -strength, rank.signal, rank.measured.horizon_d
