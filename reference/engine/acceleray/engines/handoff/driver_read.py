"""Rows of a pinned version in this process, read from the table's files where that is reading the table."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import readable
from acceleray.engines.handoff.direct import NotDirectError, direct_files, known
from acceleray.engines.handoff.files import DataFile, Piece, StageDamagedError, read_piece
from acceleray.engines.handoff.selection import Selection


def rows_here(lake: Lake, selection: Selection, among: Mapping[str, Sequence[Any]]) -> pa.Table | None:
    """Return a selection's rows, in no particular order, or None if only Spark can read them.

    A query of Spark takes some tenths of a second however few the rows are, and a run reads dozens of small
    tables. `among` names columns of the selection and values they may have; a row group at a time is held
    whole. No more than one column is in memory twice.
    """
    if (location := lake.location(selection.table)) is None or not readable(location):
        return None
    scope = None if selection.scope is None else (selection.table.scope, selection.scope)
    try:
        # However many rows there are, nobody asks how many of them belong to the scope.
        files = direct_files(lake, selection, known(lake, selection, sys.maxsize))
        pieces = (read_piece(piece, selection.schema, scope) for piece in _pieces(files, among))
        read = pa.concat_tables([*(_chosen(rows, among) for rows in pieces), selection.schema.empty_table()])
    except (NotDirectError, StageDamagedError):
        return None
    columns = []
    for name in selection.columns:
        columns.append(read.select([name]).combine_chunks().column(0))
        read = read.drop_columns(name)
    return pa.table(columns, schema=selection.schema)


def _pieces(files: Iterable[DataFile], among: Mapping[str, Sequence[Any]]) -> Iterator[Piece]:
    for file in files:
        groups = tuple(range(len(file.group_rows)))
        yield from (Piece(file, (group,)) for group in groups) if among else (Piece(file, groups),)


def _chosen(rows: pa.Table, among: Mapping[str, Sequence[Any]]) -> pa.Table:
    for name, values in among.items():
        rows = rows.filter(pc.is_in(rows.column(name), pa.array(values, rows.schema.field(name).type)))
    return rows
