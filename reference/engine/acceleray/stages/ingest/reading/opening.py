"""From a path to grids: text, Parquet and Excel files, packed with gzip or zip, alone or in a folder."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.grid import Grid
from acceleray.stages.ingest.reading.sheets import excel_grids
from acceleray.stages.ingest.reading.text_file import text_grid
from acceleray.stages.ingest.reading.typed import parquet_grid

_GZIP, _ZIP, _PARQUET, _OLD_EXCEL = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
_ENDINGS = {
    ".csv",
    ".txt",
    ".tsv",
    ".psv",
    ".gz",
    ".zip",
    ".parquet",
    ".pq",
    ".xlsx",
    ".xlsm",
    ".xlsb",
    ".xls",
    ".ods",
    ".dat",
}
# More than this in an archive is no file of prices.
_LARGEST = 4_000_000_000


@dataclass(frozen=True)
class Content:
    """The unpacked bytes of one file, and what its first bytes say that it is.

    Attributes:
        raw: the bytes.
        origin: how messages name it, such as `prices.zip, a.csv`.
        name: of the file without folder and endings.
        kind: what reads it.
    """

    raw: bytes
    origin: str
    name: str
    kind: Literal["text", "parquet", "excel"]


@dataclass(frozen=True)
class Subject:
    """Kind of content of files, and the setting that names them, for messages."""

    section: str
    setting: str
    things: str


PRICES = Subject("market_data", "market_data.path", "prices")


def grids_at(path: Path) -> list[list[Grid]]:
    """Return the tables of each file at a path: one file, or all of a folder, in the order of their names.

    A file gives one table, an Excel file one for each of its sheets with anything in it. What a file is, its
    first bytes say and not its name.

    Raises:
        PortfolioError: there is nothing to read, or it cannot be read.
    """
    return [_grids(content) for content in contents_at(path)]


def first_header(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of the first file at a path.

    Raises:
        PortfolioError: there is nothing to read, or it cannot be read.
    """
    return _grids(next(contents_at(path)))[0].header


def contents_at(path: Path, about: Subject = PRICES) -> Iterator[Content]:
    """Yield the unpacked content of a file, or of all files of a folder in the order of their names.

    Raises:
        PortfolioError: there is nothing to read, or it cannot be unpacked.
    """
    for file in _files_of(path, about) if path.is_dir() else [path]:
        yield from _contents(_bytes(file, about), str(file), file.name, about)


def _grids(content: Content) -> list[Grid]:
    if content.kind == "excel":
        return excel_grids(content.raw, content.origin, content.name)
    read = parquet_grid if content.kind == "parquet" else text_grid
    return [read(content.raw, content.origin, content.name)]


def _files_of(folder: Path, about: Subject) -> list[Path]:
    if (folder / "_delta_log").is_dir():
        raise PortfolioError(
            f"{folder} is a Delta table; set {about.section}.source to table and {about.section}.table to "
            "its name."
        )
    files = sorted(
        file for file in folder.rglob("*") if file.is_file() and not _is_hidden(file.relative_to(folder))
    )
    usable = [file for file in files if file.suffix.lower() in _ENDINGS]
    if not usable:
        raise PortfolioError(f"The folder {folder} contains no file of {about.things}; put a CSV there.")
    return usable


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _bytes(path: Path, about: Subject) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise PortfolioError(
            f"There is no file {path}; set {about.setting} to a file of {about.things}."
        ) from None
    except OSError as error:
        raise PortfolioError(f"{path} cannot be read: {error.strerror}.") from None


def _contents(raw: bytes, origin: str, name: str, about: Subject) -> Iterator[Content]:
    if raw.startswith(_GZIP):
        yield from _contents(_unpacked(raw, origin), origin, name.removesuffix(".gz"), about)
    elif raw.startswith(_ZIP):
        yield from _of_zip(raw, origin, name, about)
    elif raw.startswith(_PARQUET):
        yield Content(raw, origin, _stem(name), "parquet")
    else:
        yield Content(raw, origin, _stem(name), "excel" if raw.startswith(_OLD_EXCEL) else "text")


def _stem(name: str) -> str:
    """Return a file's name without its folder and ending; `BRK.B.csv` is about BRK.B."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in _ENDINGS else path.name


def _unpacked(raw: bytes, origin: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            found = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        raise PortfolioError(f"{origin} is a damaged gzip file; compress or download it again.") from None
    return _not_too_large(found, origin)


def _not_too_large(found: bytes, origin: str) -> bytes:
    if len(found) > _LARGEST:
        raise PortfolioError(f"{origin} is larger than 4 GB uncompressed; load it as a Delta table.")
    return found


def _of_zip(raw: bytes, origin: str, name: str, about: Subject) -> Iterator[Content]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        members = [
            one for one in archive.namelist() if not one.endswith("/") and not _is_hidden(PurePath(one))
        ]
        if "[Content_Types].xml" in members or "mimetype" in members:
            yield Content(raw, origin, _stem(name), "excel")
            return
        usable = sorted(one for one in members if PurePath(one).suffix.lower() in _ENDINGS)
        if not usable:
            raise PortfolioError(f"{origin} contains no file of {about.things}; pack a CSV file.")
        for member in usable:
            with archive.open(member) as file:
                inner = _not_too_large(file.read(_LARGEST + 1), origin)
            yield from _contents(inner, f"{origin}, {member}", PurePath(member).name, about)
    except RuntimeError:
        raise PortfolioError(f"{origin} is protected with a password; unpack it first.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise PortfolioError(f"{origin} is a damaged zip file; compress or download it again.") from None
