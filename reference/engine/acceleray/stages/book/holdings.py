"""The desk's own holdings: received, validated and matched, before prices value them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.book.holding_notices import counts_of, lines_of
from acceleray.stages.book.holding_rows import (
    instruments_known,
    portfolios_known,
    positions_of,
    quarantined_of,
    received_rows,
)
from acceleray.stages.book.reading.agreement import refuse_disagreeing
from acceleray.stages.book.reading.columns import (
    INSTRUMENTS_KIND,
    PORTFOLIOS_KIND,
    POSITIONS_KIND,
    Kind,
    amount_like,
)
from acceleray.stages.book.reading.instruments import Instrument, instruments_of
from acceleray.stages.book.reading.judged import judged
from acceleray.stages.book.reading.mapping import BOOK_FILE, BookMap, TableMap, read_map
from acceleray.stages.book.reading.portfolios import Portfolio, portfolios_of, refuse_benchmarks
from acceleray.stages.book.reading.positions import position_rows
from acceleray.stages.book.reading.sheets import Sheet, sheet_of_table, sheets_at
from acceleray.stages.book.volumes import Volumes
from acceleray.stages.ingest.reading.opening import Subject
from acceleray.tables import (
    HOLDINGS,
    HOLDINGS_QUARANTINED,
    HOLDINGS_RECEIVED,
    INSTRUMENTS_KNOWN,
    PORTFOLIOS_KNOWN,
)

ReadTable = Callable[[str, str], pa.Table]
"""From the name of a Delta table or view, and the setting that has it, to its rows."""


@dataclass(frozen=True)
class Received:
    """Contents of files or tables, before prices and an as-of date are known.

    Attributes:
        rows: one per line of positions; see `position_rows`.
        portfolios: of a file of portfolios; none where there is none.
        instruments: of a file of instruments.
        cells: every row of all three as received: content, file, line, cells; sorted by content.
        types: the user's words for types of instruments.
        lines: what was left out of the files, to be said.
        digest: SHA-256 of content and mapping, whatever the order of rows.
    """

    rows: pa.Table
    portfolios: tuple[Portfolio, ...]
    instruments: tuple[Instrument, ...]
    cells: pa.Table
    types: dict[str, str]
    lines: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class Holdings:
    """Positions of a run.

    Attributes:
        positions: those that count: portfolio_id, instrument_id, position_id, held_on, quantity, market_value
            and weight (NULL where the file has none; a share of NAV), currency (of the market value),
            groups (JSON text), file, line.
        earlier: the same of earlier dates, where the files have some.
        portfolios: portfolio_id, name, base_currency, nav (NULL where unknown), benchmark_id, parent_id.
        instruments: those held and those of a file: all attributes, `series` (its prices, NULL without) and
            `priced`.
        quarantined: rows that were left out, each with its reason.
        lines: what to say on the console.
        facts: those of the lines that count what was read; the others belong at the top of the report.
        volumes: of instruments, where they are given.
    """

    positions: pa.Table
    earlier: pa.Table
    portfolios: pa.Table
    instruments: pa.Table
    quarantined: pa.Table
    lines: tuple[str, ...]
    facts: tuple[str, ...] = ()
    volumes: Volumes | None = None


def receive_holdings(settings: Settings, read_table: ReadTable | None = None) -> Received:
    """Return what the book's files, or with `book.source` table its tables, say.

    Args:
        settings: the run's.
        read_table: reads a Delta table or view; files need none.

    Raises:
        PortfolioError: a file or table cannot be read, or is invalid; one line, nothing is written.
    """
    book, how = settings.book, read_map(settings.project_dir)
    if book.source == "table":
        if read_table is None:
            raise PortfolioError("book.source is table, and this command reads no tables; run a workload.")
        names = (book.table, book.portfolios_table, book.instruments_table)
        settings_of = ("book.table", "book.portfolios_table", "book.instruments_table")
        found = [
            [sheet_of_table(read_table(name, setting), name, kind, of)]
            if name or kind is POSITIONS_KIND
            else []
            for name, setting, (kind, of) in zip(names, settings_of, _kinds(how), strict=True)
        ]
    else:
        if not book.path:
            raise PortfolioError("book.source is csv: set book.path to a file of positions.")
        paths = (book.path, book.portfolios_path, book.instruments_path)
        found = [
            sheets_at(settings.project_dir / Path(path).expanduser(), kind, of, _about(kind)) if path else []
            for path, (kind, of) in zip(paths, _kinds(how), strict=True)
        ]
    return received(found[0], found[1], found[2], how)


def receive_files(
    positions: Path,
    portfolios: Path | None = None,
    instruments: Path | None = None,
    how: BookMap | None = None,
) -> Received:
    """Return what files say, as `receive_holdings` does for those of the settings."""
    how = how or BookMap()
    found = [
        sheets_at(path, kind, of, _about(kind)) if path else []
        for path, (kind, of) in zip((positions, portfolios, instruments), _kinds(how), strict=True)
    ]
    return received(found[0], found[1], found[2], how)


def received(
    positions: list[Sheet], portfolios: list[Sheet], instruments: list[Sheet], how: BookMap
) -> Received:
    """Return tables of positions, portfolios and instruments as one.

    Raises:
        PortfolioError: one is invalid.
    """
    rows = position_rows(positions, how.positions)
    if not len(rows):
        raise PortfolioError(f"{positions[0].grid.origin} has a header but no position below it.")
    known = portfolios_of(portfolios, how.portfolios)
    listed, wrong = instruments_of(instruments, how)
    cells = received_rows(rows, portfolios, instruments)
    said = [
        f"skipped, above or below the table: {sheet.left_out} of {Path(sheet.grid.origin).name}"
        for sheet in (*positions, *portfolios, *instruments)
        if sheet.left_out
    ]
    said += [
        f"column '{sheet.grid.header[place]}' of {Path(sheet.grid.origin).name} is not used; if it is"
        f" {like}, name it so, or map it in {BOOK_FILE}"
        for sheet in positions
        for place in sheet.roles.others
        if (like := amount_like(sheet.grid.header[place]))
    ]
    types = {word: str(name) for word, name in how.types.items()}
    return Received(rows, known, listed, cells, types, (*said, *wrong), _digest(cells, how))


def accept(received: Received, settings: Settings, as_of: date, priced: tuple[str, ...]) -> Holdings:
    """Return the positions of a run, matched with instruments and prices.

    Args:
        received: what the files say.
        settings: the run's.
        as_of: its date; positions of later are left out.
        priced: names of all series of prices.

    Raises:
        PortfolioError: what is said contradicts itself, or a currency, portfolio or date is missing; in one
            line.
    """
    found = judged(
        received.rows,
        received.portfolios,
        received.instruments,
        received.types,
        as_of,
        priced,
        settings.book.currency,
    )
    refuse_benchmarks(received.portfolios, {*found.portfolios, *priced, *found.register.priced()})
    good = pc.is_null(found.rows["reason"])
    rows = found.rows.filter(good)
    if not rows.filter(rows["current"]).num_rows:
        first = found.rows["reason"].combine_chunks().drop_null()[0].as_py()
        raise PortfolioError(
            f"No position can be used: the first row {first}; correct the file of positions."
        )
    signed = set(settings.market_data.arithmetic)
    refuse_disagreeing(rows.filter(rows["current"]), found.portfolios, signed, settings.book.tolerance)
    positions = positions_of(rows)
    current = positions["current"]
    instruments = instruments_known(found.register, positions, priced)
    quarantined = quarantined_of(found.rows.filter(pc.invert(good)))
    holdings = Holdings(
        positions.filter(current),
        positions.filter(pc.invert(current)),
        portfolios_known(found.portfolios),
        instruments,
        quarantined,
        (),
    )
    told = lines_of(holdings.positions, instruments, quarantined, bool(received.instruments))
    facts = (*found.facts, counts_of(holdings.positions, instruments))
    return replace(holdings, lines=(*received.lines, *found.lines, *facts, *told), facts=facts)


def commit_holdings(run: Run, received: Received, holdings: Holdings) -> None:
    """Commit what was received, what counts, what was left out, and all portfolios and instruments."""
    run.commit(HOLDINGS_RECEIVED, received.cells)
    run.commit(HOLDINGS, pa.concat_tables([holdings.positions, holdings.earlier]))
    run.commit(HOLDINGS_QUARANTINED, holdings.quarantined)
    run.commit(PORTFOLIOS_KNOWN, holdings.portfolios)
    run.commit(INSTRUMENTS_KNOWN, holdings.instruments)


def _kinds(how: BookMap) -> tuple[tuple[Kind, TableMap], ...]:
    return (
        (POSITIONS_KIND, how.positions),
        (PORTFOLIOS_KIND, how.portfolios),
        (INSTRUMENTS_KIND, how.instruments),
    )


def _about(kind: Kind) -> Subject:
    return Subject("book", "book.path" if kind is POSITIONS_KIND else f"book.{kind.name}_path", kind.name)


def _digest(cells: pa.Table, how: BookMap) -> str:
    """Return the SHA-256 of rows that are sorted by content, and of the mapping."""
    digest = hashlib.sha256(json.dumps(how.model_dump(), sort_keys=True).encode())
    for batch in cells.select(["content", "portfolio_id", "cells"]).to_batches(max_chunksize=100_000):
        for column in batch.columns:
            digest.update("\n".join(column.to_pylist()).encode("utf-8", "surrogatepass"))
            digest.update(b"\0")
    return digest.hexdigest()
