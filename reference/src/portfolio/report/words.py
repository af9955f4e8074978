"""The sentences of the page that depend on what was found."""

from __future__ import annotations

from portfolio.report import formats
from portfolio.report.data import Report

VERDICTS = {
    "passed": "Backtest passed",
    "failed": "Backtest failed",
    "short": "Too few days to judge",
    "missing": "Not backtested",
}
# Basel judges a 99 % quantile on a trading year; on fewer days no verdict is worth the name.
JUDGED_DAYS = 250
# A crisis with exceptions less likely than this is worth a warning.
UNLIKELY = 0.01


def verdict(report: Report) -> str:
    """Return `passed`, `failed`, `short` or `missing` for the model behind the headline numbers."""
    found = report.backtest.headline
    if found is None:
        return "missing"
    if found["days"] < JUDGED_DAYS:
        return "short"
    return "passed" if found["passed"] else "failed"


def summary(report: Report) -> list[str]:
    """Return the page in three sentences, for the reader who stops there."""
    sentences = []
    shortest = report.horizons[0]
    value_at_risk = shortest.measure("value_at_risk")
    shortfall = shortest.measure("expected_shortfall")
    if value_at_risk:
        span = formats.days(value_at_risk.horizon_d)
        sentences.append(
            f"In {formats.confidence(value_at_risk.confidence)} of simulated scenarios the reference"
            f" portfolio loses less than {formats.amount(value_at_risk.value, report.currency)}"
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
        record = (
            f"over {formats.count(found['days'])} out-of-sample days the model had"
            f" {formats.plural(found['exceptions'], 'exception')} where"
            f" {formats.number(found['expected_exceptions'], 1)} were expected"
        )
        sentences.append(
            {
                "passed": f"Its record supports them: {record}.",
                "failed": f"Its record does not support them: {record}, so do not rely on them.",
                "short": f"Its record is too short to say anything: {record}.",
            }[verdict(report)]
        )
        if found["passed"] and crises(report):
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


def crises(report: Report) -> str:
    """Return whether the model held in the crises, in words; empty if it did or none is in the data."""
    missed = [crisis for crisis in report.backtest.crises if crisis.chance < UNLIKELY]
    if not missed:
        return ""
    named = "; ".join(
        f"{crisis.label.lower()}: {formats.plural(crisis.exceptions, 'exception')} where"
        f" {formats.number(crisis.expected, 1)} were expected"
        for crisis in missed
    )
    return (
        f"A record over all days says little about a crisis. Here the model fell short ({named}):"
        " expect exceptions to come together when it matters most."
    )


def source(report: Report) -> str:
    """Return the price source in words."""
    if report.sample:
        return "S&P 500 sample: real daily prices of companies that survived, shipped with skfolio"
    kind, _, name = report.source.partition(":")
    return {"csv": f"CSV file {name}", "table": f"Delta table {name}"}.get(kind, report.source)


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


def alpha_warning(report: Report) -> str:
    """Return why the scores prove nothing about alpha."""
    number = formats.count(len(report.signal.scores))
    if report.sample:
        return (
            f"These {number} names are survivors, in the sample because they still exist."
            f" {number} surviving names prove nothing about alpha: the scores show that the machinery works,"
            " not that it earns money."
        )
    return (
        f"These {number} instruments are the ones in the price source; unless delisted names are among"
        " them, the evidence is about survivors and proves nothing about alpha."
    )


def gap(report: Report) -> str:
    """Return whether the contributions add up, in words."""
    found = report.contributions.gap
    if found is None:
        return "There is no expected shortfall at this confidence level to compare the sum with."
    if found <= 1e-6:
        return "The contributions add up to the expected shortfall in the headline (checked before rounding)."
    return (
        f"The contributions miss the expected shortfall in the headline by {formats.percent(100 * found, 4)}:"
        " do not use them."
    )


def lineage_command(report: Report) -> str:
    """Return the command that resolves the first headline number."""
    first = next(measure for horizon in report.horizons for measure in horizon.measures)
    return (
        f"portfolio lineage gold.risk_measures run_id={report.lineage.run_id}"
        f" portfolio_id={report.portfolio_id} measure={first.measure}"
        f" confidence={first.confidence:g} horizon_d={first.horizon_d}"
    )
