"""Sums over the scenarios that lose about a target as loops over numbers, for the compiler.

Each sum adds one scenario after the other, as ``numpy.bincount`` does, so the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray.compiled import Program


def add_reached(
    rows: Any,
    scenarios: Any,
    found: Any,
    moves: Any,
    bounds: Any,
    reaching: Any,
    inside: Any,
    loss: Any,
    sums: Any,
) -> int:
    """Count the losses that reach each target, and add up those about it and their factor moves.

    bounds (3, targets) are the target and the least and the largest loss about it. reaching, inside and loss
    (portfolios, targets) and sums (portfolios, targets, directions) are added to.
    """
    targets, directions = bounds.shape[1], moves.shape[1]
    for number in range(rows.size):
        row, scenario, lost = rows[number], scenarios[number], found[number]
        for place in range(targets):
            if lost >= bounds[0, place]:
                reaching[row, place] += 1
            if lost >= bounds[1, place] and lost <= bounds[2, place]:
                inside[row, place] += 1
                loss[row, place] += lost
                for at in range(directions):
                    sums[row, place, at] += moves[scenario, at]
    return 0


def _entry(add: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        rows: Any,
        scenarios: Any,
        found: Any,
        moves: Any,
        bounds: Any,
        reaching: Any,
        inside: Any,
        loss: Any,
        sums: Any,
        size: int,
        different: int,
        directions: int,
        portfolios: int,
        targets: int,
    ) -> int:
        return add(
            carray(rows, (size,)),
            carray(scenarios, (size,)),
            carray(found, (size,)),
            carray(moves, (different, directions)),
            carray(bounds, (3, targets)),
            carray(reaching, (portfolios, targets)),
            carray(inside, (portfolios, targets)),
            carray(loss, (portfolios, targets)),
            carray(sums, (portfolios, targets, directions)),
        )

    return entry


ADD_REACHED = Program(
    "add_reached",
    (add_reached,),
    _entry,
    ("int64*", "int64*", *["float64*"] * 3, "int64*", "int64*", "float64*", "float64*", *["int64"] * 5),
)
