"""Rows of the stress tables from the outcomes of scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.quant.stress import weighted_sums
from acceleray.stages.book.book import Book
from acceleray.stages.stress.outcome import PROXIED, Outcome
from acceleray.tables import STRESS_ASSUMPTIONS, STRESS_LOSSES, STRESS_RETURNS, STRESS_SCENARIOS
from acceleray.tables.contract import Table


def typed(table: Table, columns: Mapping[str, Any]) -> pa.Table:
    """Return columns as an Arrow table with the types that `table` declares, also where there is no row."""
    fields = [field for field in table.arrow_schema if field.name in columns]
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in fields})


def scenarios(outcomes: tuple[Outcome, ...]) -> pa.Table:
    """Return every scenario, run or not."""
    return typed(
        STRESS_SCENARIOS,
        {
            "scenario_id": [each.scenario.scenario_id for each in outcomes],
            "title": [each.scenario.title for each in outcomes],
            "kind": [each.scenario.kind for each in outcomes],
            "origin": [each.scenario.origin for each in outcomes],
            "status": ["not run" if each.reason else "run" for each in outcomes],
            "reason": [each.reason for each in outcomes],
            "first_date": [each.first for each in outcomes],
            "last_date": [each.last for each in outcomes],
            "distance": [each.distance.value for each in outcomes],
            "horizon_m": [each.distance.horizon_m for each in outcomes],
            "distance_factors": [each.distance.factors for each in outcomes],
            "normal_tail": [each.distance.normal_tail for each in outcomes],
            "ended_factors": [", ".join(each.model.ended) if each.model else "" for each in outcomes],
            "months": [each.model.months if each.model else 0 for each in outcomes],
            "first_month": [each.model.first_month if each.model else None for each in outcomes],
            "last_month": [each.model.last_month if each.model else None for each in outcomes],
        },
    )


def assumptions(outcomes: tuple[Outcome, ...]) -> pa.Table:
    """Return every published variable and every factor of every scenario."""
    rows = [(each.scenario.scenario_id, row) for each in outcomes for row in each.assumptions]
    return typed(
        STRESS_ASSUMPTIONS,
        {
            "scenario_id": [name for name, _ in rows],
            "variable": [row.variable for _, row in rows],
            "published": [row.published for _, row in rows],
            "factor_id": [row.factor for _, row in rows],
            "shock": [row.shock for _, row in rows],
            "factor_change": [row.change for _, row in rows],
            "role": [row.role for _, row in rows],
            "mapping": [row.mapping for _, row in rows],
        },
    )


def returns(outcomes: tuple[Outcome, ...], instruments: tuple[str, ...]) -> pa.Table:
    """Return what every priced instrument does in every scenario."""
    names = np.asarray(instruments, dtype=object)
    return joined(STRESS_RETURNS, (_returns(each, names) for each in outcomes))


def _returns(each: Outcome, names: NDArray[np.object_]) -> pa.Table:
    priced = each.priced
    return typed(
        STRESS_RETURNS,
        {
            "scenario_id": [each.scenario.scenario_id] * int(priced.sum()),
            "instrument_id": names[priced],
            "return": each.returns[priced],
            "factor_return": each.factor[priced],
            "specific_return": each.specific[priced],
            "residual_return": each.residual[priced],
            "origin": each.origin[priced],
        },
    )


def portfolio_losses(weights: NDArray[np.float64], each: Outcome) -> NDArray[np.float64]:
    """Return loss, factor, specific, residual, proxied and unpriced part of each portfolio: (portfolios, 6).

    Fractions of NAV, losses positive; the second to the fourth add up to the first. An instrument without a
    return counts as unchanged, and its weight as unpriced.
    """
    priced = each.priced
    parts = (each.returns, each.factor, each.specific, each.residual)
    # Subtracted, because the negative of zero would be shown as -0.00.
    values = np.column_stack([np.where(priced, 0.0 - part, 0.0) for part in parts])
    shares = np.column_stack([each.origin == PROXIED, ~priced]).astype(np.float64)
    return np.column_stack([weighted_sums(weights, values), weighted_sums(np.abs(weights), shares)])


def losses(outcomes: tuple[Outcome, ...], book: Book) -> pa.Table:
    """Return what every portfolio loses in every scenario that was run."""
    count = len(book.portfolios)
    portfolios, currency = pa.array(book.portfolios), pa.array(book.currencies)
    kept = ("loss", "factor", "specific", "residual", "proxied", "unpriced")
    parts = []
    for each in outcomes:
        if not each.reason:
            found = portfolio_losses(book.weights, each.over(book.lines))
            columns = {f"{name}_pct_nav": 100.0 * found[:, at] for at, name in enumerate(kept)}
            columns |= {"loss": found[:, 0] * book.nav}
            scenario = pa.repeat(each.scenario.scenario_id, count)
            keys = {"scenario_id": scenario, "portfolio_id": portfolios, "currency": currency}
            parts.append(typed(STRESS_LOSSES, columns | keys))
    return joined(STRESS_LOSSES, parts)


def joined(table: Table, parts: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of all parts, with the columns a stage fills also where there is no part."""
    names = [name for name in table.column_names if name not in {"run_id", "as_of"}]
    # In one chunk: Spark 4.1 loses, without a word, the rows behind an empty chunk between others.
    return pa.concat_tables([typed(table, {name: [] for name in names}), *parts]).combine_chunks()
