"""The sentences of the stress page that depend on what was found."""

from __future__ import annotations

from acceleray.report import backtest_narrative, formats
from acceleray.report.stress.data import Report

BADGES = {
    "promoted": "Model promoted",
    "failed": "Model not promoted",
    "missing": "Not backtested",
}
# Parts that are further from their whole than this, in % of NAV, do not add up.
TOLERANCE_PCT_NAV = 1e-6


def badge(report: Report) -> str:
    """Return the decision on the headline model as a key of BADGES."""
    headline = report.backtest.headline
    if headline is None:
        return "missing"
    return "promoted" if headline["decision"] == "promoted" else "failed"


def summary(report: Report) -> list[str]:
    """Return the page in a few sentences, for the reader who stops there."""
    return [*_worst(report), *_ended(report), *_simulated(report), *_reverse(report), _decision(report)]


def _worst(report: Report) -> list[str]:
    worst = report.scenarios.worst
    if worst is None or worst.reference is None:
        return [f"No stress scenario could be applied to {report.naming.called}."]
    number = formats.plural(len(report.scenarios.priced), "scenario")
    loss = worst.reference
    if loss.loss_pct_nav <= 0:
        return [f"In none of {number} does {report.naming.called} lose."]
    return [
        f"The worst of {number} for {report.naming.called} is \u201c{worst.title}\u201d: it would lose"
        f" {formats.amount(loss.amount, report.currency)} ({formats.percent(loss.loss_pct_nav, 1)} of NAV)."
    ]


def _ended(report: Report) -> list[str]:
    """Return a sentence on factors whose data has ended, if scenarios were priced with one."""
    priced = report.scenarios.of_ended_factors
    if not priced:
        return []
    one = priced[0]
    several = "," in one.ended_factors
    return [
        f"The data of {' and '.join(one.ended_factors.split(', '))} {'have' if several else 'has'} ended:"
        f" {formats.plural(len(priced), 'scenario')} with {'one of them' if several else 'it'}"
        f" {'is' if len(priced) == 1 else 'are'} priced with betas of {one.window}."
    ]


def _simulated(report: Report) -> list[str]:
    if not report.simulated.horizons:
        return []
    measure = report.simulated.headline[0].measure("expected_shortfall")
    if measure is None:
        return []
    return [
        f"In the worst {formats.confidence(1 - measure.confidence)} of simulated scenarios it loses"
        f" {formats.percent(measure.value_pct_nav)} of NAV on average over {formats.days(measure.horizon_d)}."
    ]


def _reverse(report: Report) -> list[str]:
    linear = next((one for one in report.reverse if one.method == "linear" and one.distance_sigma > 0), None)
    if linear is None:
        return []
    return [
        f"A loss of {formats.percent(linear.target_pct_nav, 0)} over {formats.days(linear.horizon_d)} lies"
        f" {formats.number(linear.distance_sigma, 1)} standard deviations away at today's volatility."
    ]


def _decision(report: Report) -> str:
    state = badge(report)
    record = backtest_narrative.record(report.backtest)
    if state == "missing":
        return "No out-of-sample backtest backs the simulation: treat its numbers as unverified."
    if state == "promoted":
        fell = (
            " In a crisis, however, it fell short: see the backtest."
            if backtest_narrative.crises(report.backtest)
            else ""
        )
        return f"The model behind the simulation is promoted: {record}.{fell}"
    return f"The model behind the simulation is not promoted: {record}. Do not rely on the simulated numbers."


def parts(report: Report) -> str:
    """Return whether factor, specific and residual parts add up to the losses, in words."""
    return _sum(report.scenarios.gap, "loss")


def attribution(report: Report) -> str:
    """Return whether the parts of the expected shortfall add up to it, in words."""
    return _sum(max((one.gap for one in report.simulated.attribution), default=0.0), "expected shortfall")


def _sum(gap: float, whole: str) -> str:
    if gap <= TOLERANCE_PCT_NAV:
        return f"The parts add up to the {whole} (checked before rounding)."
    return f"The parts miss the {whole} by up to {formats.percent(gap, 4)} of NAV: do not use them."


def calibration(report: Report) -> str:
    """Return what the calibration gate says about the models that are simulated with."""
    if report.gate.state == "missing":
        return "No calibration gate is recorded for the models behind this page."
    if report.gate.state == "passed":
        number = formats.plural(len(report.gate.checks), "check")
        return f"The calibration behind this page passed all {number} of its gate."
    failed = "; ".join(check.reason for check in report.gate.failed)
    return f"The calibration behind this page did not pass its gate: {failed}."
