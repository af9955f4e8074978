"""Looking through losses as loops over numbers, for the compiler: what NumPy does, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.compiled import Program
from acceleray.quant.path_walks import machine_code

# Portfolio, scenario and loss of some losses, portfolio after portfolio.
Large = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]


def at_least(
    losses: NDArray[np.float64], least: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return portfolio, scenario and loss of each loss (portfolios, scenarios) not below least."""
    places = np.flatnonzero(losses >= least[:, np.newaxis])
    rows = places // losses.shape[1]
    return rows, places - rows * losses.shape[1], losses.ravel()[places]


def numbered_from(
    first: int,
    losses: NDArray[np.float64],
    least: NDArray[np.float64],
    room: Large,
    compiled_in: Path | None = None,
) -> Large:
    """Return the same with portfolios numbered from ``first``, found in machine code where there is some.

    ``room`` from `room_for` is overwritten; ``compiled_in`` is where machine code is kept.
    """
    if run := machine_code(FIND_LARGE, compiled_in):
        count = run(losses, np.ascontiguousarray(least), *room, *losses.shape, first)
        return room[0][:count].copy(), room[1][:count].copy(), room[2][:count].copy()
    rows, scenarios, values = at_least(losses, least)
    return (rows + first).astype(np.int32), scenarios.astype(np.int32), values


def room_for(losses: int) -> Large:
    """Return the arrays in which losses are written down, for so many at a time."""
    return np.empty(losses, np.int32), np.empty(losses, np.int32), np.empty(losses)


def find_large(losses: Any, least: Any, rows: Any, scenarios: Any, values: Any, first: int) -> int:
    """Write down the losses that are not below the least of their portfolio; return how many there are."""
    portfolios, size = losses.shape
    count = 0
    for portfolio in range(portfolios):
        bound = least[portfolio]
        for scenario in range(size):
            loss = losses[portfolio, scenario]
            if loss >= bound:
                rows[count] = portfolio + first
                scenarios[count] = scenario
                values[count] = loss
                count += 1
    return count


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


def deal_out(rows: Any, losses: Any, places: Any, dealt: Any, first: int) -> int:
    """Write each loss of the portfolios from ``first`` on to the next place of its portfolio."""
    for number in range(rows.size):
        own = rows[number] - first
        if own >= 0 and own < places.size:
            dealt[places[own]] = losses[number]
            places[own] += 1
    return 0


def add_weighted(rows: Any, places: Any, weights: Any, values: Any, sums: Any) -> int:
    """Add to each row of ``sums`` its weighted rows of ``values``, one after the other."""
    columns = values.shape[1]
    for number in range(rows.size):
        row, place, weight = rows[number], places[number], weights[number]
        for column in range(columns):
            sums[row, column] += weight * values[place, column]
    return 0


def _find_entry(find: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        losses: Any,
        least: Any,
        rows: Any,
        scenarios: Any,
        values: Any,
        portfolios: int,
        size: int,
        first: int,
    ) -> int:
        return find(
            carray(losses, (portfolios, size)),
            carray(least, (portfolios,)),
            carray(rows, (portfolios * size,)),
            carray(scenarios, (portfolios * size,)),
            carray(values, (portfolios * size,)),
            first,
        )

    return entry


def _deal_entry(deal: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        rows: Any, losses: Any, places: Any, dealt: Any, size: int, portfolios: int, kept: int, first: int
    ) -> int:
        return deal(
            carray(rows, (size,)),
            carray(losses, (size,)),
            carray(places, (portfolios,)),
            carray(dealt, (kept,)),
            first,
        )

    return entry


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


FIND_LARGE = Program(
    "find_large",
    (find_large,),
    _find_entry,
    ("float64*", "float64*", "int32*", "int32*", "float64*", *["int64"] * 3),
)
SORT_OUT = Program(
    "sort_out",
    (sort_out,),
    _sort_entry,
    (
        *("int32*", "float64*", "int32*", "float64*", "int32*", "float64*", "int32*", "int64*"),
        *("int64*", "float64*", "int64", "int64"),
    ),
)
DEAL_OUT = Program(
    "deal_out",
    (deal_out,),
    _deal_entry,
    ("int32*", "float64*", "int64*", "float64*", *["int64"] * 4),
)
ADD_WEIGHTED = Program(
    "add_weighted",
    (add_weighted,),
    _add_entry,
    ("int32*", "int64*", *["float64*"] * 3, *["int64"] * 4),
)
