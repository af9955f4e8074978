"""Positions as received: one row per line of the files, its numbers read, and why a row is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.as_json import objects
from acceleray.stages.book.reading.cells import Numbers, days_of, names, numbers_of, raw_texts
from acceleray.stages.book.reading.columns import AMOUNTS, IDENTIFIERS
from acceleray.stages.book.reading.mapping import BOOK_FILE, PositionsMap
from acceleray.stages.book.reading.sheets import Sheet
from acceleray.stages.ingest.reading.grid import Grid

TEXTS = (
    *IDENTIFIERS, "name", "currency", "instrument_currency", "type", "asset_class", "sector", "country",
    "issuer", "price_unit", "put_call", "amount_type",
)  # fmt: skip
"""Columns of words; '' where a row has none or the file has no such column."""
_TOTALS = ("total", "totals", "grand total", "sum", "subtotal", "summe", "gesamt", "gesamtsumme", "total:")
# Of a row whose identifiers are all empty, where others have some: no share is called so.
_TOTAL_OF = r"^(sub-?|grand )?total\b|^(zwischen)?summe\b|^sum of\b"
DECIMAL = "positions.decimal in " + BOOK_FILE
"""The setting that says which mark is the decimal one."""


def position_rows(sheets: Sequence[Sheet], how: PositionsMap) -> pa.Table:
    """Return one row per line of the files.

    Columns: file, line, portfolio_id, as_of, those of `TEXTS`, amounts and multiplier (NaN where there is
    none), `half_unit` (half of the last decimal that the weight is written with), groups and cells (JSON
    texts), and reason (NULL where the row can be used).

    Raises:
        PortfolioError: a column of portfolios is missing, or dates or numbers allow more than one reading.
    """
    wanted = [
        (number, role)
        for number, sheet in enumerate(sheets)
        for role in (*AMOUNTS, "multiplier")
        if role in sheet.roles.at
    ]
    places = [(sheets[number].grid, sheets[number].roles.at[role]) for number, role in wanted]
    read, signs = numbers_of(places, how.decimal, DECIMAL)
    numbers = dict(zip(wanted, read, strict=True))
    per_cent = {
        number: sheets[number].roles.per_cent or sign
        for (number, role), sign in zip(wanted, signs, strict=True)
        if role == "weight"
    }
    dated = [number for number, sheet in enumerate(sheets) if "as_of" in sheet.roles.at]
    days = days_of([(sheets[number].grid, sheets[number].roles.at["as_of"]) for number in dated])
    by_sheet = dict(zip(dated, days, strict=True))
    parts = []
    for number, sheet in enumerate(sheets):
        mine = {role: found for (at, role), found in numbers.items() if at == number}
        parts.append(_rows(sheet, how, mine, by_sheet.get(number), per_cent.get(number, False)))
    return pa.concat_tables(parts).combine_chunks()


def free(reason: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return which rows have no reason to be kept out."""
    return np.asarray(pd.isna(reason))


def place_of(rows: pa.Table, row: int) -> str:
    """Return the beginning of a message about a row."""
    return f"Line {rows['line'][row].as_py()} of {rows['file'][row].as_py()}"


def _rows(
    sheet: Sheet,
    how: PositionsMap,
    numbers: dict[str, Numbers],
    days: NDArray[np.datetime64] | None,
    per_cent: bool,
) -> pa.Table:
    grid, at = sheet.grid, sheet.roles.at
    count = len(grid.lines)
    nothing = pa.array(np.full(count, ""), pa.string())
    columns: dict[str, pa.Array] = {
        "file": pa.array([PurePath(grid.origin).name] * count, pa.string()),
        "line": pa.array(grid.lines, pa.int64()),
        "portfolio_id": _portfolios(sheet, how),
        "as_of": pa.array(np.full(count, np.datetime64("NaT", "D")) if days is None else days, pa.date32()),
    }
    columns |= {role: names(grid, at[role]) if role in at else nothing for role in TEXTS}
    values = {
        role: _scaled(role, numbers.get(role), count, how, per_cent) for role in (*AMOUNTS, "multiplier")
    }
    columns |= {role: pa.array(found) for role, found in values.items()}
    columns["half_unit"] = pa.array(_half_unit(numbers.get("weight"), count, per_cent))
    columns["groups"] = _groups(sheet, how, count)
    shown = [place for place in range(len(grid.columns)) if grid.header[place]]
    columns["cells"] = objects(
        [grid.header[place] for place in shown], [raw_texts(grid, place).combine_chunks() for place in shown]
    )
    columns["reason"] = _reasons(grid, columns, numbers, days)
    return pa.table(columns)


