"""Rows of gold.limit_utilisation from limits and what they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from acceleray.engines.handoff.arrays import column
from acceleray.stages.limits.amounts import DAYS, PERCENT
from acceleray.stages.limits.definitions import Limit
from acceleray.stages.limits.file import ALL
from acceleray.stages.limits.observed import Facts, observe
from acceleray.stages.limits.utilisation import states, utilisation
from acceleray.stages.stress.rows import joined, typed
from acceleray.tables import LIMIT_UTILISATION


@dataclass(frozen=True)
class Before:
    """The use of a limit by a portfolio in the newest earlier run that had the limit."""

    as_of: date
    utilisation_pct: float | None


Key = tuple[str, str]
"""Limit id and portfolio id."""


def utilised(limits: Iterable[Limit], facts: Facts, before: Mapping[Key, Before]) -> pa.Table:
    """Return a row for each limit and portfolio that it is on, without the columns of the run."""
    return joined(LIMIT_UTILISATION, [_of_limit(each, facts, before) for each in limits])


def _of_limit(limit: Limit, facts: Facts, before: Mapping[Key, Before]) -> pa.Table:
    found, ids = observe(limit, facts), facts.ids
    values, reasons = found.values.copy(), found.reasons.copy()
    if limit.amount.unit not in (PERCENT, DAYS):
        values = values * column(facts.portfolios, "nav") / 100.0
        currencies = column(facts.portfolios, "currency").astype(object)
        for place in np.flatnonzero((currencies != limit.amount.unit) & (reasons == "")):
            values[place] = np.nan
            reasons[place] = f"the limit is in {limit.amount.unit} and the portfolio in {currencies[place]}"
    used = utilisation(values, limit.amount.value, limit.measure.sign)
    on = np.arange(len(ids)) if limit.portfolio == ALL else np.flatnonzero(ids == limit.portfolio)
    count, earlier = on.size, [before.get((limit.limit_id, ids[place])) for place in on]
    return typed(
        LIMIT_UTILISATION,
        {
            "limit_id": [limit.limit_id] * count,
            "portfolio_id": ids[on],
            "measure": [limit.measure.name] * count,
            "horizon_d": [limit.horizon_d] * count,
            "method": [limit.method] * count,
            "scenario_id": found.scenarios[on],
            "group_column": [limit.group] * count,
            "group_value": found.groups[on],
            "unit": [limit.amount.unit] * count,
            "value": _or_none(values[on]),
            "limit_value": np.full(count, limit.amount.value),
            "utilisation_pct": _or_none(used[on]),
            "warning_pct": np.full(count, 100.0 * limit.warning),
            "state": states(used[on], limit.warning),
            "reason": reasons[on],
            "owner": [limit.owner] * count,
            "as_of_before": [each.as_of if each else None for each in earlier],
            "utilisation_before_pct": [each.utilisation_pct if each else None for each in earlier],
        },
    )


def _or_none(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
