"""The sentences of the tuning page that depend on what was found."""

from __future__ import annotations

import math

from acceleray.report import formats
from acceleray.report.tuning.data import Report

BADGES = {
    "found": ("passed", "Signal found"),
    "weak": ("yellow", "Not convincing"),
    "nothing": ("yellow", "Nothing found"),
    "suspect": ("failed", "Leakage suspected"),
}
CHECKS = {
    "rank_ic": "Alone, against the target",
    "next_day_rank_ic": "Alone, against the next day",
    "validation_rank_ic": "Scores, in validation",
    "holdout_rank_ic": "Scores, in the holdout",
}


def summary(report: Report) -> list[str]:
    """Return the page in three sentences."""
    row = report.evidence
    validation, held = formats.number(row["validation_rank_ic"], 4), formats.number(row["holdout_rank_ic"], 4)
    sentences = [
        f"Of {formats.plural(row['trials'], 'trial')}, the best ranks instruments with a mean rank IC of"
        f" {validation} in validation, and of {held} (t {formats.number(row['holdout_rank_ic_t'], 1)},"
        f" p {formats.p_value(row.get('holdout_rank_ic_p'))}) in a"
        " holdout that the search never saw."
    ]
    if report.finding == "suspect":
        names = ", ".join(report.suspects)
        sentences.append(
            f"That is too good: more than {formats.number(report.settings.leakage.maximum_rank_ic)} on real"
            f" daily prices is leakage until proven otherwise. Under suspicion: {names}. No parameters are"
            " chosen; find out what knows the future first."
        )
    elif report.finding == "found":
        sentences.append("That is more than luck explains, by every measure below.")
    elif report.finding == "weak":
        reason = str(row["verdict"]).partition(", but ")[2]
        sentences.append(f"That does not convince: {reason or 'see below'}.")
    else:
        sentences.append("That is what noise looks like: no skill is to be expected of these parameters.")
    if report.simulated:
        sentences.append(
            "Prices are simulated, with a signal planted in them: this shows that the search works, and says"
            " nothing about any market."
        )
    return sentences


def stopping(report: Report) -> str:
    """Return how much work was saved, in words."""
    row = report.evidence
    share = row["rounds_spent"] / row["rounds_full"] if row["rounds_full"] else math.nan
    return (
        f"{formats.count(row['stopped'])} of {formats.plural(row['trials'], 'trial')} were stopped early,"
        f" {formats.count(row['completed'])} ran to the end and {formats.count(row['failed'])} failed."
        f" {formats.count(row['rounds_spent'])} boosting rounds count, {formats.share(share, 0)} of the"
        f" {formats.count(row['rounds_full'])} that all of them would have taken."
    )


def luck(report: Report) -> list[str]:
    """Return what the deflated Sharpe ratio and the probability of overfitting say, in plain words."""
    row = report.evidence
    sentences = []
    sharpe, highest = row["sharpe"], row["expected_maximum_sharpe"]
    if sharpe is None or highest is None or row["deflated_sharpe"] is None:
        sentences.append("History is too short to say what the Sharpe ratio of the best trial is worth.")
    else:
        sentences.append(
            f"Over {formats.plural(row['periods'], 'period')} of {formats.days(horizon(report))} that do not"
            f" overlap, the best trial's spread has a Sharpe ratio of {formats.number(sharpe, 3)} a period."
            f" {_tried(report)} The best of so many without any skill would be expected to reach"
            f" {formats.number(highest, 3)}."
            f" The probability that its true Sharpe ratio is above that is"
            f" {formats.share(row['deflated_sharpe'], 0)}; 95{formats.NO_BREAK}% would convince."
        )
    if row["overfitting"] is None:
        sentences.append("History is too short for a probability of overfitting.")
    else:
        sentences.append(
            f"Cut into {formats.count(row['overfitting_blocks'])} blocks, the trial that is best in one half"
            f" of history is in the worse half of all trials in the other half"
            f" {formats.share(row['overfitting'], 0)} of the time. Choosing at random gives"
            f" 50{formats.NO_BREAK}%: {_choosing(row['overfitting'])}."
        )
    return sentences


def plain(value: float) -> str:
    """Return a hyperparameter by its leading digits, without an exponent."""
    return formats.number(value, 0) if abs(value) >= 100 else formats.significant(value)


def verdict(report: Report) -> str:
    """Return the verdict as a sentence."""
    words = formats.printable(report.evidence["verdict"])
    return f"{words[:1].upper()}{words[1:]}."


def horizon(report: Report) -> int:
    """Return the horizon of the target in trading days."""
    return report.settings.features.horizon_d


def _tried(report: Report) -> str:
    row = report.evidence
    if row.get("tried") is None:
        return f"{formats.count(len(report.usable))} trials were made."
    each = f"{formats.count(row['tried'])} could have been chosen: each trial after each report"
    before = row.get("tried_before") or 0
    if not before:
        return f"{each}; no search before on these prices is recorded."
    return f"{each}; searches before on these prices tried {formats.count(before)} more, which count as well."


def _choosing(overfitting: float) -> str:
    if overfitting > 0.5:
        return "choosing the best did worse than that"
    if overfitting > 0.25:
        return "choosing the best helped little"
    return "choosing the best helped"
