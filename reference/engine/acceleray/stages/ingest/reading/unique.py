"""One price per instrument and day: what is there twice is refused with both lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.grid import Grid


@dataclass(frozen=True)
class Keys:
    """The rows of a grid: the day of each, and of long data its instrument."""

    grid: Grid
    days: NDArray[np.datetime64]
    instruments: tuple[str, ...]
    codes: NDArray[np.int32] | None = None


def refuse_repeated(parts: Sequence[Keys]) -> None:
    """Check that no instrument has two rows for one day, within a file or in two of them.

    Raises:
        PortfolioError: one has.
    """
    for part in parts:
        _refuse_within(part)
    where: dict[str, list[int]] = {}
    for number, part in enumerate(parts):
        for name in part.instruments:
            where.setdefault(name, []).append(number)
    for name, numbers in where.items():
        seen: dict[np.datetime64, tuple[Keys, int]] = {}
        for part in (parts[number] for number in numbers if len(numbers) > 1):
            for row in _rows(part, name):
                day = part.days[row]
                if day in seen:
                    other, first = seen[day]
                    raise PortfolioError(
                        f"{part.grid.place(row)} has {day} again for {name}, after {other.grid.word.lower()} "
                        f"{other.grid.lines[first]} of {other.grid.origin}; keep one row per date and "
                        "instrument."
                    )
                seen[day] = part, int(row)


def _rows(part: Keys, name: str) -> NDArray[np.int64]:
    kept = ~np.isnat(part.days)
    if part.codes is not None:
        kept &= part.codes == part.instruments.index(name)
    return np.flatnonzero(kept)


def _refuse_within(part: Keys) -> None:
    keys = part.days.astype("int64")
    if part.codes is not None:
        keys = part.codes.astype("int64") * 10_000_000 + keys
    twice = pd.Series(keys).duplicated().to_numpy() & ~np.isnat(part.days)
    if not twice.any():
        return
    row = int(np.argmax(twice))
    first = int(np.argmax(keys == keys[row]))
    whose = f" for {part.instruments[part.codes[row]]}" if part.codes is not None else ""
    others = int(twice.sum()) - 1
    verb = "repeats" if others == 1 else "repeat"
    more = f" ({counted(others, 'more row')} {verb} a date)" if others else ""
    keep = "keep one row per date"
    if part.codes is not None:
        keep += " and instrument"
    raise PortfolioError(
        f"{part.grid.place(row)} has {part.days[row]} again{whose}, after "
        f"{part.grid.word.lower()} {part.grid.lines[first]}{more}; {keep}."
    )
