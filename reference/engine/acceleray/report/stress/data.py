"""Everything the stress page shows, gathered from tables into one frozen object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acceleray.errors import PortfolioError
from acceleray.report import backtest, gate, heading, lineage, naming, risk
from acceleray.report.formats import printable
from acceleray.report.rows import Reads, first, narrowed, where
from acceleray.report.stress import reverse, scenarios, simulated
from acceleray.report.stress.reverse import Reverse, Shocks
from acceleray.settings import Settings
from acceleray.tables import PORTFOLIOS, RISK_MEASURES, RUNS, STRESS_LOSSES


@dataclass(frozen=True)
class Report:
    """One stress test, ready to be drawn and written."""

    heading: heading.Heading
    portfolio_name: str
    naming: naming.Naming
    nav: float
    currency: str
    portfolios: int
    simulated_portfolios: int
    settings: Settings
    scenarios: scenarios.Scenarios
    simulated: simulated.Simulated
    reverse: tuple[Reverse, ...]
    shocks: tuple[Shocks, ...]
    backtest: backtest.Backtest
    gate: gate.Gate
    lineage: lineage.Lineage


def gather(read: Reads, settings: Settings) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run wrote no portfolios, or neither stress scenarios nor risk measures.
    """
    reference = risk.reference(read)
    if reference is None:
        raise PortfolioError(
            "This run has no portfolio to report on; run `portfolio run risk_stress_testing` first."
        )
    portfolio_id = str(reference["portfolio_id"])
    stressed = scenarios.gather(read, portfolio_id)
    made = simulated.gather(read, portfolio_id, settings)
    if not stressed.all and not made.horizons:
        raise PortfolioError(
            f"This run has neither stress scenarios nor risk measures for portfolio {portfolio_id};"
            " run `portfolio run risk_stress_testing` first."
        )
    run = first(read(RUNS)) or {}
    run_id = str(reference["run_id"])
    origins = read(narrowed(PORTFOLIOS, "origin"))
    return Report(
        heading=heading.gather(reference, run, settings),
        portfolio_name=printable(reference["name"]),
        naming=naming.naming(reference),
        nav=float(str(reference["nav"])),
        currency=str(reference["currency"]),
        portfolios=origins.num_rows,
        simulated_portfolios=where(origins, origin="simulated").num_rows,
        settings=settings,
        scenarios=stressed,
        simulated=made,
        reverse=reverse.gather(read, portfolio_id),
        shocks=reverse.shocks(read, portfolio_id),
        backtest=backtest.gather(
            read, portfolio_id, settings.risk.var_confidence, backtest.replays_of(settings)
        ),
        gate=gate.gather(read),
        lineage=lineage.gather(read, run, run_id, settings, _command(run_id, portfolio_id, stressed, made)),
    )


def _command(run_id: str, portfolio_id: str, stressed: scenarios.Scenarios, made: simulated.Simulated) -> str:
    """Return how to resolve the first number: a stress loss, or a risk measure where there is none."""
    if stressed.priced or not made.horizons:
        identity = (stressed.priced or stressed.all)[0].identity
        return lineage.command(STRESS_LOSSES, run_id, scenario_id=identity, portfolio_id=portfolio_id)
    number: Any = made.horizons[0].measures[0]
    return lineage.command(
        RISK_MEASURES,
        run_id,
        method=made.horizons[0].method,
        portfolio_id=portfolio_id,
        measure=number.measure,
        confidence=number.confidence,
        horizon_d=number.horizon_d,
    )
