"""Rows of the signals' tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from acceleray.stages.signals.decisions import Evidence
from acceleray.stages.signals.inputs import Inputs
from acceleray.stages.signals.measures import Examined, Measured


@dataclass(frozen=True)
class Rank:
    """One signal at one horizon, judged; `marginal_rank_ic` is what it adds to the signals before it."""

    signal: str
    measured: Measured
    half_life_d: float
    evidence: Evidence
    marginal_rank_ic: float
    decision: str
    reason: str


def rank_rows(ranks: Sequence[Rank]) -> pa.Table:
    """Return the rows of gold.signal_ranks; the position is the place in `ranks`."""
    return pa.table(
        {
            "signal_id": [rank.signal for rank in ranks],
            "horizon_d": [rank.measured.horizon_d for rank in ranks],
            "position": list(range(1, len(ranks) + 1)),
            "decision": [rank.decision for rank in ranks],
            "reason": [rank.reason for rank in ranks],
            "direction": [rank.measured.direction for rank in ranks],
            "dates": [rank.measured.days for rank in ranks],
            "rank_ic": [rank.measured.rank_ic for rank in ranks],
            "rank_ic_low": [rank.evidence.low for rank in ranks],
            "rank_ic_high": [rank.evidence.high for rank in ranks],
            "icir": [rank.measured.icir for rank in ranks],
            "t_newey_west": [rank.measured.t for rank in ranks],
            "p_value": [rank.measured.p_value for rank in ranks],
            "q_benjamini_hochberg": [rank.evidence.q_hochberg for rank in ranks],
            "q_benjamini_yekutieli": [rank.evidence.q_yekutieli for rank in ranks],
            "half_life_d": [rank.half_life_d for rank in ranks],
            "quantile_spread": [rank.measured.spread for rank in ranks],
            "turnover": [rank.measured.turnover for rank in ranks],
            "net_information_ratio": [rank.measured.net_information_ratio for rank in ranks],
            "marginal_rank_ic": [rank.marginal_rank_ic for rank in ranks],
            "marginal_t": [rank.evidence.marginal_t for rank in ranks],
        }
    )


def decay_rows(names: Sequence[str], examined: Sequence[Examined], ahead_d: Sequence[int]) -> pa.Table:
    """Return the rows of gold.signal_decay."""
    return pa.table(
        {
            "signal_id": [name for name in names for _ in ahead_d],
            "ahead_d": [day for _ in names for day in ahead_d],
            "rank_ic": np.concatenate([each.ahead for each in examined]),
        }
    )


def year_rows(inputs: Inputs, examined: Sequence[Examined]) -> pa.Table:
    """Return the rows of gold.signal_years; a year without a rank IC has none."""
    years = inputs.dates.astype("datetime64[Y]").astype(np.int64) + 1970
    rows = []
    for name, each in zip(inputs.names, examined, strict=True):
        for measured in each.horizons:
            known = np.isfinite(measured.daily)
            for year in np.unique(years[known]):
                daily = measured.daily[known & (years == year)]
                rows.append((name, measured.horizon_d, int(year), daily.size, float(daily.mean())))
    columns = zip(*rows, strict=True) if rows else ((),) * 5
    types = (pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.float64())
    labels = ("signal_id", "horizon_d", "year", "dates", "rank_ic")
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    return pa.table(arrays, names=labels)


def correlation_rows(names: Sequence[str], correlations: Sequence[Sequence[float]]) -> pa.Table:
    """Return the rows of gold.signal_correlations, from each signal's correlations with those after it."""
    pairs = [
        (name, other, value)
        for place, name in enumerate(names)
        for other, value in zip(names[place + 1 :], correlations[place], strict=True)
    ]
    return pa.table(
        {
            "signal_id": [name for name, _, _ in pairs],
            "other_signal_id": [other for _, other, _ in pairs],
            "rank_correlation": [value for _, _, value in pairs],
        }
    )
