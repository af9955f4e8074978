"""The sentences of the signals page that depend on what was found."""

from __future__ import annotations

from acceleray.report import formats
from acceleray.report.signals.data import Line, Report

# Styles of decisions: names of the style sheet for good, doubtful and bad.
STYLES = {"use": "passed", "watch": "missing", "suspect": "failed", "reject": "plain"}


def badge(report: Report) -> tuple[str, str]:
    """Return style and words of the badge next to the title."""
    if suspect := report.decided("suspect"):
        return "failed", f"{formats.count(len(suspect))} suspect"
    kept = len(_signals(report.decided("use")))
    if not kept:
        return "missing", "None survives"
    return "passed", f"{formats.count(kept)} of {formats.count(len(report.signals))} survive"


def summary(report: Report) -> list[str]:
    """Return the page in a few sentences: how many survive, and what that means."""
    sentences = []
    if suspect := report.decided("suspect"):
        highest = formats.number(report.settings.leakage.maximum_rank_ic, 2)
        sentences.append(
            f"Find a leak before anything else: {_named(suspect)} "
            f"{'ranks' if len(_signals(suspect)) == 1 else 'rank'} instruments better than daily prices "
            f"allow (rank IC beyond {highest}), which is probable leakage until proven otherwise."
        )
    kept = report.decided("use")
    signals, horizons = len(report.signals), len(report.horizons_d)
    looked = (
        f"{formats.plural(signals, 'signal')} at {formats.plural(horizons, 'horizon')}, "
        f"{formats.plural(report.luck.tests, 'test')} in all"
    )
    if kept:
        number = len(_signals(kept))
        sentences.append(
            f"{formats.count(number)} of {looked}, {'survives' if number == 1 else 'survive'} every bar: "
            f"{_named(kept)}. That is worth a test on data that nobody has looked at; it proves no alpha."
        )
    else:
        sentences.append(
            f"Of {looked}, none survives every bar: on these prices no signal can be told from luck well "
            "enough to be used. That is a result, and the usual one."
        )
    if watch := report.decided("watch"):
        sentences.append(f"To watch: {_named(watch)}.")
    rate = report.settings.signals.false_discovery_rate
    sentences.append(
        f"Without counting the tests, {formats.count(report.luck.alone)} would have been called significant "
        f"at {formats.share(rate, 0)}."
    )
    return sentences


def caution(report: Report) -> str:
    """Return what no number on this page can prove."""
    if report.simulated:
        return (
            "These prices are simulated, and whatever survives was planted in them. That it is found shows "
            "that the method works; it says nothing about markets."
        )
    number = formats.count(report.quality.instruments)
    if report.heading.sample:
        return (
            f"{number} companies that survived prove nothing about alpha, whatever this table says: those "
            "that failed are not in the sample, and others found these signals on the same decades."
        )
    return (
        f"{number} instruments prove little about alpha, whatever this table says, and nothing at all if "
        "names that vanished are not among them. The bars keep luck out; they do not see a biased sample, a "
        "crowded trade or a changed world."
    )


def luck(report: Report) -> str:
    """Return how many tests luck alone would have let through."""
    rate = formats.share(report.settings.signals.false_discovery_rate, 0)
    found = report.luck
    expected = formats.number(found.expected, 1)
    if found.alone <= found.expected:
        comparison = "No more than that look significant here: as a whole these signals look like noise."
    elif found.hochberg:
        comparison = "The correction keeps those that luck does not explain."
    else:
        comparison = (
            "More than that look significant here, but signals resemble each other, so lucky ones come in "
            "groups; after the correction none is left."
        )
    return (
        f"Of {formats.plural(found.tests, 'test')} of signals that are nothing but noise, {expected} would "
        f"look significant at {rate}, on average. {comparison}"
    )


def holding(line: Line) -> str:
    """Return what a signal's direction means."""
    return "hold high values" if line.direction > 0 else "hold low values"


def _signals(lines: tuple[Line, ...]) -> list[str]:
    return list(dict.fromkeys(line.signal for line in lines))


def _named(lines: tuple[Line, ...]) -> str:
    """Return signals with their horizons, `a (5 and 21 days), b (63 days)`; beyond four how many more."""
    names = _signals(lines)
    parts = []
    for name in names[:4]:
        spans = [str(line.horizon_d) for line in sorted(lines, key=lambda each: each.horizon_d)
                 if line.signal == name]  # fmt: skip
        joined = spans[0] if len(spans) == 1 else f"{', '.join(spans[:-1])} and {spans[-1]}"
        parts.append(f"{name} ({joined}{formats.NO_BREAK}{'day' if joined == '1' else 'days'})")
    if more := names[4:]:
        parts.append(f"and {formats.count(len(more))} more")
    return ", ".join(parts)
