"""Parquet files that must be what they were: looked at once, checked whenever they are read.

Pages have checksums; the footer has none, so one is computed here.
"""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from acceleray.errors import PortfolioError
from acceleray.whole_files import put_in_place

_MAGIC = b"PAR1"


class StageDamagedError(PortfolioError):
    """A file of the hand-off is missing or not what was written; the message names it."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file: path, bytes, rows of each row group, and the CRC-32 of its footer."""

    path: str
    bytes: int
    group_rows: tuple[int, ...]
    footer_crc32: int

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return sum(self.group_rows)


@dataclass(frozen=True)
class Piece:
    """Some row groups of one file."""

    file: DataFile
    groups: tuple[int, ...]


def part_name(number: int) -> str:
    """Return the file name of one part of a result."""
    return f"part-{number:05d}.parquet"


def write_part(folder: Path, number: int, rows: pa.Table) -> DataFile:
    """Write one part of a result into a folder, all of it or nothing, and return what was written.

    Raises:
        StageDamagedError: the folder is gone.
    """
    # A task can run twice, even at the same time, if its worker dies or is cut off: one file is left.
    # Spark passes over names that begin with a dot.
    unfinished = folder / f".{part_name(number)}.{os.getpid()}-{uuid.uuid4().hex}.unfinished"
    finished = folder / part_name(number)
    try:
        pq.write_table(rows, unfinished, write_page_checksum=True)
        put_in_place(unfinished, finished)
    except FileNotFoundError:
        raise StageDamagedError(f"{folder} is gone, with all results so far.") from None
    return inspect(finished)[0]


def inspect(path: Path) -> tuple[DataFile, pa.Schema]:
    """Return what a file is now, from its footer alone, and its schema.

    Raises:
        StageDamagedError: the file is missing or its footer cannot be read.
    """
    with _damage_named(path), pq.ParquetFile(path) as opened:
        groups = [opened.metadata.row_group(number).num_rows for number in range(opened.num_row_groups)]
        return DataFile(str(path), path.stat().st_size, tuple(groups), _footer_crc32(path)), (
            opened.schema_arrow.remove_metadata()
        )


def read_piece(piece: Piece, schema: pa.Schema, scope: tuple[str, str] | None) -> pa.Table:
    """Return the rows of a piece whose scope column has the scope's value, with the columns of `schema`.

    A column that the file does not have is NULL, as in Delta: the file is older than the column.

    Raises:
        StageDamagedError: the file is missing, or differs from what it was, or a page of it is corrupt.
    """
    path = Path(piece.file.path)
    with _damage_named(path):
        check(piece.file)
        with _opened(path) as opened:
            present = set(opened.schema_arrow.names)
            wanted = dict.fromkeys((*schema.names, *([scope[0]] if scope else [])))
            rows = opened.read_row_groups(list(piece.groups), [name for name in wanted if name in present])
    expected = sum(piece.file.group_rows[group] for group in piece.groups)
    if len(rows) != expected:
        raise StageDamagedError(f"{path} gave {len(rows)} rows instead of {expected}.")
    if scope is not None:
        inside = pc.fill_null(pc.equal(rows.column(scope[0]), scope[1]), False)
        # Most files hold rows of one scope: a copy of all columns is spared.
        rows = rows if pc.all(inside).as_py() else rows.filter(inside)
    columns = [
        rows.column(field.name).cast(field.type) if field.name in present else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def check(file: DataFile) -> None:
    """Compare a file with what it was, without reading its pages.

    Raises:
        StageDamagedError: it is missing, or its size or footer has changed.
    """
    path = Path(file.path)
    with _damage_named(path):
        size = path.stat().st_size
        if size != file.bytes:
            raise StageDamagedError(f"{path} has {size} bytes instead of {file.bytes}.")
        if _footer_crc32(path) != file.footer_crc32:
            raise StageDamagedError(f"{path} is corrupt: its footer has changed.")


def check_pages(file: DataFile) -> None:
    """Compare a file with what it was, and every page with its checksum, in bounded memory.

    Raises:
        StageDamagedError: as `check`, or a page is corrupt.
    """
    check(file)
    with _damage_named(Path(file.path)), _opened(Path(file.path)) as opened:
        for group in range(opened.num_row_groups):
            opened.read_row_group(group)


def fragments(files: Sequence[DataFile], rows: int) -> tuple[tuple[Piece, ...], ...]:
    """Return the files cut into fragments of about `rows` rows, in order.

    A row group is never cut, and small files share a fragment. The cut depends on nothing else, so that it
    is the same for any number of workers.
    """
    cut: list[tuple[Piece, ...]] = []
    current: dict[DataFile, list[int]] = {}
    held = 0
    for file in files:
        for group, count in enumerate(file.group_rows):
            if held and held + count > rows:
                cut.append(_pieces(current))
                current, held = {}, 0
            current.setdefault(file, []).append(group)
            held += count
    return (*cut, _pieces(current)) if held else tuple(cut)


def _pieces(groups: dict[DataFile, list[int]]) -> tuple[Piece, ...]:
    return tuple(Piece(file, tuple(numbers)) for file, numbers in groups.items())


def _opened(path: Path) -> pq.ParquetFile:
    # Spark may write timestamps in the old 96-bit form, whose nanoseconds would not reach beyond 2262.
    return pq.ParquetFile(path, page_checksum_verification=True, coerce_int96_timestamp_unit="us")


def _footer_crc32(path: Path) -> int:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 8))
        tail = file.read(8)
        length = int.from_bytes(tail[:4], "little") + 8
        if tail[4:] != _MAGIC or length > end:
            raise StageDamagedError(f"{path} is corrupt: it does not end as a Parquet file.")
        file.seek(end - length)
        return zlib.crc32(file.read(length))


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise StageDamagedError(f"{path} is missing.") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StageDamagedError(f"{path} cannot be read: {error}") from error
