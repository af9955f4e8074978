"""A wide CSV file of prices: a date column and one column an instrument."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from portfolio.errors import PortfolioError
from portfolio.ingest.received import Received, from_wide
from portfolio.settings import Settings

_CHUNK = 1 << 20


def from_csv(spark: SparkSession, settings: Settings) -> Received:
    """Return the cells of the CSV file that `market_data.path` names, as text.

    A relative path starts at the project folder. The header is read in Python and columns go by their
    position from there on, so an instrument may have any name.

    Raises:
        PortfolioError: there is no such file, it is not UTF-8 text, its header is not usable, or a row has
            more or fewer cells than the header.
    """
    if not settings.market_data.path:
        raise PortfolioError("market_data.source is csv: set market_data.path to a CSV file of prices.")
    path = settings.project_dir / Path(settings.market_data.path).expanduser()
    _refuse_file(path)
    header = _header(path)
    date_at = _refuse_header(path, header)
    columns = [f"c{number}" for number in range(len(header))]
    schema = ", ".join(f"{column} STRING" for column in (*columns, "malformed"))
    wide = (
        spark.read.schema(schema)
        .options(header=True, enforceSchema=True, sep=",", quote='"', escape='"', encoding="UTF-8")
        .options(mode="PERMISSIVE", columnNameOfCorruptRecord="malformed", columnPruning=False)
        .options(maxColumns=len(header) + 1)
        .csv(_literal_path(path))
    )
    # A spreadsheet leaves rows of nothing but commas behind; they hold nothing that could be lost.
    filled = F.concat(*[F.coalesce(F.col(column), F.lit("")) for column in columns]).rlike(r"\S")
    wide = wide.where(F.col("malformed").isNotNull() | filled)
    # Spark tells a malformed row only to a query that asks for the other columns too.
    if wide.where(F.col("malformed").isNotNull()).first() is not None:
        raise PortfolioError(_wrong_cells(path, len(header)))
    names = [name for at, name in enumerate(header) if at != date_at]
    kept = [column for at, column in enumerate(columns) if at != date_at]
    renamed = wide.withColumnRenamed(columns[date_at], "date_text")
    received = from_wide(str(path), renamed, kept, names)
    return replace(received, place=lambda text: _row_with_date(path, date_at, text))


def _refuse_file(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    anything = False
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                anything = bool(decoder.decode(chunk).strip("\ufeff \t\r\n")) or anything
            decoder.decode(b"", final=True)
    except FileNotFoundError:
        raise PortfolioError(f"There is no file {path}; set market_data.path to a CSV of prices.") from None
    except IsADirectoryError:
        raise PortfolioError(f"{path} is a folder; set market_data.path to one CSV file.") from None
    except OSError as error:
        raise PortfolioError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PortfolioError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from None
    if not anything:
        raise PortfolioError(f"{path} is empty; it needs a header with date and instruments, and prices.")


def _refuse_header(path: Path, header: list[str]) -> int:
    """Return the position of the date column."""
    dates = [at for at, name in enumerate(header) if name.lower() == "date"]
    if not dates:
        hint = "; separate cells by commas" if len(header) == 1 and re.search(r"[;\t|]", header[0]) else ""
        raise PortfolioError(f"{path} has no column named date in its first line{hint}.")
    if len(dates) > 1:
        raise PortfolioError(f"{path} has {len(dates)} columns named date; keep one.")
    if len(header) == 1:
        raise PortfolioError(f"{path} has a date column and nothing else; it needs one column an instrument.")
    if "" in header:
        raise PortfolioError(f"Column {header.index('') + 1} of {path} has no name; name it or remove it.")
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise PortfolioError(f"{path} has more than one column named '{repeated[0]}'; keep one.")
    return dates[0]


def _header(path: Path) -> list[str]:
    for _, cells in _rows(path):
        return [cell.strip() for cell in cells]
    return []


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that is not blank, the header included."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            for cells in reader:
                if len(cells) > 1 or any(cell.strip() for cell in cells):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise PortfolioError(f"Line {reader.line_num} of {path} is not CSV: {error}.") from None


def _wrong_cells(path: Path, expected: int) -> str:
    for line, cells in _rows(path):
        if len(cells) != expected:
            return f"Line {line} of {path} has {len(cells)} cells, its header {expected}; correct that line."
    return f"{path} has a line whose quotes do not close; correct it."


def _row_with_date(path: Path, date_at: int, text: str) -> str:
    for line, cells in _rows(path):
        if len(cells) > date_at and cells[date_at] == text:
            return f"Line {line}"
    return "A line"


def _literal_path(path: Path) -> str:
    # Spark takes a path for a pattern: without the backslashes prices[1].csv would not be found.
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", str(path))
