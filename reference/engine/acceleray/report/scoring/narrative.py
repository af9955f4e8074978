"""The sentences of the scoring page that depend on what was found."""

from __future__ import annotations

import math

import numpy as np

from acceleray.report import formats
from acceleray.report.scoring.data import Report
from acceleray.report.scoring.portfolios import MEASURES

__all__ = [
    "BADGES",
    "MEASURES",
    "adding_up",
    "alpha",
    "badge",
    "concentration",
    "contributors",
    "covered",
    "hedged",
    "history",
    "summary",
]

BADGES = {
    "passed": "Every row scored",
    "short": "Some rows quarantined",
    "missing": "Rows not recorded",
    "none": "No champion, no scores",
}
# A sum of components further from its total than this, as a share of it, does not add up.
_TOLERANCE = 1e-6


def badge(report: Report) -> str:
    """Return what became of the rows as a key of BADGES."""
    if not report.champion.uri:
        return "none"
    if report.scores.scored is None:
        return "missing"
    return "short" if report.scores.quarantined else "passed"


def summary(report: Report) -> list[str]:
    """Return the page in a few sentences, for the reader who stops there."""
    return [*_rows(report), *_champion(report), *_risk(report), *_unpriced(report)]


def _rows(report: Report) -> list[str]:
    scores = report.scores
    if scores.rows_in is None or not report.champion.uri:
        return []
    came = f"{formats.plural(scores.rows_in, 'row')} came in"
    if not scores.quarantined:
        return [f"{came} and every one was scored."]
    return [
        f"{came}: {formats.count(scores.scored)} were scored, {formats.count(scores.quarantined)} quarantined"
        " with a reason, none was lost."
    ]


def _champion(report: Report) -> list[str]:
    found = report.champion.decision
    if not report.champion.uri:
        return [
            "There are no scores: the gate refused every version of the signal model, or it was withdrawn."
            " Risk needs none, and is complete."
        ]
    if found is None:
        return [f"The scores are of model {report.champion.uri}; when it became champion is not recorded."]
    since = formats.long_date(found.effective_from)
    return [f"The scores are of version {found.version} of the signal model, champion since {since}."]


def _risk(report: Report) -> list[str]:
    book = report.portfolios
    tail = formats.confidence(1 - report.settings.risk.es_confidence)
    median = float(np.median(book.values["es_pct_nav"]))
    worst = book.riskiest[0]
    return [
        f"In the worst {tail} of simulated scenarios the median of {formats.plural(book.count, 'portfolio')}"
        f" loses {formats.percent(median)} of NAV on average over {formats.days(book.horizon_d)};"
        f" the riskiest, {worst.name}, {formats.percent(worst.es_pct_nav)}."
    ]


def _unpriced(report: Report) -> list[str]:
    partly = report.portfolios.partly_priced
    if not partly:
        return []
    most = formats.percent(float(report.portfolios.values["unpriced_pct_nav"].max()), 1)
    return [
        f"{formats.plural(partly, 'portfolio')} {'holds' if partly == 1 else 'hold'} something without a"
        f" calibrated model, up to {most} of NAV: that part is in no risk number."
    ]


def adding_up(report: Report) -> str:
    """Return whether the components add up to the portfolios' expected shortfall, in words."""
    gap = report.components.gap
    if not math.isfinite(gap):
        return "There are no components to compare with expected shortfall."
    if gap <= _TOLERANCE:
        return "In each portfolio they add up to its expected shortfall (checked before rounding)."
    return (
        "They miss the expected shortfall of a portfolio by up to"
        f" {formats.percent(100 * gap, 4)}: do not use them."
    )


def hedged(report: Report) -> bool:
    """Return whether a shown component is negative, which is a hedge."""
    values = report.components.values
    return bool((values[np.isfinite(values)] < 0).any())


def contributors(report: Report, place: int) -> str:
    """Return the instruments that add most to the risk of one shown portfolio, with their shares of it."""
    largest = report.components.largest(place)
    return ", ".join(f"{name} {formats.percent(share, 0)}" for name, share in largest) or "none"


def alpha(report: Report) -> str:
    """Return why the scores prove nothing about alpha."""
    number = formats.count(len(report.scores.values))
    if not report.champion.uri:
        return "No model scores as long as the gate finds none that ranks better than luck explains."
    if report.heading.sample:
        return (
            f"These {number} names are survivors, in the sample because they still exist. Scores from"
            f" {number} survivors prove nothing about alpha: they show that the machinery works, not that it"
            " earns money."
        )
    if report.heading.source.startswith("simulated"):
        return (
            "These prices are simulated and hold a signal that was planted in them: whatever the scores"
            " predict here says nothing about a market."
        )
    return (
        f"These {number} instruments are those of the price source; unless delisted names are among them,"
        " a good record of the scores is a record of survivors and proves nothing about alpha."
    )


def history(report: Report) -> str:
    """Return what scores of earlier dates are worth; empty if only the newest were made."""
    count = report.settings.score.history_d
    if count == 1:
        return ""
    return (
        f"This batch scored the last {formats.count(count)} dates. Earlier dates were scored by the champion"
        " of today, which has seen some of them in training: these scores are not a backtest. The table shows"
        " those of the as-of date."
    )


def concentration(report: Report) -> str:
    """Return how many of the riskiest owe most of their risk to one instrument; empty if none does."""
    riskiest = set(report.portfolios.riskiest)
    tops = [
        report.components.largest(place)[:1]
        for place, line in enumerate(report.components.portfolios)
        if line in riskiest
    ]
    count = sum(1 for top in tops if top and top[0][1] > 50)
    if not count:
        return ""
    return (
        f"In {formats.count(count)} of these {formats.count(len(tops))} one instrument makes more than half"
        " of the risk."
    )


def covered(report: Report) -> str:
    """Return what the exposures leave out, in words; empty if nothing."""
    found = report.exposures
    if not found.partly_covered:
        return ""
    one = found.partly_covered == 1
    return (
        f"{formats.plural(found.partly_covered, 'portfolio')} {'holds' if one else 'hold'} something without"
        " a beta, which adds nothing to these sums: the least that is covered is"
        f" {formats.percent(found.least_covered_pct_nav, 1)} of NAV."
    )
