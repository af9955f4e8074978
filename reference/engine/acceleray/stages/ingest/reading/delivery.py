"""A path of price files in, checked cells out: the whole of reading without Spark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.figures import Figures, decimal_of
from acceleray.stages.ingest.reading.grid import BLANK, Column, Grid, as_text, filled, is_text
from acceleray.stages.ingest.reading.layout import Layout, Look, layout_of
from acceleray.stages.ingest.reading.number_text import Decimal, plain
from acceleray.stages.ingest.reading.opening import grids_at
from acceleray.stages.ingest.reading.quotes import refuse_quotes
from acceleray.stages.ingest.reading.row_days import row_days
from acceleray.stages.ingest.reading.unique import Keys, refuse_repeated
from acceleray.stages.ingest.reading.wishes import Wishes

CELLS = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("date", pa.date32()),
        ("price_text", pa.string()),
        ("number_text", pa.string()),
        ("adjusted_text", pa.string()),
    ]
)
"""One row per price: as received, as plain number, and the adjusted close, NULL where there is none."""

# Rows that are looked at to tell the layout.
_LOOK = 50


@dataclass(frozen=True)
class Block:
    """Prices of one instrument (name), or of one for each row (names and codes), with their days."""

    days: NDArray[np.datetime64]
    price: Column
    adjusted: Column | None
    names: tuple[str, ...]
    codes: NDArray[np.int32] | None = None


@dataclass(frozen=True)
class Delivery:
    """The checked content of a path.

    Attributes:
        origin: how messages name it.
        understood: two lines, what was understood.
        instruments: all that are named, with or without prices, in the order of the file.
        days: all dates with a row, ascending.
        blocks: prices as received, as text.
        decimal: the decimal mark of all of them.
    """

    origin: str
    understood: tuple[str, ...]
    instruments: tuple[str, ...]
    days: NDArray[np.datetime64]
    blocks: tuple[Block, ...]
    decimal: Decimal | None

    def by_instrument(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield each instrument that has a filled cell, with all of its cells in the shape of `CELLS`."""
        parts: dict[str, list[tuple[Block, NDArray[np.int64] | None]]] = {}
        for block in self.blocks:
            for name, rows in _rows_of(block):
                parts.setdefault(name, []).append((block, rows))
        for name, found in parts.items():
            cells = [_cells(block, rows, name, self.decimal) for block, rows in found]
            if table := pa.Table.from_batches(cells, CELLS):
                yield name, table


def deliver(path: Path, wishes: Wishes | None = None) -> Delivery:
    """Return the content of a file, or of all files of a folder.

    Raises:
        PortfolioError: there is nothing to read, it is not prices, or it allows more than one reading.
    """
    wishes = wishes or Wishes()
    parts = [_usable(grids, wishes) for grids in grids_at(path)]
    found = row_days([(grid, layout.date) for grid, layout in parts])
    blocks: list[Block] = []
    figures: list[Figures] = []
    keys: list[Keys] = []
    for (grid, layout), days in zip(parts, found.days, strict=True):
        mine, names, codes = _blocks(grid, layout, days)
        figures += _figures(grid, layout, codes)
        keys.append(Keys(grid, days, names, codes))
        blocks += mine
    refuse_repeated(keys)
    decimal = decimal_of(figures, wishes.decimal)
    for grid, layout in parts:
        refuse_quotes(grid, layout, decimal)
    instruments = tuple(dict.fromkeys(name for part in keys for name in part.instruments))
    days = np.unique(np.concatenate([days[~np.isnat(days)] for days in found.days]))
    first = ", ".join(
        [_kind(parts), found.wording, *_number_words(figures, decimal), *_close_words(parts, wishes)]
    )
    second = f"{counted(len(instruments), 'instrument')}, {counted(len(days), 'date')}"
    second += f"; {found.left_out}" if found.left_out else ""
    return Delivery(str(path), (first, second), instruments, days, tuple(blocks), decimal)


def _usable(grids: list[Grid], wishes: Wishes) -> tuple[Grid, Layout]:
    """Return the one table of a file that has prices, without further header rows, and its layout."""
    found, refusals = [], []
    for grid in grids:
        try:
            layout = layout_of(_look(grid), wishes.columns)
            if len(grid.lines) == layout.skip:
                raise PortfolioError(f"{grid.origin} has a header but no usable price below it.")
            found.append((grid.below(layout.skip), layout))
        except PortfolioError as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[0]
    if len(found) > 1:
        raise PortfolioError(
            f"{found[0][0].origin} and {found[1][0].origin} both have prices; keep one of them."
        )
    return found[0]


