"""Work on Ray for each fragment: read it, apply the function, store the result; no Spark here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from acceleray.engines.handoff.arrays import without_nan
from acceleray.engines.handoff.files import DataFile, Piece, read_piece, write_part
from acceleray.errors import PortfolioError

# First row and number of rows of a table that all tasks share, or pieces of files.
Fragment = tuple[int, int] | tuple[Piece, ...]


@dataclass(frozen=True)
class Output:
    """Results are rows of this schema; they are written into `folder`, or returned if it is None."""

    schema: pa.Schema
    folder: Path | None


@dataclass(frozen=True)
class Job:
    """Data shared by all tasks of one hand-off, besides the rows."""

    label: str
    schema: pa.Schema
    scope: tuple[str, str] | None
    function: Callable[..., Any]
    fixed: Mapping[str, Any]
    output: Output | None


@dataclass(frozen=True)
class Done:
    """One finished fragment: its number, the rows it was given, and its result or the file that holds it."""

    number: int
    rows_in: int
    result: Any = None
    file: DataFile | None = None


def work(task: tuple[int, Fragment], job: Job, source: pa.Table | None, *shared: Any) -> Done:
    """Return what became of one fragment.

    Raises:
        StageDamagedError: the fragment's files are not what they were.
        PortfolioError: the function raised.
    """
    number, fragment = task
    rows = _rows(fragment, job, source)
    try:
        result = job.function(rows, *shared, **job.fixed)
        if job.output is not None:
            result = _declared(result, job.output.schema)
    except PortfolioError:
        raise
    except Exception as error:
        name = getattr(job.function, "__name__", "The function")
        raise PortfolioError(
            f"{name} failed on part {number} of {job.label}: {type(error).__name__}: {error}"
        ) from error
    if job.output is None or job.output.folder is None:
        return Done(number, len(rows), result)
    return Done(number, len(rows), file=write_part(job.output.folder, number, result))


def _rows(fragment: Fragment, job: Job, source: pa.Table | None) -> pa.Table:
    if source is not None:
        return source.slice(*fragment)
    pieces = [read_piece(piece, job.schema, job.scope) for piece in fragment if isinstance(piece, Piece)]
    # An empty chunk next to a full one would cost a copy of the full one.
    filled = [piece for piece in pieces if len(piece)]
    return pa.concat_tables(filled or [job.schema.empty_table()]).combine_chunks()


def _declared(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    if sorted(rows.column_names) != sorted(schema.names):
        raise ValueError(f"it returned columns {rows.column_names} instead of {schema.names}")
    return without_nan(rows.select(schema.names)).cast(schema)
