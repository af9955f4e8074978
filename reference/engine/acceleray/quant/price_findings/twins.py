"""Columns that are the same prices twice, or times a constant, found without comparing all pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.price_findings.finding import Finding, plain

PROJECTIONS = 6
"""Numbers that stand for a series of returns; two different series share all of them by no chance."""

TOLERANCE = 1e-9
"""Relative difference of projections up to which they are equal: rounding of the last bits, no more."""

FEWEST_RETURNS = 20
"""Shorter series may be alike by chance."""

# Odd constants of splitmix64 (Steele, Lea and Flood 2014), so that a day has the same weights in every task.
_STEP, _FIRST, _SECOND = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xBF58476D1CE4E5B9),
    np.uint64(0x94D049BB133111EB),
)


def projections(days: NDArray[np.datetime64], log_prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums of log returns with weights that only the day decides, shape (PROJECTIONS,).

    Prices times a constant have the same; what differs on one day differs in all. The first is the number of
    returns, so that histories of other lengths are not compared.

    Args:
        days: shape (prices,), ascending.
        log_prices: shape (prices,).
    """
    moves = np.diff(log_prices)
    weights = _weights(days[1:], PROJECTIONS - 1)
    return np.concatenate(([float(moves.size)], weights @ moves))


def _weights(days: NDArray[np.datetime64], number: int) -> NDArray[np.float64]:
    keys = days.astype("datetime64[D]").astype(np.int64).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = keys[None, :] * np.uint64(16) + np.arange(1, number + 1, dtype=np.uint64)[:, None]
        mixed = mixed * _STEP
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray(mixed / np.float64(2**64) * 2.0 - 1.0)


def twins(
    names: Sequence[str],
    projected: NDArray[np.float64],
    last_prices: NDArray[np.float64],
    spans: NDArray[np.datetime64],
) -> list[Finding]:
    """Return one finding for each instrument whose prices are those of an earlier one times a constant.

    Args:
        names: of the instruments, in order of preference: the first of a set of twins is the one kept.
        projected: as `projections` gives them, shape (instruments, PROJECTIONS).
        last_prices: the last adjusted price, for the constant, shape (instruments,).
        spans: first and last day, shape (instruments, 2).
    """
    found = []
    # Twins are neighbours in the order of two projections; the others decide.
    order = np.lexsort((projected[:, 1], projected[:, 0]))
    original: dict[int, int] = {}
    for place in range(1, order.size):
        here = int(order[place])
        for back in range(place - 1, -1, -1):
            there = int(order[back])
            if not _near(projected[here, :2], projected[there, :2]):
                break
            if _near(projected[here], projected[there]) and projected[here, 0] >= FEWEST_RETURNS:
                original[here] = original.get(there, there)
                break
    groups: dict[int, list[int]] = {}
    for one, first in original.items():
        groups.setdefault(first, [first]).append(one)
    for members in groups.values():
        kept, *others = sorted(members)
        for other in others:
            factor = float(last_prices[other] / last_prices[kept])
            same = abs(factor - 1.0) < TOLERANCE
            what = f"the prices of {names[kept]}" + ("" if same else f" times {plain(factor)}")
            text = f"{what} on every day, {spans[other][0]} to {spans[other][1]}: it is counted twice"
            advice = "remove one of them, or accept it in the corrections file if the book contains both"
            first_day, last_day = spans[other]
            count = int(projected[other, 0]) + 1
            found.append(
                Finding("twin", "error", names[other], first_day, last_day, count, factor, text, advice)
            )
    return sorted(found, key=lambda one: one.instrument)


def _near(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.all(np.abs(one - other) <= TOLERANCE * (1.0 + np.abs(one))))
