"""Columns that are the fields of one instrument's quotes, whatever they are called: told by their numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.grid import Column, Grid, as_text
from acceleray.stages.ingest.reading.number_text import PLAIN, Decimal, plain
from acceleray.stages.ingest.reading.roles import SETTING, Layout

# More columns are instruments; fewer are no opening, high, low and close.
_FEWEST, _MOST = 4, 20
# Days that are looked at, and how many of them say anything.
_LOOK, _FEWEST_DAYS = 2_000, 60
# Fields of one day lie close to each other, and so do few prices of different instruments.
_NEAR = 0.1
# Share of days on which the high is the highest; an error in a file is no reason to take it for prices.
_ALWAYS = 0.98
# Shares of days on which opening and close are in either order, and on which one of them is the high or low.
_CROSSES, _TOUCHES = 0.1, 0.005


def refuse_quotes(grid: Grid, layout: Layout, decimal: Decimal | None) -> None:
    """Check that columns are not opening, high, low and close under names that nobody knows.

    The high is never below the others and the low never above, opening and close change places, and on some
    days one of them is the high or the low: prices of different instruments do not meet so.

    Args:
        grid: a table.
        layout: what its columns are taken for.
        decimal: the decimal mark of its numbers.

    Raises:
        PortfolioError: four of them are.
    """
    series = layout.series
    if layout.kind != "wide" or layout.skip or not _FEWEST <= len(series) <= _MOST:
        return
    names = [one.instrument for one in series]
    texts = [as_text(grid, one.price).slice(0, _LOOK) for one in series]
    numbers = np.column_stack([_numbers(column, decimal) for column in texts])
    for base in range(len(series)):
        near = _near(numbers, base)
        if near.size >= _FEWEST and (found := _ends(numbers[:, near])):
            high, low = (names[near[at]] for at in found)
            others = [names[at] for at in near.tolist() if names[at] not in (high, low)]
            raise PortfolioError(
                f"{grid.origin} looks like the quotes of one instrument: '{high}' is never below "
                f"'{others[0]}' and '{others[1]}', and '{low}' never above; {SETTING}.price to its close."
            )


def _numbers(texts: Column, decimal: Decimal | None) -> NDArray[np.float64]:
    read = plain(texts, decimal)
    found = pc.if_else(pc.match_substring_regex(read, PLAIN), read, pa.scalar(None, pa.string()))
    return np.array([np.nan if text is None else float(text) for text in found.to_pylist()])


def _near(numbers: NDArray[np.float64], base: int) -> NDArray[np.int64]:
    """Return the columns whose numbers lie near those of one of them on nearly all days."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.mean(np.abs(numbers / numbers[:, [base]] - 1.0) < _NEAR, axis=0)
    return np.flatnonzero(share >= 0.5)


def _ends(numbers: NDArray[np.float64]) -> tuple[int, int] | None:
    """Return which column is the high and which the low of the others, None if that is not so."""
    numbers = numbers[np.isfinite(numbers).all(axis=1)]
    if len(numbers) < _FEWEST_DAYS:
        return None
    high, low = (int(np.argmax(numbers.mean(axis=0))), int(np.argmin(numbers.mean(axis=0))))
    inside = np.delete(numbers, [high, low], axis=1)
    if high == low or np.mean(numbers[:, high] >= inside.max(axis=1)) < _ALWAYS:
        return None
    if np.mean(numbers[:, low] <= inside.min(axis=1)) < _ALWAYS:
        return None
    change = np.sign(inside[:, 0] - inside[:, 1])
    touches = (inside.max(axis=1) == numbers[:, high]) | (inside.min(axis=1) == numbers[:, low])
    crosses = min(np.mean(change > 0), np.mean(change < 0))
    moved = numbers[:, high] > numbers[:, low]
    return (high, low) if crosses >= _CROSSES and np.mean(touches & moved) >= _TOUCHES else None
