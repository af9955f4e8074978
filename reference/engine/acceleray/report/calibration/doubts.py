"""Which fits to look at first, and how far fits moved since the one before."""

from __future__ import annotations

import math
from dataclasses import dataclass

from acceleray.report import formats
from acceleray.report.fits import Calibrated, Fits

SHOWN_DOUBTS = 25
SHOWN_DRIFTS = 40
# From half its size on, a standard error leaves open whether the parameter is there at all (|t| below 2).
WIDE = 0.5
_NAMES = {"omega": "omega", "beta": "beta", "nu": "degrees of freedom"}


@dataclass(frozen=True)
class Doubt:
    """One fit with what speaks against it, the gravest first."""

    fit: Calibrated
    reasons: tuple[str, ...]
    ratio: float


@dataclass(frozen=True)
class Drift:
    """How far the forecasts of tomorrow moved from the scheduled fit before, largest movement first.

    `limit` is the largest log ratio that does not count as drift.
    """

    fits: tuple[Calibrated, ...]
    drifted: int
    compared: int
    limit: float


def worst(fits: Fits) -> tuple[Doubt, ...]:
    """Return all fits that anything speaks against: not converged, at a bound, uncertain, or hard to find."""
    found = []
    for fit in fits.fitted:
        reasons = []
        name, ratio = fit.widest
        if not fit.converged:
            reasons.append("the optimiser did not converge")
        if fit.at_bound:
            reasons.append(f"at a bound: {fit.at_bound}")
        if not name:
            reasons.append("no standard errors")
        elif ratio > WIDE:
            reasons.append(f"standard error of {_NAMES[name]} is {formats.number(ratio, 1)} times its value")
        if fit.starts > 1:
            reasons.append(f"found after {formats.count(fit.starts)} starts")
        if reasons:
            found.append(Doubt(fit, tuple(reasons), ratio))
    found.sort(
        key=lambda doubt: (
            doubt.fit.converged,
            not doubt.fit.at_bound,
            -doubt.ratio if math.isfinite(doubt.ratio) else -math.inf,
            -doubt.fit.starts,
            doubt.fit.instrument,
        )
    )
    return tuple(found)


def drift(fits: Fits, limit: float) -> Drift:
    """Return the fits that have one before them, the largest movement of volatility first."""
    compared = [fit for fit in fits.fitted if fit.drift is not None and math.isfinite(fit.drift)]
    compared.sort(key=lambda fit: (-abs(fit.drift or 0.0), fit.instrument))
    beyond = sum(1 for fit in compared if abs(fit.drift or 0.0) > limit)
    return Drift(tuple(compared[:SHOWN_DRIFTS]), beyond, len(compared), limit)
