"""Looking through losses as loops over numbers, for the compiler: what NumPy does, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acceleray.compiled import Program


def sort_out(
    rows: Any,
    losses: Any,
    scenarios: Any,
    bounds: Any,
    kept_rows: Any,
    kept_losses: Any,
    kept_scenarios: Any,
    above: Any,
    counts: Any,
    sums: Any,
) -> int:
    """Part losses into those in the brackets of their portfolios and those above; return how many are kept.

    bounds (3, portfolios) are low, high and floor. What is kept is copied, ``above`` gets the places of the
    others; counts (2, portfolios) and sums (2, portfolios), zeros before, are how many are kept and how many
    are above, and of these the sums of the excess over the floor and of its square.
    """
    low, high, floor = bounds[0], bounds[1], bounds[2]
    kept, over = 0, 0
    for place in range(rows.size):
        row, loss = rows[place], losses[place]
        if loss > high[row]:
            above[over] = place
            over += 1
            excess = loss - floor[row]
            counts[1, row] += 1
            sums[0, row] += excess
            sums[1, row] += excess * excess
        elif loss >= low[row]:
            kept_rows[kept] = row
            kept_losses[kept] = loss
            kept_scenarios[kept] = scenarios[place]
            kept += 1
            counts[0, row] += 1
    return kept


def add_weighted(rows: Any, places: Any, weights: Any, values: Any, sums: Any) -> int:
    """Add to each row of ``sums`` its weighted rows of ``values``, one after the other."""
    columns = values.shape[1]
    for number in range(rows.size):
        row, place, weight = rows[number], places[number], weights[number]
        for column in range(columns):
            sums[row, column] += weight * values[place, column]
    return 0


def _add_entry(add: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        rows: Any,
        places: Any,
        weights: Any,
        values: Any,
        sums: Any,
        size: int,
        scenarios: int,
        portfolios: int,
        columns: int,
    ) -> int:
        return add(
            carray(rows, (size,)),
            carray(places, (size,)),
            carray(weights, (size,)),
            carray(values, (scenarios, columns)),
            carray(sums, (portfolios, columns)),
        )

    return entry


def _sort_entry(sort: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        rows: Any,
        losses: Any,
        scenarios: Any,
        bounds: Any,
        kept_rows: Any,
        kept_losses: Any,
        kept_scenarios: Any,
        above: Any,
        counts: Any,
        sums: Any,
        size: int,
        portfolios: int,
    ) -> int:
        return sort(
            carray(rows, (size,)),
            carray(losses, (size,)),
            carray(scenarios, (size,)),
            carray(bounds, (3, portfolios)),
            carray(kept_rows, (size,)),
            carray(kept_losses, (size,)),
            carray(kept_scenarios, (size,)),
            carray(above, (size,)),
            carray(counts, (2, portfolios)),
            carray(sums, (2, portfolios)),
        )

    return entry


SORT_OUT = Program(
    "sort_out",
    (sort_out,),
    _sort_entry,
    (
        *("int32*", "float64*", "int32*", "float64*", "int32*", "float64*", "int32*", "int64*"),
        *("int64*", "float64*", "int64", "int64"),
    ),
)
ADD_WEIGHTED = Program(
    "add_weighted",
    (add_weighted,),
    _add_entry,
    ("int32*", "int64*", *["float64*"] * 3, *["int64"] * 4),
)
