"""Which delivered rows differ from those a table holds, and the part of the table that has to be replaced.

A file comes whole every morning, and all of it but a day is what is held. So rows are compared, by instrument
and date, and only the part of the table is written in which anything differs: everything from a day on, and
the whole of instruments that differ before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.runtime.run import Run
from acceleray.tables.contract import Table, literal, quoted

NOTHING = "false"
"""The condition of a part without any row."""

# A key is a place among the names and a day, years 1 to 9999, in one number.
_DAY_BITS, _FIRST_DAY = 22, 1 << 20
# Instruments that are named in a condition at most; with more of them everything is replaced.
_MOST_NAMED = 500
# Replaced rows, as a share of all, from which everything is replaced: files are written again as a whole.
_MOST_REPLACED = 0.5

Keys = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The part of a table to replace: rows from `first` on, and all rows of `named`; None is everything."""

    first: np.datetime64 | None
    named: tuple[str, ...]

    @property
    def where(self) -> str:
        """Return the condition of its rows, in SQL."""
        said = [] if self.first is None else [f"date >= DATE'{self.first}'"]
        if self.named:
            said.append(f"{quoted('instrument_id')} IN ({', '.join(map(literal, self.named))})")
        return " OR ".join(said) or NOTHING

    def rows(self, rows: pa.Table) -> pa.Table:
        """Return those of the rows that are in it, in their order."""
        mask = pc.is_in(rows["instrument_id"], pa.array(self.named, pa.string())) if self.named else None
        if self.first is not None:
            late = pc.greater_equal(rows["date"], pa.scalar(self.first.item(), pa.date32()))
            mask = late if mask is None else pc.or_(mask, late)
        return rows.slice(0, 0) if mask is None else rows.filter(mask)


@dataclass(frozen=True)
class Moved:
    """Delivered rows against held ones.

    Attributes:
        given: the delivered rows.
        held: the rows held, with the columns that were compared.
        given_at: places of given rows that are held with other values, shape (rows,).
        held_at: places of the held ones, shape (rows,).
        part: what has to be replaced; None if that is everything.
        same: whether every row given is held and no other.
    """

    given: pa.Table
    held: pa.Table
    given_at: NDArray[np.int64]
    held_at: NDArray[np.int64]
    part: Part | None
    same: bool

    def both(self) -> tuple[pa.Table, pa.Table]:
        """Return the rows given and held that have the same key and other values."""
        return self.given.take(pa.array(self.given_at)), self.held.take(pa.array(self.held_at))


def held_rows(run: Run, table: Table, *columns: str) -> pa.Table:
    """Return instrument_id, date and other columns of this source's rows; none without a table."""
    names = (
        ("instrument_id", "date", *columns) if "instrument_id" in table.column_names else ("date", *columns)
    )
    narrow = replace(table, columns=tuple(one for one in table.columns if one.name in names))
    return (
        run.rows(narrow).select(list(names)) if run.lake.exists(table) else narrow.arrow_schema.empty_table()
    )


def compare(given: pa.Table, held: pa.Table) -> Moved:
    """Return where rows differ in the columns of `held`.

    Args:
        given: delivered rows, with at least the columns of `held`.
        held: instrument_id, date and the columns that are compared; keys are unique in both.
    """
    if not held.num_rows:
        none = np.zeros(0, np.int64)
        return Moved(given, held, none, none, None, not given.num_rows)
    names = pa.chunked_array([*given["instrument_id"].chunks, *held["instrument_id"].chunks], pa.string())
    names = names.unique()
    new, old = _keys(given, names), _keys(held, names)
    by_key, held_by_key = _order(new), _order(old)
    new, old = new[by_key], old[held_by_key]
    at = np.minimum(np.searchsorted(new, old), max(new.size - 1, 0))
    found = new[at] == old if new.size else np.zeros(old.size, dtype=bool)
    given_at, held_at = by_key[at[found]], held_by_key[found]
    differs = np.zeros(given_at.size, dtype=bool)
    for name in held.column_names:
        if name not in ("instrument_id", "date"):
            differs |= _differ(given[name], held[name], given_at, held_at)
    there = np.zeros(new.size, dtype=bool)
    there[at[found]] = True
    moved = np.concatenate((new[~there], old[~found], old[found][differs]))
    part = _part(moved, new, names)
    return Moved(given, held, given_at[differs], held_at[differs], part, not moved.size)


def _keys(rows: pa.Table, names: pa.Array) -> Keys:
    codes = pc.index_in(rows["instrument_id"], names).to_numpy().astype(np.int64)
    days = rows["date"].cast(pa.int32()).to_numpy().astype(np.int64)
    return np.asarray((codes << _DAY_BITS) + (days + _FIRST_DAY))


def _order(keys: Keys) -> NDArray[np.int64]:
    # Delivered rows are in this order already, most of the time.
    return np.arange(keys.size) if bool(np.all(keys[1:] > keys[:-1])) else np.argsort(keys, kind="stable")


def _differ(
    given: pa.ChunkedArray, held: pa.ChunkedArray, given_at: NDArray[np.int64], held_at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    if pa.types.is_floating(held.type):
        # NULL becomes NaN, which differs from everything.
        return np.asarray(given.to_numpy()[given_at] != held.to_numpy()[held_at])
    equal = pc.equal(given.take(pa.array(given_at)), held.take(pa.array(held_at)))
    return np.asarray(~np.asarray(pc.fill_null(equal, False).to_numpy(), dtype=bool))


def _part(moved: Keys, given: Keys, names: pa.Array) -> Part | None:
    """Return the smallest part of all rows that has every key that moved in it."""
    if not moved.size:
        return Part(None, ())
    codes, days = moved >> _DAY_BITS, moved & ((1 << _DAY_BITS) - 1)
    never = np.iinfo(np.int64).max
    first = np.full(len(names), never)
    np.minimum.at(first, codes, days)
    rows = np.bincount(given >> _DAY_BITS, minlength=len(names))
    all_days = np.sort(given & ((1 << _DAY_BITS) - 1))
    # From each day on which an instrument begins to differ, or never: those that differ before it are named.
    order = np.argsort(first, kind="stable")[: int(np.sum(first < never))]
    begins = np.append(first[order], never)
    since = all_days.size - np.searchsorted(all_days, begins)
    before = np.concatenate(([0], np.cumsum(rows[order])))[np.searchsorted(begins[:-1], begins)]
    best = int(np.argmin(since + before))
    named = np.sort(order[begins[:-1] < begins[best]])
    if len(named) > _MOST_NAMED or (since + before)[best] > _MOST_REPLACED * given.size:
        return None
    day = None if begins[best] == never else np.datetime64(int(begins[best]) - _FIRST_DAY, "D")
    return Part(day, tuple(names.take(pa.array(named)).to_pylist()))