def _look(grid: Grid) -> Look:
    rows = tuple(zip(*(column.slice(0, _LOOK).to_pylist() for column in grid.columns), strict=True))
    types = tuple(column.type for column in grid.columns)
    return Look(grid.origin, grid.name, grid.header, rows, types, partial(_repeats, grid))


def _repeats(grid: Grid, at: int) -> bool:
    return pc.count_distinct(grid.columns[at], mode="all").as_py() < len(grid.lines)


def _blocks(
    grid: Grid, layout: Layout, days: NDArray[np.datetime64]
) -> tuple[list[Block], tuple[str, ...], NDArray[np.int32] | None]:
    if layout.instrument is None:
        blocks = [
            Block(
                days,
                as_text(grid, one.price),
                None if one.adjusted is None else as_text(grid, one.adjusted),
                (one.instrument,),
            )
            for one in layout.series
        ]
        return blocks, tuple(one.instrument for one in layout.series), None
    ids = pc.utf8_trim(as_text(grid, layout.instrument), BLANK)
    if (row := pc.index(ids, "").as_py()) >= 0:
        raise PortfolioError(
            f"{grid.place(row)} has no instrument in column {grid.header[layout.instrument]}; fill it in."
        )
    encoded = ids.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    names = tuple(encoded.dictionary.to_pylist())
    adjusted = None if layout.adjusted is None else as_text(grid, layout.adjusted)
    return [Block(days, as_text(grid, layout.price), adjusted, names, codes)], names, codes


def _figures(grid: Grid, layout: Layout, codes: NDArray[np.int32] | None) -> list[Figures]:
    """Return the columns of text with prices; those with numbers leave nothing to decide."""
    pairs = (
        [(layout.price, layout.adjusted)]
        if codes is not None
        else [(one.price, one.adjusted) for one in layout.series]
    )
    return [
        Figures(grid, f"'{grid.header[at]}'", as_text(grid, at), codes)
        for pair in pairs
        for at in pair
        if at is not None and is_text(grid.columns[at].type)
    ]


def _rows_of(block: Block) -> Iterator[tuple[str, NDArray[np.int64] | None]]:
    """Yield each name of a block with its rows, None for all of them."""
    if block.codes is None:
        yield block.names[0], None
        return
    order = np.argsort(block.codes, kind="stable")
    ends = np.cumsum(np.bincount(block.codes, minlength=len(block.names)))
    yield from zip(block.names, np.split(order, ends[:-1]), strict=True)


def _cells(
    block: Block, rows: NDArray[np.int64] | None, name: str, decimal: Decimal | None
) -> pa.RecordBatch:
    days, price, other = block.days, block.price, block.adjusted
    if rows is not None:
        days, price = days[rows], price.take(rows)
        other = None if other is None else other.take(rows)
    kept = pc.and_(filled(price), pa.array(~np.isnat(days)))
    price = price.filter(kept)
    adjusted: pa.Array = pa.nulls(len(price), pa.string())
    if other is not None:
        text = plain(other.filter(kept), decimal)
        adjusted = _flat(pc.if_else(filled(text), text, pa.scalar(None, pa.string())))
    names = pa.repeat(pa.scalar(name, pa.string()), len(price))
    dates = pa.array(days.astype("datetime64[D]")).filter(_flat(kept))
    numbers = _flat(plain(price, decimal))
    return pa.RecordBatch.from_arrays([names, dates, _flat(price), numbers, adjusted], schema=CELLS)


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.array([], column.type)
    )


def _kind(parts: list[tuple[Grid, Layout]]) -> str:
    grid, layout = parts[0]
    kinds = dict.fromkeys(layout.kind for _, layout in parts)
    name = {"one instrument": "file of one instrument"}.get(layout.kind, f"{layout.kind} file")
    if len(parts) > 1:
        name = f"{len(parts):,} files, {' and '.join(kinds)}"
    return f"{name} ({', '.join(grid.how)})" if grid.how else name


def _number_words(figures: list[Figures], decimal: Decimal | None) -> list[str]:
    return [f"decimal {decimal}"] if decimal else ["whole numbers"] if figures else []


def _close_words(parts: list[tuple[Grid, Layout]], wishes: Wishes) -> list[str]:
    both = [
        layout.adjusted is not None or any(one.adjusted is not None for one in layout.series)
        for _, layout in parts
    ]
    if any(both):
        return ["close and adjusted close"]
    return ["total return"] if wishes.adjusted == "total_return" else []
