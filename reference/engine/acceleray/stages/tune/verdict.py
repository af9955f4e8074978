"""Verdict of a search, in words: found, weak, nothing, or suspect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from acceleray.stages.tune.leakage import Check
from acceleray.stages.tune.selection import Holdout, Worth
from acceleray.stages.tune.trial import Judged

Finding = Literal["found", "weak", "nothing", "suspect"]

# The usual bars: one chance in twenty of luck, 95 % sure that it is not, better than the median mostly.
MOST_P = 0.05
LEAST_DEFLATED_SHARPE = 0.95
MOST_OVERFITTING = 0.5


@dataclass(frozen=True)
class Verdict:
    """Finding, and the reason for it."""

    finding: Finding
    words: str


def conclude(
    chosen: Judged, worth: Worth, held: Holdout, checks: Sequence[Check], simulated: bool
) -> Verdict:
    """Return the verdict on a search.

    The holdout decides whether anything was found: validation chose the best of many, so it is biased.
    """
    suspects = [check for check in checks if check.suspected]
    if suspects:
        names = ", ".join(
            f"{name} ({max(abs(one.value) for one in suspects if one.subject == name):.2f})"
            for name in dict.fromkeys(one.subject for one in suspects)
        )
        limit = suspects[0].maximum
        return Verdict(
            "suspect",
            f"SUSPECT: {names}: rank IC above {limit:g} on real daily prices is leakage until proven "
            "otherwise; no parameters are chosen",
        )
    where = " in simulated prices" if simulated else ""
    seen = f"holdout rank IC {held.rank_ic:.3f} (t {held.rank_ic_t:.1f}, p {held.rank_ic_p:.3f})"
    if not (chosen.rank_ic > 0.0 and held.rank_ic > 0.0):
        return Verdict(
            "nothing",
            f"nothing found{where}: validation rank IC {chosen.rank_ic:.3f}, {seen}; ranks are noise",
        )
    doubts = [doubt for doubt in _doubts(worth, held) if doubt]
    if doubts:
        return Verdict("weak", f"weak{where}: {seen}, but {'; '.join(doubts)}")
    return Verdict(
        "found",
        f"found{where}: {seen}, deflated Sharpe {worth.deflated_sharpe:.2f} of "
        f"{worth.tried + worth.tried_before:,} tried, "
        f"probability of overfitting {worth.overfitting:.2f}",
    )


def _doubts(worth: Worth, held: Holdout) -> list[str]:
    doubts = []
    if math.isnan(held.rank_ic_p):
        doubts.append("the holdout is too short for a p-value")
    elif held.rank_ic_p > MOST_P:
        doubts.append(f"its p is above {MOST_P:g}")
    if math.isnan(worth.deflated_sharpe):
        doubts.append("history is too short for a deflated Sharpe ratio")
    elif worth.deflated_sharpe < LEAST_DEFLATED_SHARPE:
        tried = f"{worth.tried + worth.tried_before:,} tried"
        doubts.append(
            f"deflated Sharpe {worth.deflated_sharpe:.2f} of {tried} is below {LEAST_DEFLATED_SHARPE:g}"
        )
    if math.isnan(worth.overfitting):
        doubts.append("history is too short for a probability of overfitting")
    elif worth.overfitting > MOST_OVERFITTING:
        doubts.append(f"probability of overfitting {worth.overfitting:.2f} is above {MOST_OVERFITTING:g}")
    return doubts
