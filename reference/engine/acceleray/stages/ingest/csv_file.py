"""A wide CSV file of prices: a date column and one column an instrument."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.ingest.received import Received, from_wide
from acceleray.stages.ingest.wide_file import Kind, open_wide

# Rows held as Python text at a time; beyond that they are packed as Arrow, about a tenth of the size.
_CHUNK = 2000
_PRICES = Kind("market_data.path", "prices", "instruments", "an instrument")


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
    file = open_wide(path, _PRICES)
    columns = [f"c{number}" for number in range(len(file.columns))]
    columns[file.date_at] = "date_text"
    chunks = []
    while chunk := list(islice(file.lines, _CHUNK)):
        chunks.append(_packed(chunk, columns))
    schema = pa.schema([("line", pa.int64()), *[(column, pa.string()) for column in columns]])
    frame = spark.createDataFrame(pa.Table.from_batches(chunks, schema))
    names = [name for at, name in enumerate(file.columns) if at != file.date_at]
    kept = [column for at, column in enumerate(columns) if at != file.date_at]
    return from_wide(str(path), frame, kept, names, line="line")


def _packed(lines: list[tuple[int, list[str]]], columns: list[str]) -> pa.RecordBatch:
    numbers = pa.array([line for line, _ in lines], pa.int64())
    texts = [pa.array(cells, pa.string()) for cells in zip(*(cells for _, cells in lines), strict=True)]
    return pa.RecordBatch.from_arrays([numbers, *texts], names=["line", *columns])
