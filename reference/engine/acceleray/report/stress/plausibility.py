"""How plausible a stress scenario is, in words that its window and its data bear out."""

from __future__ import annotations

import math

from acceleray.report import formats

# A normal law is believed this much further than the spans of that length behind the covariance.
_BEYOND_THE_DATA = 10.0


def span(horizon_m: float | None) -> str:
    """Return a horizon in words: days of a short one, else months."""
    if horizon_m is None or not math.isfinite(horizon_m):
        return "n/a"
    if horizon_m < 1.0:
        return formats.days(round(21.0 * horizon_m))
    months = round(horizon_m, 1)
    return "1 month" if months == 1.0 else f"{months:g} months"


def words(kind: str, tail: float | None, horizon_m: float | None, months: int | None) -> str:
    """Return how often a normal law would let a scenario happen, where that may be said at all.

    A replay was chosen because of what happened in it: no chance of it means anything. A shock that is rarer
    than ten times the spans behind its covariance is farther than these data can tell.
    """
    if tail is None or horizon_m is None or not math.isfinite(tail) or not math.isfinite(horizon_m):
        return "not measured"
    if kind == "replay":
        return "a window chosen for its losses: no chance is given"
    seen = (months or 0) / horizon_m
    if tail * _BEYOND_THE_DATA * seen < 1.0:
        spans = formats.plural(max(math.floor(seen), 0), "span")
        return f"farther than the data, {spans} of {span(horizon_m)}, can tell"
    return f"about one in {rounded(1.0 / tail)} spans of {span(horizon_m)} under a normal law"


def rounded(value: float) -> str:
    """Return a number with two significant digits: more would pretend to know."""
    digits = 1 - math.floor(math.log10(value)) if value > 0 else 0
    return formats.number(round(value, digits), max(digits, 0) if value < 10 else 0)
