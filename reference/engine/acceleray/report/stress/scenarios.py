"""Stress scenarios: what each does to the reference portfolio and to the book, and what was assumed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.report.formats import months_between, printable
from acceleray.report.rows import Read, first, floats, narrowed, where
from acceleray.report.stress import plausibility
from acceleray.tables import PORTFOLIOS, STRESS_ASSUMPTIONS, STRESS_LOSSES, STRESS_SCENARIOS

KINDS = {"replay": "Replay", "hypothetical": "Hypothetical", "supervisory": "Supervisory"}
PARTS = ("factor", "specific", "residual")


@dataclass(frozen=True)
class Loss:
    """Loss of one portfolio, in % of NAV (amount in currency); a gain is negative.

    Factor, specific and residual add up to the whole.
    """

    amount: float
    loss_pct_nav: float
    factor_pct_nav: float
    specific_pct_nav: float
    residual_pct_nav: float
    proxied_pct_nav: float
    unpriced_pct_nav: float

    @property
    def gap(self) -> float:
        """Return how far the parts are from the whole, in % of NAV."""
        return abs(self.factor_pct_nav + self.specific_pct_nav + self.residual_pct_nav - self.loss_pct_nav)


@dataclass(frozen=True)
class Assumption:
    """One published number or implied factor, and what we make of it."""

    variable: str
    published: str
    factor: str
    shock: str
    change: float | None
    role: str
    mapping: str


@dataclass(frozen=True)
class Scenario:
    """One scenario; no loss where it was not run, and no `worst_name` where it has no losses."""

    identity: str
    title: str
    kind: str
    origin: str
    run: bool
    status: str
    reason: str
    first: date | None
    last: date | None
    distance: float | None
    horizon: str
    distance_factors: int | None
    plausibility: str
    ended_factors: str
    window: str
    reference: Loss | None
    portfolios: int
    median_pct_nav: float
    worst_pct_nav: float
    worst_name: str
    assumptions: tuple[Assumption, ...]


@dataclass(frozen=True)
class Scenarios:
    """All scenarios: by kind, and in each kind the largest loss first, those not run last."""

    all: tuple[Scenario, ...]

    @property
    def priced(self) -> tuple[Scenario, ...]:
        """Return the scenarios in which the reference portfolio has a loss or gain."""
        return tuple(one for one in self.all if one.reference is not None)

    @property
    def not_run(self) -> tuple[Scenario, ...]:
        """Return the scenarios that were not run."""
        return tuple(one for one in self.all if not one.run)

    @property
    def of_ended_factors(self) -> tuple[Scenario, ...]:
        """Return the scenarios that were priced with a factor whose data has ended."""
        return tuple(one for one in self.all if one.run and one.ended_factors)

    @property
    def worst(self) -> Scenario | None:
        """Return the scenario in which the reference portfolio loses most."""
        return max(self.priced, key=lambda one: one.reference.loss_pct_nav, default=None)  # type: ignore[union-attr]

    @property
    def mapped(self) -> tuple[Scenario, ...]:
        """Return the scenarios with assumptions: what others published first, what only happened last."""
        order = ("supervisory", "hypothetical", "replay")
        found = [one for one in self.all if one.assumptions]
        return tuple(
            sorted(found, key=lambda one: order.index(one.kind) if one.kind in order else len(order))
        )

    @property
    def gap(self) -> float:
        """Return the largest distance of the parts from the whole, in % of NAV."""
        return max((one.reference.gap for one in self.priced if one.reference), default=0.0)


def gather(read: Read, portfolio_id: str) -> Scenarios:
    """Return every scenario with the loss of the reference portfolio and the spread over the book."""
    losses = read(narrowed(STRESS_LOSSES, *(name for name in STRESS_LOSSES.column_names if name != "as_of")))
    names = _names(read)
    assumptions: dict[str, list[Assumption]] = {}
    for row in read(STRESS_ASSUMPTIONS).to_pylist():
        assumptions.setdefault(row["scenario_id"], []).append(_assumption(row))
    found = []
    for row in read(STRESS_SCENARIOS).to_pylist():
        of_scenario = where(losses, scenario_id=row["scenario_id"])
        lines = tuple(sorted(assumptions.get(row["scenario_id"], []), key=_order))
        found.append(_scenario(row, of_scenario, portfolio_id, names, lines))
    known = list(KINDS)
    found.sort(
        key=lambda one: (
            known.index(one.kind) if one.kind in KINDS else len(known),
            not one.run,
            -one.reference.loss_pct_nav if one.reference else 0.0,
            one.identity,
        )
    )
    return Scenarios(tuple(found))


def _scenario(
    row: dict[str, Any],
    losses: pa.Table,
    portfolio_id: str,
    names: dict[str, str],
    assumptions: tuple[Assumption, ...],
) -> Scenario:
    reference = first(where(losses, portfolio_id=portfolio_id))
    spread = floats(losses, "loss_pct_nav")
    ordered = losses.sort_by([("loss_pct_nav", "descending"), ("portfolio_id", "ascending")])
    worst = first(ordered)
    return Scenario(
        identity=printable(row["scenario_id"]),
        title=printable(row["title"]),
        kind=printable(row["kind"]),
        origin=printable(row["origin"]),
        run=row["status"] == "run",
        status=printable(row["status"]),
        reason=printable(row["reason"]),
        first=row["first_date"],
        last=row["last_date"],
        distance=row["distance"],
        horizon=plausibility.span(row["horizon_m"]),
        distance_factors=row["distance_factors"],
        plausibility=plausibility.words(row["kind"], row["normal_tail"], row["horizon_m"], row["months"]),
        ended_factors=printable(row["ended_factors"] or ""),
        window=months_between(row["first_month"], row["last_month"]),
        reference=_loss(reference) if reference else None,
        portfolios=losses.num_rows,
        median_pct_nav=float(np.median(spread)) if spread.size else math.nan,
        worst_pct_nav=worst["loss_pct_nav"] if worst else math.nan,
        worst_name=names.get(worst["portfolio_id"], printable(worst["portfolio_id"])) if worst else "",
        assumptions=assumptions,
    )


def _loss(row: dict[str, Any]) -> Loss:
    parts = ("factor", "specific", "residual", "proxied", "unpriced")
    return Loss(row["loss"], row["loss_pct_nav"], *(row[f"{part}_pct_nav"] for part in parts))


def _assumption(row: dict[str, Any]) -> Assumption:
    return Assumption(
        variable=printable(row["variable"]),
        published=printable(row["published"]),
        factor=printable(row["factor_id"] or ""),
        shock=printable(row["shock"] or ""),
        change=row["factor_change"] if math.isfinite(row["factor_change"] or 0.0) else None,
        role=printable(row["role"]),
        mapping=printable(row["mapping"]),
    )


def _order(line: Assumption) -> tuple[int, str]:
    known = ("core", "observed", "implied", "not mapped")
    return (known.index(line.role) if line.role in known else len(known), line.variable)


def _names(read: Read) -> dict[str, str]:
    rows = read(narrowed(PORTFOLIOS, "portfolio_id", "name"))
    ids, names = (rows[column].to_pylist() for column in ("portfolio_id", "name"))
    return {identity: printable(name) for identity, name in zip(ids, names, strict=True)}