def _portfolios(sheet: Sheet, how: PositionsMap) -> pa.Array:
    grid, at = sheet.grid, sheet.roles.at
    if how.portfolio_id or how.portfolio_is_file_name:
        fixed = how.portfolio_id or grid.name
        return pa.array([fixed] * len(grid.lines), pa.string())
    if "portfolio_id" not in at:
        raise PortfolioError(
            f"{grid.origin} has no portfolio column; set positions.portfolio_id in {BOOK_FILE} to the "
            "one it is of, or positions.columns.portfolio_id to the column."
        )
    return names(grid, at["portfolio_id"])


def _scaled(
    role: str, found: Numbers | None, count: int, how: PositionsMap, per_cent: bool
) -> NDArray[np.float64]:
    if found is None:
        return np.full(count, np.nan)
    if role == "market_value":
        return found.values * how.value_unit
    return found.values / 100.0 if role == "weight" and per_cent else found.values


def _half_unit(found: Numbers | None, count: int, per_cent: bool) -> NDArray[np.float64]:
    """Return half a unit of the last decimal of each weight as it is written; NaN where it has none."""
    if found is None:
        return np.full(count, np.nan)
    text = pc.extract_regex(found.texts, r"[.,](?P<decimals>[0-9]*)[^0-9.,]*$")
    digits = pc.utf8_length(pc.struct_field(text, "decimals")).fill_null(0)
    if isinstance(digits, pa.ChunkedArray):
        digits = digits.combine_chunks()
    half = 0.5 * 10.0 ** -digits.to_numpy(zero_copy_only=False).astype(np.float64)
    return half / 100.0 if per_cent else half


def _groups(sheet: Sheet, how: PositionsMap, count: int) -> pa.Array:
    grid = sheet.grid
    header = [grid.header[place] for place in sheet.roles.others]
    if how.groups is None:
        chosen = [place for place in sheet.roles.others if _has_words(names(grid, place))]
    else:
        if missing := [name for name in how.groups if name not in header]:
            raise PortfolioError(
                f"{BOOK_FILE}, positions.groups: {grid.origin} has no further column '{missing[0]}'; "
                "remove it."
            )
        chosen = [place for place in sheet.roles.others if grid.header[place] in how.groups]
    if not chosen:
        return pa.array(["{}"] * count, pa.string())
    chosen.sort(key=lambda place: grid.header[place])
    return objects([grid.header[place] for place in chosen], [names(grid, place) for place in chosen], False)


def _has_words(column: pa.Array) -> bool:
    """Return whether most of the filled cells have letters: amounts are no groups."""
    lettered = pc.match_substring_regex(column, r"\p{L}")
    filled = pc.not_equal(column, "")
    return bool(pc.any(lettered).as_py()) and (pc.sum(lettered).as_py() * 2 > (pc.sum(filled).as_py() or 0))


def _reasons(
    grid: Grid,
    columns: dict[str, pa.Array],
    numbers: dict[str, Numbers],
    days: NDArray[np.datetime64] | None,
) -> pa.Array:
    """Return why a row cannot be used, NULL where it can; the first of several reasons."""
    reason = np.full(len(grid.lines), None, object)
    _say(reason, pc.equal(columns["portfolio_id"], ""), "has no portfolio")
    named = pc.binary_join_element_wise(*[columns[role] for role in (*IDENTIFIERS, "name")], "")
    _say(reason, pc.is_in(pc.utf8_lower(named), pa.array(_TOTALS)), "is the sum of other rows")
    unnamed = pc.equal(pc.binary_join_element_wise(*[columns[role] for role in IDENTIFIERS], ""), "")
    if pc.any(pc.invert(unnamed)).as_py():
        of_some = pc.match_substring_regex(columns["name"], _TOTAL_OF, ignore_case=True)
        _say(reason, pc.and_(unnamed, of_some), "is the sum of other rows")
    _say(reason, pc.equal(named, ""), "names no instrument")
    if days is not None:
        _say(reason, np.isnat(days), "has no as_of")
    for role, found in numbers.items():
        for row in np.flatnonzero(found.bad & free(reason)):
            reason[row] = f"has '{found.texts[int(row)].as_py()}' for {role}, which is not a number"
    empty = np.all([np.isnan(found.values) for role, found in numbers.items() if role in AMOUNTS], axis=0)
    _say(reason, empty, "has no quantity, market value or weight")
    return pa.array(reason, pa.string())


def _say(reason: NDArray[np.object_], mask: pa.Array | NDArray[np.bool_], words: str) -> None:
    found = mask.to_numpy(zero_copy_only=False) if isinstance(mask, pa.Array) else mask
    reason[found & free(reason)] = words
