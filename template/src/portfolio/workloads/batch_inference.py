"""Score every instrument and every portfolio with the model that was champion as of the date."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.governance.champion import decisions
from acceleray.report.scoring.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.book.stage import Book, accept_book, build_book, examine_book, receive_book
from acceleray.stages.calibrate.factor_model import build_factor_model
from acceleray.stages.calibrate.stage import calibrate
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.score.scorer import Scorer, find_scorer
from acceleray.stages.score.stage import Counts, score
from acceleray.stages.simulate.stage import Horizon, simulate


def run(run: Run) -> Conclusion:
    """Run every stage; the champion is looked up first. Where all models were refused, risk goes on alone.

    Raises:
        PortfolioError: no model was judged as of the date, it does not fit the features, or rows were lost.
    """
    received = receive_book(run)
    with run.stage("ingest", "Ingest data, find the champion (Spark)"):
        loaded = ingest(run, examine_book(run, received))
        scorer = find_scorer(run, loaded.as_of)
        deciding = (*received.identity, ingest_factors(run), *scorer.identity)
        run.identify(loaded.load_id, loaded.as_of, deciding)
        holdings = accept_book(run, received)
    with run.stage("features", "Build returns and features (Spark)"):
        build_features(run)
    with run.stage("calibrate", "Calibrate GJR-GARCH-t (Ray)"):
        calibration = calibrate(run)
    calibration.gate.require()
    with run.stage("factor_model", "Estimate betas (Ray)"):
        factors = build_factor_model(run, calibration)
    with run.stage("simulate", "Simulate the book (Ray)"):
        book = build_book(run, calibration.returns, calibration.usable, holdings)
        horizons = simulate(run, calibration, book)
    with run.stage("score", "Score instruments and portfolios (Ray)"):
        counts = score(run, scorer.model, calibration, book, horizons, factors)
        run.tracker.measure({"rows_in": counts.rows_in, "rows_quarantined": counts.quarantined})
        record(run, scorer.model.uri)
    return conclude(run, scorer, book, horizons, counts)


def conclude(
    run: Run, scorer: Scorer, book: Book, horizons: tuple[Horizon, ...], counts: Counts
) -> Conclusion:
    """Write the report; say who scored, what portfolios risk, and where every row went."""
    report = run.report(PAGE, decisions=decisions(run.lake, run.source))
    return Conclusion(_headline(run, scorer, book, horizons), _verdict(scorer, counts), report, "Rows")


def _headline(
    run: Run, scorer: Scorer, book: Book, horizons: tuple[Horizon, ...]
) -> tuple[tuple[str, str], ...]:
    risk = run.settings.risk
    shortest = min(horizons, key=lambda each: each.horizon_d)
    span = run.settings.market_data.span(shortest.horizon_d)
    var = 100.0 * shortest.tail.value_at_risk(risk.var_confidence)
    shortfall = 100.0 * shortest.tail.expected_shortfall(risk.es_confidence)
    champion = scorer.champion
    return (
        ("Champion", f"version {champion.version}, since {champion.effective_from}" if champion else "none"),
        ("Portfolios", f"{len(book.portfolios):,}"),
        (f"VaR {100 * risk.var_confidence:g} %, {span}", _spread(var)),
        (f"ES {100 * risk.es_confidence:g} %, {span}", _spread(shortfall)),
    )


def _spread(values: NDArray[np.float64]) -> str:
    found = (("first", values[0]), ("median", np.median(values)), ("most", values.max()))
    return "% of NAV: " + ", ".join(f"{value:.2f} ({name})" for name, value in found)


def _verdict(scorer: Scorer, counts: Counts) -> str:
    return f"no scores, risk only: {scorer.reason}" if scorer.reason else f"passed: {counts}"


WORKLOAD = Workload(
    name="batch_inference",
    title="Score every instrument and every portfolio",
    engine="ray",
    run=run,
)
