"""Limits of a portfolio before and after trades that nobody has made: what a what-if is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from acceleray.stages.limits.definitions import Limit, Limits
from acceleray.stages.limits.file import ALL
from acceleray.stages.limits.observed import Facts
from acceleray.stages.limits.rows import utilised
from acceleray.stages.limits.utilisation import NOT_EVALUATED
from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL
from acceleray.stages.what_if.facts import Exposed, LimitState
from acceleray.tables import (
    ACTIVE_RISK,
    GROUP_RISK,
    PORTFOLIO_LIQUIDITY,
    PORTFOLIO_SCORES,
    PORTFOLIOS,
    POSITIONS,
    RISK_MEASURES,
    STRESS_LOSSES,
    Table,
)

_EMPTY = (GROUP_RISK, ACTIVE_RISK, STRESS_LOSSES, PORTFOLIO_SCORES, PORTFOLIO_LIQUIDITY)


def limits_on_trades(limits: Limits) -> Callable[[Exposed], Sequence[LimitState]]:
    """Return what says how much of its limits a portfolio would use.

    Of those that count on its date, the ones that the answer holds numbers for: value at risk and expected
    shortfall, exposures, and weights of instruments. Stress losses and other groups need a run.
    """

    def states(exposed: Exposed) -> tuple[LimitState, ...]:
        on = [each for each in limits.on(exposed.as_of) if each.portfolio in (ALL, exposed.portfolio_id)]
        facts = _facts(exposed)
        found = [(each, utilised([each], facts, {}).to_pylist()[0]) for each in on]
        return tuple(
            LimitState(each.limit_id, _words(each), row["utilisation_pct"], row["state"])
            for each, row in found
            if row["state"] != NOT_EVALUATED
        )

    return states


def _facts(exposed: Exposed) -> Facts:
    of = {"portfolio_id": exposed.portfolio_id, "currency": exposed.currency}
    risk = [
        of | {"method": FILTERED_HISTORICAL, "measure": measure, "horizon_d": days, "value_pct_nav": value}
        for (measure, days), value in exposed.risk_pct_nav.items()
    ]
    held = [
        of | {"instrument_id": name, "weight": weight} for name, weight in sorted(exposed.weights.items())
    ]
    rows = {table.label: table.arrow_schema.empty_table() for table in _EMPTY}
    rows |= {RISK_MEASURES.label: _rows(RISK_MEASURES, risk), POSITIONS.label: _rows(POSITIONS, held)}
    return Facts(_rows(PORTFOLIOS, [of | {"nav": exposed.nav}]), rows)


def _rows(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows with NULL in every column that is not given."""
    fields = [pa.field(field.name, field.type) for field in table.arrow_schema]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def _words(limit: Limit) -> str:
    words = [limit.measure.words.lower()]
    if limit.horizon_d is not None:
        words.append(f"{limit.horizon_d} d")
    if limit.group is not None:
        words.append(f"{limit.group} {limit.group_value or 'any'}")
    return f"{', '.join(words)}, at most {limit.amount.value:,.6g} {limit.amount.unit}"
