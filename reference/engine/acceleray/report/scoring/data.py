"""Everything the scoring page shows, gathered from tables into one frozen object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acceleray.errors import PortfolioError
from acceleray.report import fits, gate, heading, lineage
from acceleray.report.rows import Reads, first
from acceleray.report.scoring import champion, components, exposures, instruments, portfolios
from acceleray.settings import Settings
from acceleray.tables import PORTFOLIO_SCORES, RUN_TABLES, RUNS


@dataclass(frozen=True)
class Report:
    """One batch, ready to be drawn and written."""

    heading: heading.Heading
    settings: Settings
    champion: champion.Champion
    scores: instruments.Scores
    portfolios: portfolios.Portfolios
    components: components.Components
    exposures: exposures.Exposures
    without_model: tuple[fits.Rejected, ...]
    gate: gate.Gate
    lineage: lineage.Lineage


def gather(read: Reads, settings: Settings, decisions: Sequence[Mapping[str, Any]]) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run scored no portfolio.
    """
    found = portfolios.gather(read)
    if found is None:
        raise PortfolioError(
            "This run has no scored portfolio to report on; run `portfolio run batch_inference` first."
        )
    run = first(read(RUNS)) or {}
    row = {"as_of": found.as_of}
    touched = read(RUN_TABLES)
    key = found.reference or found.riskiest[0]
    command = lineage.command(PORTFOLIO_SCORES, found.run_id, portfolio_id=key.portfolio_id)
    return Report(
        heading=heading.gather(row, run, settings),
        settings=settings,
        champion=champion.gather(decisions, found.model_uri, found.as_of),
        scores=instruments.gather(read, touched, found.as_of, settings.score.history_d),
        portfolios=found,
        components=components.gather(read, found.shown, found.horizon_d),
        exposures=exposures.gather(read, found.shown),
        without_model=fits.gather(read).rejected,
        gate=gate.gather(read),
        lineage=lineage.gather(read, run, found.run_id, settings, command),
    )
