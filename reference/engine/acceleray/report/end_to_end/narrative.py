"""The sentences of the page that depend on what was found."""

from __future__ import annotations

from acceleray.report import backtest_narrative, formats
from acceleray.report.end_to_end.data import Report


def summary(report: Report) -> list[str]:
    """Return the page in three sentences, for the reader who stops there."""
    sentences = []
    shortest = report.horizons[0]
    value_at_risk = shortest.measure("value_at_risk")
    shortfall = shortest.measure("expected_shortfall")
    if value_at_risk:
        span = formats.days(value_at_risk.horizon_d)
        sentences.append(
            f"In {formats.confidence(value_at_risk.confidence)} of simulated scenarios"
            f" {report.naming.called} loses less than {formats.amount(value_at_risk.value, report.currency)}"
            f" ({formats.percent(value_at_risk.value_pct_nav)} of NAV) over {span}."
        )
    if shortfall:
        tail = formats.confidence(1 - shortfall.confidence)
        sentences.append(
            f"In the worst {tail} it loses {formats.amount(shortfall.value, report.currency)}"
            f" ({formats.percent(shortfall.value_pct_nav)} of NAV) on average."
        )
    found = report.backtest.headline
    if found is None:
        sentences.append("No out-of-sample backtest backs these numbers: treat them as unverified.")
    else:
        record = backtest_narrative.record(report.backtest)
        sentences.append(
            {
                "passed": f"Its record supports them: {record}.",
                "failed": f"Its record does not support them: {record}, so do not rely on them.",
                "short": f"Its record is too short to say anything: {record}.",
            }[backtest_narrative.verdict(report.backtest)]
        )
        if found["passed"] and backtest_narrative.crises(report.backtest):
            sentences.append("In a crisis, however, it fell short: see the backtest.")
    return sentences


def unpriced(report: Report) -> str:
    """Return what the headline leaves out, in words; empty if nothing."""
    share = report.book.reference.unpriced_pct_nav if report.book.reference else 0.0
    if not share > 0:
        return ""
    return (
        f"{formats.percent(share, 1)} of NAV is in instruments without a calibrated model. What they may lose"
        " is not in any risk number of this page; see Calibration for the reasons."
    )


def signal_verdict(report: Report) -> str:
    """Return what the walk-forward evidence is worth, in words."""
    suspicious = report.signal.suspicious_folds
    if suspicious:
        names = ", ".join(str(fold) for fold in suspicious)
        return (
            f"Probable leakage: rank IC above 0.1 in fold {names}. On real daily prices that is too good to"
            " be true until someone has shown which information made it so."
        )
    return "No fold shows a rank IC above 0.1, the level at which leakage is the first suspect."


def signal_decision(report: Report) -> str:
    """Return what the gate decided on the model and what follows for the scores; empty if there is none."""
    decision = report.signal.decision
    if decision is None:
        return ""
    made = f"The gate {decision['decision']} version {decision['model_version']}"
    scores = "" if decision["decision"] == "promoted" else " A refused model scores nothing."
    return f"{made}: {formats.printable(decision['reason'])}.{scores}"


def alpha_warning(report: Report) -> str:
    """Return why the scores prove nothing about alpha."""
    number = formats.count(len(report.signal.scores))
    if not report.signal.scores:
        return "This run has no scores: whatever the evidence, nothing here is to be traded on."
    if report.heading.sample:
        return (
            f"These {number} names are survivors, in the sample because they still exist."
            f" {number} surviving names prove nothing about alpha: the scores show that the machinery works,"
            " not that it earns money."
        )
    return (
        f"These {number} instruments are the ones in the price source; unless delisted names are among"
        " them, the evidence is about survivors and proves nothing about alpha."
    )
