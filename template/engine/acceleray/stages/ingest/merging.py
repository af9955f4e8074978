"""Judged prices into their tables: only the part of each table that moved is written, in one commit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from acceleray.engines.handoff.arrays import with_constants
from acceleray.runtime.run import Run
from acceleray.stages.ingest.grouped import Here
from acceleray.stages.ingest.moved import Moved, compare, held_rows
from acceleray.stages.ingest.quality import Judged
from acceleray.tables import PRICES, PRICES_QUARANTINED, PRICES_RECEIVED
from acceleray.tables.contract import Table

# Compared columns of each table besides instrument and date.
_COMPARED = {
    PRICES_RECEIVED.label: ("price_text",),
    PRICES.label: ("price", "adjusted_price"),
    PRICES_QUARANTINED.label: ("price_text", "reason"),
}
# Rows that are handed over at a time where many are: some megabytes.
_ROWS = 100_000


def moved(run: Run, table: Table, judged: Judged) -> Moved | None:
    """Return which of the judged rows of a table differ from those held; None where Spark has them."""
    if not isinstance(judged.series, Here):
        return None
    return compare(_rows(table, judged.series), held_rows(run, table, *_COMPARED[table.label]))


def commit_prices(run: Run, judged: Judged, load_id: str, prices: Moved | None, quarantined: int) -> None:
    """Commit received, accepted and quarantined prices.

    Args:
        run: the run.
        judged: all that was received.
        load_id: of it.
        prices: the accepted ones against those held, as `moved` gives them.
        quarantined: how many were not accepted.
    """
    if judged.rows is not None:
        return _by_spark(run, judged, load_id, quarantined)
    stamps = {"source": run.source, "load_id": load_id, "loaded_at": datetime.now(UTC)}
    for table in (PRICES_RECEIVED, PRICES, PRICES_QUARANTINED):
        known = prices if table is PRICES else moved(run, table, judged)
        assert known is not None
        commit_moved(run, table, known, stamps)
    return None


def commit_moved(run: Run, table: Table, known: Moved, stamps: dict[str, object]) -> None:
    """Commit what moved of a table; rows get the constants in `stamps` that the table declares."""
    names = [name for name in table.column_names if name in known.given.column_names]
    part = known.part
    rows = (known.given if part is None else part.rows(known.given)).select(names)
    if part is None and len(rows) > _ROWS:
        run.commit_parts(table, lambda: (with_constants(few, table, stamps) for few in _pieces(rows)))
    elif part is None:
        run.commit(table, with_constants(rows, table, stamps))
    else:
        run.commit(table, with_constants(rows, table, stamps), where=part.where)


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    for begin in range(0, len(rows), _ROWS):
        yield rows.slice(begin, _ROWS)


def _rows(table: Table, series: Here) -> pa.Table:
    """Return the judged rows that belong to a table; series that are whole are not copied."""
    return pa.concat_tables([_of(table, cells) for cells in series.tables])


def _of(table: Table, cells: pa.Table) -> pa.Table:
    """Return those rows of one instrument that belong to a table."""
    refused = len(cells) - cells["reason"].null_count
    if table is PRICES_RECEIVED or refused == (0 if table is PRICES else len(cells)):
        return cells
    accepted = pc.is_null(cells["reason"])
    return cells.filter(accepted if table is PRICES else pc.invert(accepted))


def _by_spark(run: Run, judged: Judged, load_id: str, quarantined: int) -> None:
    constants = {"source": run.source, "load_id": load_id}
    assert judged.rows is not None
    rows = judged.rows.withColumns({name: F.lit(value) for name, value in constants.items()})
    rows = rows.withColumn("loaded_at", F.current_timestamp())
    # Spark holds the judged rows already.
    run.commit(PRICES_RECEIVED, rows, keep=False)
    run.commit(PRICES, rows.where("reason IS NULL"), keep=False)
    none = PRICES_QUARANTINED.arrow_schema.empty_table()
    run.commit(PRICES_QUARANTINED, rows.where("reason IS NOT NULL") if quarantined else none, keep=False)
