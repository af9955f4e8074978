"""The numbers of all grids: one decimal mark for a file, and the cell that is refused, by line and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.grid import Column, Grid, clean
from acceleray.stages.ingest.reading.number_text import (
    FORMS,
    SETTING,
    Decimal,
    Evidence,
    ambiguous,
    decide,
    evidence,
    form_masks,
    two_scales,
)


@dataclass(frozen=True)
class Figures:
    """One column of text with numbers.

    Attributes:
        grid: where it is.
        label: how messages name the column.
        texts: its cells.
        codes: of long data the instrument of each row as a number, else None.
    """

    grid: Grid
    label: str
    texts: Column
    codes: NDArray[np.int32] | None = None


def decimal_of(figures: Sequence[Figures], declared: str = "auto", setting: str = SETTING) -> Decimal | None:
    """Return the decimal mark of all the columns together, None if no number has one.

    Raises:
        PortfolioError: numbers contradict each other, or a mark can be decimal or for thousands.
    """
    found = [evidence(one.texts) for one in figures]
    verdict = decide(sum(found, Evidence()), declared, setting)
    if verdict.odd:
        raise _refusal(figures, verdict.odd, verdict.why)
    if declared == "auto" and verdict.decimal:
        form = f"{verdict.decimal}_open"
        for one, counts in zip(figures, found, strict=True):
            if getattr(counts, form):
                _refuse_two_scales(one, verdict.decimal, form, setting)
    return verdict.decimal


def _refuse_two_scales(one: Figures, decimal: Decimal, form: str, setting: str) -> None:
    if one.codes is None:
        if two_scales(evidence(one.texts, whole=True), decimal):
            raise _refusal([one], form, ambiguous(setting))
        return
    masks = form_masks(one.texts, whole=True)
    counts = {
        name: np.bincount(one.codes[np.flatnonzero(mask.to_numpy())], minlength=int(one.codes.max()) + 1)
        for name, mask in masks.items()
    }
    for code in np.flatnonzero(counts[form]):
        mine = Evidence(**{name: int(numbers[code]) for name, numbers in counts.items()})
        if two_scales(mine, decimal):
            rows = pa.array(np.flatnonzero(one.codes == code))
            grid = Grid(
                one.grid.origin, one.grid.name, (), (), one.grid.lines[rows.to_numpy()], one.grid.word
            )
            raise _refusal([Figures(grid, one.label, one.texts.take(rows))], form, ambiguous(setting))


def _refusal(figures: Sequence[Figures], form: str, why: str) -> PortfolioError:
    """Return the error about the first cell of a form: in the uppermost row, there the leftmost column."""
    found: tuple[int, int, Figures] | None = None
    for one in figures:
        if found and one.grid is not found[2].grid:
            break
        row = pc.index(form_masks(one.texts)[form], True).as_py()
        if row >= 0 and (found is None or one.grid.lines[row] < found[0]):
            found = int(one.grid.lines[row]), row, one
    assert found is not None
    _, row, one = found
    cell = clean(one.texts[row].as_py())
    return PortfolioError(f"{one.grid.place(row)} has '{cell}' in column {one.label}, {FORMS[form]}; {why}.")
