"""Stress the book: history replayed, factors shocked, a million scenarios, and their model judged."""

from __future__ import annotations

from acceleray.report.desk.brief import in_brief
from acceleray.report.stress.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Comparison, Conclusion, Workload
from acceleray.settings import Settings
from acceleray.stages.backtest.live.stage import keep_live_record
from acceleray.stages.backtest.side_by_side import NAMES, side_by_side
from acceleray.stages.backtest.stage import BookVerdict, backtest
from acceleray.stages.book.dated import dated_books
from acceleray.stages.book.stage import accept_book, build_book, examine_book, receive_book
from acceleray.stages.calibrate.dependence import build_dependence
from acceleray.stages.calibrate.factor_model import build_factor_model
from acceleray.stages.calibrate.stage import calibrate
from acceleray.stages.change.stage import explain_change
from acceleray.stages.features.stage import build_returns
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.limits.stage import compare_with_limits, limits_for, read_limits
from acceleray.stages.simulate.stage import Horizon, simulate
from acceleray.stages.stress.stage import StressSummary, read_definitions, refuse_impossible, stress


def run(run: Run) -> Conclusion:
    """Run every stage; what a risk manager may have mistyped is refused as soon as it can be seen."""
    definitions, received = read_definitions(run.settings), receive_book(run)
    limits = limits_for(run, received)
    with run.stage("ingest", "Ingest prices and factors (Spark)"):
        loaded = ingest(run, examine_book(run, received))
        deciding = (*received.identity, ingest_factors(run), definitions.digest, limits.digest)
        run.identify(loaded.load_id, loaded.as_of, deciding)
        holdings = accept_book(run, received)
    with run.stage("features", "Build returns (Spark)"):
        build_returns(run)
    with run.stage("calibrate", "Calibrate GJR-GARCH-t on schedule (Ray)"):
        calibration = calibrate(run)
    calibration.gate.require()
    with run.stage("dependence", "Estimate betas and correlation (Ray)"):
        model = build_factor_model(run, calibration)
        refuse_impossible(definitions, model)
        dependence = build_dependence(run, calibration)
    with run.stage("simulate", "Simulate the book, two methods (Ray)"):
        book = build_book(run, calibration.returns, calibration.usable, holdings)
        horizons = simulate(
            run,
            calibration,
            book,
            scenarios=run.settings.stress.scenarios,
            dependence=dependence,
            targets=definitions.reverse_targets,
            factors=model,
        )
    with run.stage("stress", "Replay, shock and reverse"):
        summary = stress(run, calibration, book, model, dependence, definitions, horizons)
    with run.stage("change", "Explain what changed (Ray)"):
        explain_change(run, calibration, book, horizons)
    with run.stage("limits", "Compare with limits"):
        compare_with_limits(run, limits)
    with run.stage("backtest", "Backtest VaR and expected shortfall (Ray)"):
        dated = dated_books(run, calibration.returns, calibration.usable, holdings, book)
        verdict = backtest(run, calibration, book, copula=True, dated=dated)
        keep_live_record(run, calibration.returns, book)
        record(run)
    return conclude(run, horizons, summary, verdict)


def conclude(
    run: Run, horizons: tuple[Horizon, ...], summary: StressSummary, verdict: BookVerdict
) -> Conclusion:
    """Write the report; say what the book loses, and compare the models by their record."""
    report = run.report(PAGE)
    compared = Comparison(NAMES, *side_by_side(verdict.models)) if verdict.models else None
    return Conclusion(
        _headline(run, horizons, summary),
        _verdict(verdict),
        report,
        comparison=compared,
        portfolios=in_brief(run.rows, run.settings),
    )


def _headline(run: Run, horizons: tuple[Horizon, ...], summary: StressSummary) -> tuple[tuple[str, str], ...]:
    risk = run.settings.risk
    names = {"filtered_historical": "historical shocks", "t_copula": "t copula"}
    lines = []
    for each in horizons:
        var = 100.0 * float(each.tail.value_at_risk(risk.var_confidence)[0])
        shortfall = 100.0 * float(each.tail.expected_shortfall(risk.es_confidence)[0])
        days = run.settings.market_data.span(each.horizon_d)
        lines.append(
            (f"VaR and ES, {days}, {names[each.method]}", f"{var:.2f} % and {shortfall:.2f} % of NAV")
        )
        run.tracker.measure({f"var_{each.method}_{each.horizon_d}d_pct_nav": var})
    return (*lines, *summary.headline)


def _verdict(verdict: BookVerdict) -> str:
    if not verdict.portfolios:
        return verdict.reason
    return f"{verdict.decision}: {verdict.reason}"


def check(settings: Settings) -> None:
    """Refuse what can be seen to be wrong in the files of conf/ before any engine has started."""
    read_definitions(settings)
    read_limits(settings)


WORKLOAD = Workload(
    name="risk_stress_testing",
    title="Stress the book and judge the model behind it",
    engine="ray",
    run=run,
    check=check,
)
