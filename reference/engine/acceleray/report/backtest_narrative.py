"""The sentences about the backtest, the same on every page."""

from __future__ import annotations

from acceleray.report import formats
from acceleray.report.backtest import HEADLINE_MODEL, Backtest

__all__ = ["HEADLINE_MODEL", "JUDGED_DAYS", "VERDICTS", "crises", "record", "verdict"]

VERDICTS = {
    "passed": "Backtest passed",
    "failed": "Backtest failed",
    "short": "Too few days to judge",
    "missing": "Not backtested",
}
# Basel judges a 99 % quantile on a trading year; on fewer days no verdict is worth the name.
JUDGED_DAYS = 250
# A crisis with so many times the expected exceptions, and not just one or two, is worth a warning.
TIMES_EXPECTED, SEVERAL = 2.0, 4


def verdict(found: Backtest) -> str:
    """Return `passed`, `failed`, `short` or `missing` for the model behind the headline numbers."""
    headline = found.headline
    if headline is None:
        return "missing"
    if headline["days"] < JUDGED_DAYS:
        return "short"
    return "passed" if headline["passed"] else "failed"


def record(found: Backtest) -> str:
    """Return days and exceptions of the headline model in words; empty if it was not backtested."""
    headline = found.headline
    if headline is None:
        return ""
    return (
        f"over {formats.count(headline['days'])} out-of-sample days the model had"
        f" {formats.plural(headline['exceptions'], 'exception')} where"
        f" {formats.number(headline['expected_exceptions'], 1)} were expected"
    )


def crises(found: Backtest) -> str:
    """Return whether the model held in the crises, in words; empty if it did or none is in the data."""
    missed = [
        crisis
        for crisis in found.crises
        if crisis.exceptions >= max(SEVERAL, TIMES_EXPECTED * crisis.expected)
    ]
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
