"""Stress: history replayed on today's book, hypothetical and supervisory shocks, and reverse stress.

What is tested is defined in one file of conf/; what was assumed is committed next to what was found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from acceleray.engines.handoff.arrays import Panel, column
from acceleray.quant.stress import implied_factor_moves
from acceleray.runtime.run import Run
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.stress import reverse, rows
from acceleray.stages.stress.definitions import Definitions, read_definitions
from acceleray.stages.stress.outcome import Outcome
from acceleray.stages.stress.replay import replay
from acceleray.stages.stress.shocked import refuse_impossible, shocked
from acceleray.tables import (
    REVERSE_STRESS,
    REVERSE_STRESS_SHOCKS,
    STRESS_ASSUMPTIONS,
    STRESS_LOSSES,
    STRESS_RETURNS,
    STRESS_SCENARIOS,
)

if TYPE_CHECKING:
    from acceleray.stages.calibrate.dependence import Dependence
    from acceleray.stages.calibrate.factor_model import FactorModel
    from acceleray.stages.simulate.stage import Horizon

__all__ = [
    "Definitions",
    "ScenarioLoss",
    "StressSummary",
    "evaluate",
    "read_definitions",
    "refuse_impossible",
    "stress",
]


@dataclass(frozen=True)
class ScenarioLoss:
    """Loss of the reference portfolio in one scenario, in % of NAV, positive."""

    scenario_id: str
    title: str
    kind: str
    loss_pct_nav: float


@dataclass(frozen=True)
class StressSummary:
    """Stress results of the reference portfolio: losses, worst first, and scenarios not run.

    `not_run` holds title and reason, `distances` the linear reverse stress: loss in % of
    NAV and its distance in standard deviations over `horizon_d` days, or what else `unit` says.
    """

    portfolio_id: str
    losses: tuple[ScenarioLoss, ...]
    not_run: tuple[tuple[str, str], ...]
    distances: tuple[tuple[float, float], ...]
    horizon_d: int
    unit: str = "day"

    @property
    def worst(self) -> ScenarioLoss | None:
        """Return the scenario with the largest loss, if one was run."""
        return self.losses[0] if self.losses else None

    @property
    def headline(self) -> tuple[tuple[str, str], ...]:
        """Return lines for a reader, each a label and what it says."""
        lines = []
        if self.worst is not None:
            change = "loses" if self.worst.loss_pct_nav >= 0.0 else "gains"
            lost = f"{change} {abs(self.worst.loss_pct_nav):.1f} % of NAV"
            lines.append(("Worst stress scenario", f"{self.worst.title}: {lost}"))
        if self.not_run:
            # The report has them all; a line on a terminal has room for one.
            title, reason = self.not_run[0]
            more = f", and {len(self.not_run) - 1} more: see the report" if len(self.not_run) > 1 else ""
            lines.append(("Stress scenarios not run", f"{title} ({reason}){more}"))
        known = [(loss, distance) for loss, distance in self.distances if math.isfinite(distance)]
        if known:
            loss, distance = known[0]
            span = f"{self.horizon_d} {self.unit}{'s' if self.horizon_d > 1 else ''}"
            lines.append((f"Losing {loss:g} % in {span}", f"{distance:.1f} standard deviations away"))
        return tuple(lines)


def stress(
    run: Run,
    calibration: Calibration,
    book: Book,
    model: FactorModel,
    dependence: Dependence,
    definitions: Definitions,
    horizons: tuple[Horizon, ...],
) -> StressSummary:
    """Run every stress scenario on every portfolio, commit all stress tables and return the headline.

    The linear reverse stress is at the longest of `simulation.horizons_d`; that on simulated tails comes with
    `horizons` and is committed as it is.

    Raises:
        PortfolioError: a scenario is impossible with this run's factors; nothing has been committed then.
    """
    refuse_impossible(definitions, model)
    outcomes = evaluate(definitions, calibration.returns, run.as_of, model)
    losses = rows.losses(outcomes, book)
    usable, horizon_d = calibration.usable, max(run.settings.simulation.horizons_d)
    covariance = reverse.horizon_covariance(calibration, dependence, horizon_d)
    implied = implied_factor_moves(model.betas[usable], model.specific_volatility[usable])
    linear = reverse.linear(book, usable, covariance, definitions.reverse_targets, horizon_d, implied)
    searched = [(each, each.reverse) for each in horizons if each.reverse is not None]
    found = [linear, *(reverse.simulated(book, usable, each, losing) for each, losing in searched)]
    run.commit(STRESS_SCENARIOS, rows.scenarios(outcomes))
    run.commit(STRESS_ASSUMPTIONS, rows.assumptions(outcomes))
    run.commit(STRESS_RETURNS, rows.returns(outcomes, calibration.returns.instruments))
    run.commit(STRESS_LOSSES, losses)
    run.commit(REVERSE_STRESS, rows.joined(REVERSE_STRESS, (table for table, _ in found)))
    run.commit(REVERSE_STRESS_SHOCKS, rows.joined(REVERSE_STRESS_SHOCKS, (table for _, table in found)))
    summary = summarise(outcomes, book, linear[0], horizon_d)
    return replace(summary, unit=run.settings.market_data.unit)


def evaluate(
    definitions: Definitions, returns: Panel, as_of: date, model: FactorModel
) -> tuple[Outcome, ...]:
    """Return the outcome of every scenario, in the order of the file."""
    replayed = (replay(each, returns, as_of, model) for each in definitions.replays)
    return (*replayed, *(shocked(each, model) for each in definitions.shocks))


def summarise(outcomes: tuple[Outcome, ...], book: Book, linear: pa.Table, horizon_d: int) -> StressSummary:
    """Return the headline for the reference portfolio, the first of the book."""
    losses = [
        ScenarioLoss(
            each.scenario.scenario_id,
            each.scenario.title,
            each.scenario.kind,
            100.0 * float(rows.portfolio_losses(book.weights[:1], each.over(book.lines))[0, 0]),
        )
        for each in outcomes
        if not each.reason
    ]
    first = column(linear, "portfolio_id") == book.portfolios[0]
    targets, distances = (column(linear, name)[first] for name in ("target_loss_pct_nav", "distance_sigma"))
    return StressSummary(
        portfolio_id=book.portfolios[0],
        losses=tuple(sorted(losses, key=lambda each: -each.loss_pct_nav)),
        not_run=tuple((each.scenario.title, each.reason) for each in outcomes if each.reason),
        distances=tuple(zip(targets.tolist(), distances.tolist(), strict=True)),
        horizon_d=horizon_d,
    )
