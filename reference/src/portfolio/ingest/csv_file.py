"""A wide CSV file of prices: a date column and one column an instrument."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

from portfolio.errors import PortfolioError
from portfolio.ingest.received import Received, from_wide
from portfolio.settings import Settings

# Rows held as Python text at a time; beyond that they are packed as Arrow, about a tenth of the size.
_CHUNK = 2000


def from_csv(spark: SparkSession, settings: Settings) -> Received:
    """Return the cells of the CSV file that `market_data.path` names, as text.

    A relative path starts at the project folder. The file is read here and not by Spark: Spark's workers may
    not see it, its reader skips a file called _prices.csv, takes prices[1].csv for a pattern, and shifts the
    cells of a line that has too few. Columns go by their position, so an instrument may have any name.

    Raises:
        PortfolioError: there is no such file, it is not UTF-8 text, its header is not usable, or a line has
            more or fewer cells than the header.
    """
    if not settings.market_data.path:
        raise PortfolioError("market_data.source is csv: set market_data.path to a CSV file of prices.")
    path = settings.project_dir / Path(settings.market_data.path).expanduser()
    lines = _lines(path)
    _, first = next(lines, (0, []))
    header = [cell.strip() for cell in first]
    date_at = _refuse_header(path, header)
    columns = [f"c{number}" for number in range(len(header))]
    columns[date_at] = "date_text"
    chunks = []
    while chunk := list(islice(lines, _CHUNK)):
        chunks.append(_packed(path, chunk, columns))
    schema = pa.schema([("line", pa.int64()), *[(column, pa.string()) for column in columns]])
    frame = spark.createDataFrame(pa.Table.from_batches(chunks, schema))
    names = [name for at, name in enumerate(header) if at != date_at]
    kept = [column for at, column in enumerate(columns) if at != date_at]
    return from_wide(str(path), frame, kept, names, line="line")


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line that is not blank, the header included.

    A spreadsheet leaves lines of nothing but commas behind; they are blank too.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        yield reader.line_num, cells
            except csv.Error as error:
                raise PortfolioError(f"Line {reader.line_num} of {path} is not CSV: {error}.") from None
    except FileNotFoundError:
        raise PortfolioError(f"There is no file {path}; set market_data.path to a CSV of prices.") from None
    except IsADirectoryError:
        raise PortfolioError(f"{path} is a folder; set market_data.path to one CSV file.") from None
    except OSError as error:
        raise PortfolioError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PortfolioError(f"{path} is not UTF-8 text; save it as CSV in UTF-8.") from None


def _refuse_header(path: Path, header: list[str]) -> int:
    """Return the position of the date column."""
    if not header:
        raise PortfolioError(f"{path} is empty; it needs a header with date and instruments, and prices.")
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


def _packed(path: Path, lines: list[tuple[int, list[str]]], columns: list[str]) -> pa.RecordBatch:
    for line, cells in lines:
        if len(cells) != len(columns):
            raise PortfolioError(
                f"Line {line} of {path} has {len(cells)} cells, its header {len(columns)}; correct that line."
            )
    numbers = pa.array([line for line, _ in lines], pa.int64())
    texts = [pa.array(cells, pa.string()) for cells in zip(*(cells for _, cells in lines), strict=True)]
    return pa.RecordBatch.from_arrays([numbers, *texts], names=["line", *columns])
