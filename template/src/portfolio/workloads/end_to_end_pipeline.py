"""Calibrate -> Train -> Simulate -> Score: one governed run from prices to a portfolio-risk report."""

from __future__ import annotations

from acceleray.report.desk.brief import in_brief
from acceleray.report.end_to_end.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.backtest.live.stage import keep_live_record
from acceleray.stages.backtest.stage import BookVerdict, backtest
from acceleray.stages.book.dated import dated_books
from acceleray.stages.book.stage import Book, accept_book, build_book, examine_book, receive_book
from acceleray.stages.calibrate.stage import calibrate
from acceleray.stages.change.stage import explain_change
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.limits.stage import compare_with_limits, limits_for, read_limits
from acceleray.stages.score.stage import score
from acceleray.stages.simulate.stage import Horizon, simulate
from acceleray.stages.train.parameters import deciding
from acceleray.stages.train.stage import Trained, train


def run(run: Run) -> Conclusion:
    """Run every stage in the order in which data flows."""
    received = receive_book(run)
    limits = limits_for(run, received)
    with run.stage("ingest", "Ingest and validate prices (Spark)"):
        loaded = ingest(run, examine_book(run, received))
        inputs = (*received.identity, *deciding(run, loaded.as_of), limits.digest)
        run.identify(loaded.load_id, loaded.as_of, inputs)
        holdings = accept_book(run, received)
    with run.stage("features", "Build returns and features (Spark)"):
        build_features(run)
    with run.stage("calibrate", "Calibrate GJR-GARCH-t (Ray)"):
        calibration = calibrate(run)
    with run.stage("train", "Train the signal model (Ray)"):
        trained = train(run)
    calibration.gate.require()
    with run.stage("simulate", "Simulate the book (Ray)"):
        book = build_book(run, calibration.returns, calibration.usable, holdings)
        horizons = simulate(run, calibration, book)
    with run.stage("score", "Score instruments and portfolios"):
        score(run, trained.scoring, calibration, book, horizons)
    with run.stage("change", "Explain what changed (Ray)"):
        explain_change(run, calibration, book, horizons)
    with run.stage("limits", "Compare with limits"):
        compare_with_limits(run, limits)
    with run.stage("backtest", "Backtest value at risk (Ray)"):
        dated = dated_books(run, calibration.returns, calibration.usable, holdings, book)
        verdict = backtest(run, calibration, book, dated=dated)
        keep_live_record(run, calibration.returns, book)
        record(run, trained.model.uri)
    return conclude(run, trained, book, horizons, verdict)


def conclude(
    run: Run, trained: Trained, book: Book, horizons: tuple[Horizon, ...], verdict: BookVerdict
) -> Conclusion:
    """Write the report; say what the first portfolio risks, and whether its model held in the past."""
    report = run.report(PAGE)
    headline = (*_headline(run, book, horizons), ("Signal model", _signal(trained)))
    return Conclusion(headline, _verdict(verdict), report, portfolios=in_brief(run.rows, run.settings))


def _headline(run: Run, book: Book, horizons: tuple[Horizon, ...]) -> tuple[tuple[str, str], ...]:
    risk, nav, currency = run.settings.risk, float(book.nav[0]), book.currencies[0]
    lines = []
    for each in horizons:
        measures = (
            (f"VaR {100 * risk.var_confidence:g} %", each.tail.value_at_risk(risk.var_confidence)),
            (f"ES {100 * risk.es_confidence:g} %", each.tail.expected_shortfall(risk.es_confidence)),
        )
        for name, values in measures:
            value = float(values[0])
            days = run.settings.market_data.span(each.horizon_d)
            text = f"{value * nav:,.0f} {currency}  ({100 * value:.2f} % of NAV)"
            lines.append((f"{name}, {days}", text))
            run.tracker.measure({f"{name.split()[0].lower()}_{each.horizon_d}d_pct_nav": 100.0 * value})
    return tuple(lines)


def _signal(trained: Trained) -> str:
    if trained.scoring.content:
        return f"version {trained.model.version}, {trained.decision}: {trained.reason}"
    champion = "" if trained.champion is None else f"; champion is version {trained.champion}"
    return f"no scores; {trained.decision}: {trained.reason}{champion}"


def _verdict(verdict: BookVerdict) -> str:
    if not verdict.portfolios:
        return verdict.reason
    return f"{'passed' if verdict.passed else 'FAILED'}: {verdict.reason}"


WORKLOAD = Workload(
    name="end_to_end_pipeline",
    title="Calibrate -> Train -> Simulate -> Score",
    engine="ray",
    run=run,
    check=read_limits,
    fits=True,
)
