"""Files whose columns have types: Parquet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading.grid import Grid, clean


def parquet_grid(raw: bytes, origin: str, name: str) -> Grid:
    """Return the table of a Parquet file.

    Raises:
        PortfolioError: the file is damaged or has no columns.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(raw)).read()
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PortfolioError(f"{origin} is a damaged Parquet file ({first}); write it again.") from None
    if not table.column_names:
        raise PortfolioError(f"{origin} is empty; it needs columns date and instruments, and prices.")
    header = tuple(clean(column) for column in table.column_names)
    lines = np.arange(1, table.num_rows + 1)
    return Grid(origin, name, header, tuple(table.columns), lines, "Row", ("Parquet",))
