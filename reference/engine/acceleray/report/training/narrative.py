"""The sentences of the training page that depend on what was found."""

from __future__ import annotations

from acceleray.report import formats
from acceleray.report.training.data import Report


def badge(report: Report) -> tuple[str, str]:
    """Return the class of the badge and what it says."""
    if report.decision["decision"] != "promoted":
        return "failed", "Refused by the gate"
    reigns = report.champion == report.decision["model_version"]
    return "passed", "Promoted to champion" if reigns else "Passed the gate"


def summary(report: Report) -> list[str]:
    """Return the page in a few sentences."""
    row = report.decision
    version = f"Version {row['model_version']}"
    if row["decision"] == "promoted":
        verdict = f"{version} is champion for dates from {formats.long_date(row['effective_from'])} on"
        if report.champion is not None and report.champion != row["model_version"]:
            verdict = f"{version} passed the gate; by now version {report.champion} is champion"
        elif report.champion is None:
            verdict = f"{version} passed the gate and was withdrawn since"
    else:
        who = "nobody" if report.champion is None else f"version {report.champion}"
        verdict = f"{version} stays a challenger; champion is {who}"
    positive = sum((fold["rank_ic"] or 0.0) > 0 for fold in report.folds)
    found = (
        f"Out of sample its rank IC is {formats.number(row['rank_ic'], 4)}"
        f" (t {formats.number(row['rank_ic_t'], 1)}; lower end of its {interval(report)}"
        f" {formats.number(report.lower, 4)}), above zero in {positive} of {len(report.folds)} folds"
    )
    return [f"{verdict}.", f"{found}. {caution(report)}"]


TARGETS = {
    "rank": "Forward return, raw: what the model is trained for and the gate judges",
    "volatility_scaled": "Forward return over the instrument's volatility",
    "residual": "Forward return less beta times the mean of all",
}


def caution(report: Report) -> str:
    """Return what must not be concluded from these prices."""
    if report.simulated:
        return "The signal was planted in simulated prices: finding it shows that the method works, no more."
    if report.suspicious:
        return (
            f"Above {report.settings.leakage.maximum_rank_ic:g} in"
            f" {formats.plural(len(report.suspicious), 'fold')}: on real daily prices that is probable"
            " leakage until proven otherwise."
        )
    if report.heading.sample:
        return "Twenty companies that survived prove nothing about alpha, whatever the number."
    return "If the source leaves out names that were delisted, this number is too high."


def processes(report: Report) -> str:
    """Return whether one process would have been enough, from what this run measured."""
    row = report.training
    size = (
        f"{formats.count(row['rows'])} rows of {row['features']} features take"
        f" {formats.number(row['matrix_mb'], 1)} MB"
    )
    alone = row["single_process_s"]
    if alone is None:
        return f"{size}: one process has room for that on any machine."
    if row["shards"] == 1:
        return f"{size}; one process fitted the model in {formats.number(alone, 1)} s. It was enough."
    several = (
        f"{formats.plural(row['shards'], 'process', 'processes')} together took"
        f" {formats.number(row['fit_s'], 1)} s, their start included"
    )
    if row["fit_s"] is None or alone <= row["fit_s"]:
        return (
            f"Yes. {size}, one process fitted the same model in {formats.number(alone, 1)} s, and {several}."
            " Several processes are for rows that one machine has no memory for."
        )
    return (
        f"For memory, yes: {size}. For speed, no: one process needed {formats.number(alone, 1)} s; {several}."
    )


def resumed(report: Report) -> str:
    """Return from where an interrupted fit went on; empty if nothing interrupted it."""
    rounds = report.training["resumed_from"]
    return f"The fit was interrupted and went on from round {rounds}." if rounds else ""


def compared(report: Report) -> str:
    """Return how the model compares with the champion before it; empty if there was none to compare with."""
    row = report.decision
    if row["compared_with"] is None:
        return ""
    before = f"Version {row['compared_with']} was champion"
    difference, t = row["rank_ic_difference"], row["rank_ic_difference_t"]
    if report.same:
        return f"{before} and has the same hyperparameters: only the data is newer, which counts as no worse."
    if difference is None or report.difference_lower is None:
        return f"{before}. The dates that both can be judged on are too few to show which is better."
    return (
        f"{before}. Its hyperparameters, validated on the same dates, give a mean rank IC that is"
        f" {formats.number(abs(difference), 4)} {'lower' if difference >= 0 else 'higher'}"
        f" (t of the difference {formats.number(t, 1)}). {_shown(report)}"
    )


def interval(report: Report) -> str:
    """Return what the intervals of the gate are called."""
    return f"one-sided {formats.confidence(report.settings.train.confidence)} interval"


def _shown(report: Report) -> str:
    if (report.difference_lower or 0.0) > report.settings.train.minimum_gain:
        return "That is better by more than luck explains."
    return "That is not shown to be better, and so it does not replace the champion."
