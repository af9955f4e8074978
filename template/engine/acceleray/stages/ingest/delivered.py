"""Delivered prices before any commit: last closes up to the as-of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from acceleray.engines.handoff.arrays import column
from acceleray.stages.ingest.grouped import Grouped, Here, Look

_SCHEMA = pa.schema(
    [("instrument_id", pa.string()), ("price", pa.float64()), ("date", pa.date32()), ("of", pa.int64())]
)
_SQL = "instrument_id string, price double, date date, of long"


@dataclass(frozen=True)
class Delivered:
    """Accepted prices of a source in short.

    Attributes:
        as_of: the trading day the run looks from.
        instruments: those with an accepted price on any day, by name.
        closes: instrument_id, price (not adjusted) and date of the last one on or before the as-of date.
    """

    as_of: date
    instruments: tuple[str, ...]
    closes: pa.Table


Examine = Callable[[Delivered], None]
"""Looks at what was delivered; what it raises ends the run with nothing committed."""


def delivered(judged: Here | Grouped, as_of: date) -> Delivered:
    """Return judged prices in short.

    Args:
        judged: the series of `quality.judge`.
        as_of: the trading day the run looks from.
    """
    rows = judged.looked(_last_until(np.datetime64(as_of, "D")), _SCHEMA, _SQL).sort_by("instrument_id")
    closes = rows.filter(rows["price"].is_valid()).drop_columns(["of"])
    return Delivered(as_of, tuple(rows["instrument_id"].to_pylist()), closes)


def _last_until(as_of: np.datetime64) -> Look:
    def look(judged: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        found = [row for cells in judged if (row := _last(cells, as_of))["of"]]
        yield from pa.Table.from_pylist(found, _SCHEMA).to_batches()

    return look


def _last(cells: pa.Table, as_of: np.datetime64) -> dict[str, object]:
    """Return the last close of one instrument's cells, in any order, and how many prices there are."""
    days, prices = column(cells, "date").astype("datetime64[D]"), column(cells, "price")
    accepted = np.isfinite(prices)
    seen = np.flatnonzero(accepted & (days <= as_of))
    row: dict[str, object] = {"instrument_id": cells["instrument_id"][0].as_py(), "of": int(accepted.sum())}
    if seen.size:
        at = seen[np.argmax(days[seen])]
        row |= {"price": float(prices[at]), "date": days[at].item()}
    return row
