"""The rule that was fixed before looking: which bars a signal must clear, and in words which it did not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from acceleray.counts import counted
from acceleray.settings import Settings

# The order in which an analyst reads them.
DECISIONS = ("use", "watch", "suspect", "reject")
# A signal adds to others if what they do not explain of it is this far from zero.
MARGINAL_T = 2.0


@dataclass(frozen=True)
class Evidence:
    """Measures of one signal at one horizon; NaN where it could not be computed.

    `tests` is the number of tests made in this run, and `before` that of the signals it was compared with.
    """

    rank_ic: float
    low: float
    high: float
    t: float
    p_value: float
    q_hochberg: float
    q_yekutieli: float
    net_information_ratio: float
    marginal_t: float
    direction: int
    tests: int
    before: int


def ceiling(settings: Settings, source: str) -> float:
    """Return the largest mean rank IC that is believed: none where the signal was planted on purpose."""
    return math.inf if source.startswith("simulated") else settings.leakage.maximum_rank_ic


def decide(found: Evidence, settings: Settings, source: str) -> tuple[str, str]:
    """Return a decision and its reason, one sentence in plain words.

    * suspect: the rank IC is larger than daily prices give, and than luck gives in so short a history; where
      luck may have given it, the reason still says that it is too large.
    * use: it survives Benjamini-Yekutieli, |t| reaches the hurdle, the bootstrap interval excludes zero, the
      net information ratio is positive, and it adds to the signals before it.
    * watch: it survives Benjamini-Hochberg, but not all of that.
    * reject: anything else.
    """
    rate = settings.signals.false_discovery_rate
    highest = ceiling(settings, source)
    # Without a spread of the rank IC there is no t: one that is the same every day is no luck either.
    lucky = math.isfinite(found.t) and not found.p_value <= rate
    if abs(found.rank_ic) > highest and not lucky:
        return "suspect", (
            f"A mean rank IC of {found.rank_ic:+.2f} is beyond the {highest:g} that daily prices may give: "
            "probable leakage until proven otherwise; look for a value that was not known on its date."
        )
    if not math.isfinite(found.q_hochberg):
        return "reject", "There are too few days or instruments to tell it from luck."
    fallen = _fallen(found, settings)
    if not fallen:
        return "use", (
            f"Clears every bar: q {_share(found.q_yekutieli)} under any dependence, |t| {abs(found.t):.1f}, "
            f"interval on one side of zero, net information ratio {found.net_information_ratio:.2f}, and it "
            f"{_adds(found)}."
        )
    if found.q_hochberg <= rate:
        return "watch", f"Luck is unlikely (q {_share(found.q_hochberg)}), but {_listed(fallen)}."
    also = f"; besides, {_listed(fallen[1:])}" if fallen[1:] else ""
    reason = (
        f"Not told from luck: among {counted(found.tests, 'test')} a |t| of {abs(found.t):.1f} has "
        f"q {_share(found.q_hochberg)}, above {_share(rate)}{also}."
    )
    if abs(found.rank_ic) > highest:
        reason += (
            f" A mean rank IC of {found.rank_ic:+.2f} is beyond the {highest:g} that daily prices may give: "
            "probable leakage, unless the history is that short."
        )
    return "reject", reason


def _fallen(found: Evidence, settings: Settings) -> list[str]:
    """Return the bars that were not cleared, the first of them always that of multiple testing."""
    chosen = settings.signals
    fallen = []
    if not found.q_yekutieli <= chosen.false_discovery_rate:
        fallen.append(f"q under any dependence is {_share(found.q_yekutieli)}")
    if not abs(found.t) >= chosen.minimum_t:
        fallen.append(f"|t| {abs(found.t):.1f} is below {chosen.minimum_t:g}")
    if not (found.low > 0.0 or found.high < 0.0):
        fallen.append("its interval holds zero")
    if not found.net_information_ratio > 0.0:
        fallen.append("costs eat its spread")
    if not found.direction * found.marginal_t >= MARGINAL_T:
        # NaN: there were not enough instruments to regress on so many signals.
        fallen.append(
            f"it adds nothing to the {_signals(found.before)} before it (t {_tenths(found.marginal_t)})"
            if math.isfinite(found.marginal_t)
            else f"too few instruments show whether it adds to the {_signals(found.before)} before it"
        )
    return fallen


def _adds(found: Evidence) -> str:
    if not found.before:
        return "leads its horizon"
    return f"adds to the {_signals(found.before)} before it (t {abs(found.marginal_t):.1f})"


def _signals(count: int) -> str:
    return "signal" if count == 1 else f"{count} signals"


def _tenths(value: float) -> str:
    # A value that rounds to zero has no sign.
    return f"{round(value, 1) + 0.0:.1f}"


def _share(value: float) -> str:
    return f"{100.0 * value:.2g} %" if value < 0.0995 else f"{100.0 * value:.0f} %"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
