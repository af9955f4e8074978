"""Utilisation: a value over its limit, and the state that follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GREEN, AMBER, RED, NOT_EVALUATED = "green", "amber", "red", "not evaluated"
STATES = (RED, AMBER, NOT_EVALUATED, GREEN)
"""In the order in which people look at them."""
# 0.8 times a limit, as a value, must be at the warning level whatever its last bits are.
_DECIMALS = 9


def utilisation(values: NDArray[np.float64], limit: float, sign: str) -> NDArray[np.float64]:
    """Return values (portfolios,) over a limit, in % of it and rounded to 1e-9 %; NaN where there is none.

    With the sign `loss` a value below zero is a gain and uses nothing; with `either` it counts by its size.
    """
    used = np.maximum(values, 0.0) if sign == "loss" else np.abs(values)
    return np.round(100.0 * used / limit, _DECIMALS)


def states(utilised_pct: NDArray[np.float64], warning: float) -> NDArray[np.object_]:
    """Return the state of each utilisation (portfolios,) in %: red above the limit, amber from `warning` on.

    `warning` is a share of the limit. A limit that is used up is not breached: what may be risked is risked.
    """
    with np.errstate(invalid="ignore"):
        chosen = [
            np.isnan(utilised_pct),
            utilised_pct > 100.0,
            utilised_pct >= round(100.0 * warning, _DECIMALS),
        ]
    return np.select(chosen, [NOT_EVALUATED, RED, AMBER], GREEN).astype(object)
