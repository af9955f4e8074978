"""Everything the page shows, gathered from tables into one frozen object."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.errors import PortfolioError
from acceleray.report import backtest, fits, heading, lineage, naming, quality, risk
from acceleray.report.end_to_end import book, signal
from acceleray.report.formats import printable
from acceleray.report.rows import Reads, first
from acceleray.settings import Settings
from acceleray.tables import RISK_MEASURES, RUNS


@dataclass(frozen=True)
class Report:
    """One run, ready to be drawn and written."""

    heading: heading.Heading
    portfolio_id: str
    portfolio_name: str
    naming: naming.Naming
    nav: float
    currency: str
    settings: Settings
    horizons: tuple[risk.Horizon, ...]
    contributions: risk.Contributions
    book: book.Book
    backtest: backtest.Backtest
    fits: fits.Fits
    signal: signal.Signal
    quality: quality.Quality
    lineage: lineage.Lineage


def gather(read: Reads, settings: Settings) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run wrote no portfolios or no risk measures, so there is nothing to say.
    """
    reference = risk.reference(read)
    if reference is None:
        raise PortfolioError(
            "This run has no portfolio to report on; run `portfolio run end_to_end_pipeline` first."
        )
    portfolio_id = str(reference["portfolio_id"])
    horizons = risk.horizons(read, portfolio_id, settings)
    if not any(horizon.measures for horizon in horizons):
        raise PortfolioError(
            f"This run has no risk measures for portfolio {portfolio_id} at the confidence levels in conf/;"
            " run `portfolio run end_to_end_pipeline` first."
        )
    prices = quality.gather(read)
    run = first(read(RUNS)) or {}
    run_id = str(reference["run_id"])
    first_number = next(measure for horizon in horizons for measure in horizon.measures)
    command = lineage.command(
        RISK_MEASURES,
        run_id,
        method=risk.HEADLINE_METHOD,
        portfolio_id=portfolio_id,
        measure=first_number.measure,
        confidence=first_number.confidence,
        horizon_d=first_number.horizon_d,
    )
    return Report(
        heading=heading.gather(reference, run, settings, prices.source),
        portfolio_id=portfolio_id,
        portfolio_name=printable(reference["name"]),
        naming=naming.naming(reference),
        nav=float(str(reference["nav"])),
        currency=str(reference["currency"]),
        settings=settings,
        horizons=horizons,
        contributions=risk.contributions(read, portfolio_id, horizons, settings),
        book=book.gather(read, portfolio_id),
        backtest=backtest.gather(
            read, portfolio_id, settings.risk.var_confidence, backtest.replays_of(settings)
        ),
        fits=fits.gather(read),
        signal=signal.gather(read),
        quality=prices,
        lineage=lineage.gather(read, run, run_id, settings, command, prices.load_id),
    )
