"""Values compared with limits: a measure for each portfolio, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column
from acceleray.stages.limits.definitions import Limit
from acceleray.stages.limits.exposures import by_group, column_of, exposure
from acceleray.stages.limits.measures import WORST
from acceleray.tables import (
    ACTIVE_RISK,
    GROUP_RISK,
    PORTFOLIO_LIQUIDITY,
    PORTFOLIO_SCORES,
    POSITIONS,
    RISK_MEASURES,
    STRESS_LOSSES,
    Table,
)


@dataclass(frozen=True)
class Observed:
    """One measure of every portfolio; arrays of shape (portfolios,).

    Attributes:
        values: in % of NAV, or days; NaN where there is none.
        reasons: why there is none; empty where there is one.
        groups: the group that the value is of, None for the whole portfolio.
        scenarios: the stress scenario that the value is of, None where it is of none.
    """

    values: NDArray[np.float64]
    reasons: NDArray[np.object_]
    groups: NDArray[np.object_]
    scenarios: NDArray[np.object_]


@dataclass(frozen=True)
class Facts:
    """The tables of a run that limits need.

    Attributes:
        portfolios: rows of gold.portfolios, ascending by portfolio_id.
        rows: of every other table that is needed, by label; without rows where the workload writes none.
    """

    portfolios: pa.Table
    rows: Mapping[str, pa.Table]

    @property
    def ids(self) -> NDArray[np.object_]:
        """Return the portfolio ids, ascending."""
        return column(self.portfolios, "portfolio_id").astype(object)

    def places(self, rows: pa.Table) -> NDArray[np.int64]:
        """Return the portfolio that each row belongs to, -1 for one that is none of the book."""
        found = pc.index_in(rows.column("portfolio_id"), self.portfolios.column("portfolio_id"))
        return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)


NOT_GIVEN = "not given"
"""The group of positions that are in none."""


def needed(limit: Limit) -> Table | None:
    """Return the table that a limit is compared with, besides gold.portfolios; None where there is none."""
    match limit.measure.name:
        case "value_at_risk" | "expected_shortfall":
            return RISK_MEASURES if limit.group is None else GROUP_RISK
        case "gross_exposure" | "net_exposure" | "weight":
            return POSITIONS if limit.group is None or column_of(limit.group) else GROUP_RISK
        case "stress_loss":
            return STRESS_LOSSES
        case "tracking_error":
            return ACTIVE_RISK
        case "unpriced":
            return PORTFOLIO_SCORES
        case "days_to_liquidate":
            return PORTFOLIO_LIQUIDITY
        case _:
            return None


def observe(limit: Limit, facts: Facts) -> Observed:
    """Return what a limit is compared with, for every portfolio of the book in the order of `facts.ids`."""
    of_portfolio = _OF_PORTFOLIO.get((limit.measure.name, limit.group))
    if of_portfolio is not None:
        known = np.sum([_numbers(facts.portfolios, name) for name in of_portfolio], axis=0)
        if np.isfinite(known).any():
            return _whole(known)
    table = needed(limit)
    if table is None:
        return _nothing(facts, f"no stage computes {limit.measure.name} yet")
    rows = facts.rows[table.label]
    if not rows.num_rows and table is PORTFOLIO_LIQUIDITY:
        return _nothing(facts, "no volumes: set liquidity.source")
    if not rows.num_rows:
        return _nothing(facts, f"this workload has no rows in {table.label}")
    return _FROM[table.label](limit, rows, facts)


# Columns of gold.portfolios that say it, NULL for a simulated book; several are added up.
_OF_PORTFOLIO: Mapping[tuple[str, str | None], tuple[str, ...]] = {
    ("gross_exposure", None): ("gross_exposure_pct_nav",),
    ("net_exposure", None): ("net_exposure_pct_nav",),
    ("unpriced", None): ("unpriced_pct_nav", "not_modelled_pct_nav"),
}


def _simulated(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    chosen = rows.filter(
        (pc.field("measure") == limit.measure.name)
        & (pc.field("method") == limit.method)
        & (pc.field("horizon_d") == limit.horizon_d)
    )
    missing = f"gold.risk_measures has no such row by {limit.method} over {_days(limit)}"
    return _of(facts, chosen, "value_pct_nav", missing)


def _of_groups(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    simulated = limit.method is not None
    chosen = rows.filter(pc.field("grouping") == limit.group)
    if not chosen.num_rows:
        return _nothing(facts, f"positions have no column '{limit.group}'")
    first = chosen.slice(0, 1).to_pylist()[0]
    # Exposures are the same in the rows of every measure.
    keys = {"method": limit.method, "horizon_d": limit.horizon_d, "measure": limit.measure.name}
    for name in ("method", "horizon_d", "measure", "confidence"):
        wanted = keys.get(name) if simulated else first[name]
        chosen = chosen if wanted is None else chosen.filter(pc.field(name) == wanted)
    if not chosen.num_rows:
        return _nothing(facts, f"no group has a row by {limit.method} over {_days(limit)}")
    places = facts.places(chosen)
    known = places >= 0
    nav = _numbers(facts.portfolios, "nav")[places[known]]
    shares = (
        _numbers(chosen, "standalone")[known] / nav
        if simulated
        else _numbers(chosen, _EXPOSURE.get(limit.measure.name, _EXPOSURE["net_exposure"]))[known] / 100.0
    )
    groups = column(chosen, "group").astype(object)[known]
    if limit.group_value is not None and limit.group_value not in groups:
        return _nothing(facts, _unknown(limit))
    found = by_group(shares, places[known], len(facts.ids), groups, False, limit.group_value)
    missing = ~np.isin(np.arange(len(facts.ids)), places[known])
    reasons = np.where(missing, f"it has no groups by {limit.group}", "").astype(object)
    return Observed(np.where(missing, np.nan, found.pct_nav), reasons, found.groups, _none(len(facts.ids)))


_EXPOSURE = {"gross_exposure": "gross_exposure_pct_nav", "net_exposure": "net_exposure_pct_nav"}


def _unknown(limit: Limit) -> str:
    # It may be misspelt: a limit on nothing is never green.
    return f"no position has {limit.group} '{limit.group_value}'"


def _exposures(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    places, gross = facts.places(rows), limit.measure.name == "gross_exposure"
    # Cash and forwards on a rate are no exposure to anything but currencies.
    known = (places >= 0) & ~np.isin(column(rows, "status").astype(object), ["cash", "currency"])
    places, weights, count = places[known], column(rows, "weight")[known], len(facts.ids)
    name = column_of(limit.group) if limit.group else None
    if name is None:
        return _whole(exposure(weights, places, count, gross))
    groups = np.array(rows.column(name).to_pylist(), dtype=object)[known]
    if not any(group is not None for group in groups):
        return _nothing(facts, f"no position has a value of '{limit.group}'")
    # Positions without a group form one group, as in gold.group_risk: it may be large.
    groups[[group is None for group in groups]] = NOT_GIVEN
    if limit.group_value is not None and limit.group_value not in groups:
        return _nothing(facts, _unknown(limit))
    found = by_group(weights, places, count, groups, gross, limit.group_value)
    return Observed(found.pct_nav, _empty(count), found.groups, _none(count))


def _active(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    chosen = rows.filter(
        (pc.field("measure") == limit.measure.name)
        & (pc.field("method") == limit.method)
        & (pc.field("horizon_d") == limit.horizon_d)
    )
    return _of(facts, chosen, "value_pct_nav", f"it has no benchmark, or no row over {_days(limit)}")


def _stressed(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    if limit.scenario != WORST:
        chosen = rows.filter(pc.field("scenario_id") == limit.scenario)
        found = _of(facts, chosen, "loss_pct_nav", f"scenario {limit.scenario} was not run")
        return Observed(
            found.values, found.reasons, found.groups, np.full(len(facts.ids), limit.scenario, object)
        )
    order = [("portfolio_id", "ascending"), ("loss_pct_nav", "descending"), ("scenario_id", "ascending")]
    worst = rows.sort_by(order)
    first = np.unique(column(worst, "portfolio_id").astype(str), return_index=True)[1]
    worst = worst.take(pa.array(first))
    found = _of(facts, worst, "loss_pct_nav", "no scenario was run")
    scenarios, places = _none(len(facts.ids)), facts.places(worst)
    scenarios[places[places >= 0]] = column(worst, "scenario_id").astype(object)[places >= 0]
    return Observed(found.values, found.reasons, found.groups, scenarios)


def _unpriced(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    return _of(facts, rows, "unpriced_pct_nav", "gold.portfolio_scores has no row of it")


def _liquidity(limit: Limit, rows: pa.Table, facts: Facts) -> Observed:
    found = _of(facts, rows, "days_to_liquidate", "no position of it has volumes")
    places, unknown = facts.places(rows), np.zeros(len(facts.ids))
    unknown[places[places >= 0]] = column(rows, "unknown_pct_nav")[places >= 0]
    # Unknown days may be longer: neither a breach nor green.
    for place in np.flatnonzero((unknown > 0.0) & (found.values <= limit.amount.value)):
        found.values[place] = np.nan
        found.reasons[place] = f"{unknown[place]:.2f} % of NAV has no known days, see gold.position_liquidity"
    return found


_FROM: Mapping[str, Callable[[Limit, pa.Table, Facts], Observed]] = {
    RISK_MEASURES.label: _simulated,
    POSITIONS.label: _exposures,
    GROUP_RISK.label: _of_groups,
    ACTIVE_RISK.label: _active,
    STRESS_LOSSES.label: _stressed,
    PORTFOLIO_SCORES.label: _unpriced,
    PORTFOLIO_LIQUIDITY.label: _liquidity,
}


def _of(facts: Facts, rows: pa.Table, name: str, missing: str) -> Observed:
    """Return one column of rows, one row a portfolio, and the reason where a portfolio has no row."""
    values, places = np.full(len(facts.ids), np.nan), facts.places(rows)
    values[places[places >= 0]] = column(rows, name)[places >= 0]
    reasons = np.where(np.isnan(values), missing, "").astype(object)
    return Observed(values, reasons, _none(len(values)), _none(len(values)))


def _numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(rows.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)


def _whole(values: NDArray[np.float64]) -> Observed:
    reasons = np.where(np.isnan(values), "gold.portfolios has no value of it", "").astype(object)
    return Observed(values, reasons, _none(len(values)), _none(len(values)))


def _nothing(facts: Facts, reason: str) -> Observed:
    count = len(facts.ids)
    return Observed(np.full(count, np.nan), np.full(count, reason, object), _none(count), _none(count))


def _empty(count: int) -> NDArray[np.object_]:
    return np.full(count, "", dtype=object)


def _none(count: int) -> NDArray[np.object_]:
    return np.full(count, None, dtype=object)


def _days(limit: Limit) -> str:
    return f"{limit.horizon_d} day{'' if limit.horizon_d == 1 else 's'}"
