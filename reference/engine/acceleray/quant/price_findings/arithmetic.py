"""Findings about an instrument whose prices may be zero or negative."""

from __future__ import annotations

import numpy as np

from acceleray.counts import counted
from acceleray.quant.price_findings.finding import Finding, Series, plain


def arithmetic(series: Series) -> Finding | None:
    """Return the finding that returns are changes over a level: how many prices have no ratio, and the
    largest change."""
    if series.level is None or not series.days.size:
        return None
    below = int(np.sum(series.adjusted <= 0.0))
    least = int(np.argmin(series.adjusted))
    text = f"changes are arithmetic, {plain(series.level)} is a return of 1: "
    if below:
        lowest = f"{plain(float(series.adjusted[least]))} on {series.days[least]}"
        text += f"{counted(below, 'price')} at or below zero, the lowest {lowest}"
    else:
        text += "no price is at or below zero"
    largest = 0.0
    changes = np.diff(series.adjusted)
    if changes.size:
        at = int(np.argmax(np.abs(changes)))
        largest = float(changes[at]) / series.level
        text += f"; the largest change is {plain(float(changes[at]))} on {series.days[at + 1]}"
    first, last = series.days[0], series.days[-1]
    return Finding("arithmetic", "info", series.instrument, first, last, below, largest, text)


def declared_only(instrument: str, day: np.datetime64) -> Finding:
    """Return the finding that a declared instrument has no prices; `day` is the first of all."""
    text = "market_data.arithmetic names it, and it has no prices"
    advice = "correct the name or remove it"
    return Finding("arithmetic", "warning", instrument, day, day, 0, 0.0, text, advice)
