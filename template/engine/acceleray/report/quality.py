"""Received, accepted and quarantined prices, and missing ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import Read, dates, narrowed
from acceleray.tables import PRICES, PRICES_QUARANTINED, PRICES_RECEIVED

SHOWN_GAPS = 15
EXAMPLES = 3


@dataclass(frozen=True)
class Reason:
    """One reason for quarantine, how often, and the first rows it hit."""

    reason: str
    rows: int
    instruments: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """One instrument's prices against the days on which anything was quoted."""

    instrument: str
    first: date
    last: date
    prices: int
    # Days without a price before the first, between first and last, and after the last.
    before: int
    missing: int
    after: int


@dataclass(frozen=True)
class Quality:
    """Rows in, rows kept, rows quarantined, and coverage by instrument, worst first."""

    received: int
    accepted: int
    quarantined: int
    instruments_received: int
    instruments: int
    days: int
    first: date | None
    last: date | None
    source: str
    # That of the newest price.
    load_id: str
    reasons: tuple[Reason, ...]
    incomplete: tuple[Coverage, ...]

    @property
    def reconciles(self) -> bool:
        """Return whether every received row is either accepted or quarantined."""
        return self.received == self.accepted + self.quarantined


def gather(read: Read) -> Quality:
    """Return counts and coverage; needs five columns of the price tables and no prices."""
    received = read(narrowed(PRICES_RECEIVED, "instrument_id"))
    # Of millions of prices each column is given up as soon as it has been looked at.
    rows_received, names_received = received.num_rows, len(pc.unique(received["instrument_id"]))
    del received
    came = read(narrowed(PRICES, "source", "date", "load_id"))
    source = printable(came["source"][0].as_py()) if came.num_rows else ""
    load_id = newest_load(came)
    del came
    accepted = read(narrowed(PRICES, "instrument_id", "date"))
    names, codes = _encoded(accepted, "instrument_id")
    days, coded = _encoded(accepted.select(["date"]), "date")
    del accepted
    # The few days are sorted, and not the day of every price.
    calendar, place = np.unique(np.array(days, dtype="datetime64[D]"), return_inverse=True)
    day = place[coded]
    rejected = read(narrowed(PRICES_QUARANTINED, "instrument_id", "date", "price_text", "reason"))
    return Quality(
        received=rows_received,
        accepted=codes.size,
        quarantined=rejected.num_rows,
        instruments_received=names_received,
        instruments=len(names),
        days=len(calendar),
        first=calendar[0].item() if calendar.size else None,
        last=calendar[-1].item() if calendar.size else None,
        source=source,
        load_id=load_id,
        reasons=_reasons(rejected),
        incomplete=_incomplete(names, codes, calendar, day),
    )


def newest_load(prices: pa.Table) -> str:
    """Return the load that the newest of the prices came with, nothing without a price."""
    if not prices.num_rows:
        return ""
    return str(prices["load_id"][int(np.argmax(dates(prices, "date")))].as_py())


def _encoded(table: pa.Table, name: str) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the different values of a column, and the place of each row's among them."""
    column = table[name].combine_chunks()
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks() if encoded.num_chunks != 1 else encoded.chunk(0)
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _reasons(table: pa.Table) -> tuple[Reason, ...]:
    found = []
    for reason in sorted(pc.unique(table["reason"]).to_pylist()):
        rows = table.filter(pc.equal(table["reason"], reason))
        rows = rows.sort_by([("instrument_id", "ascending"), ("date", "ascending")])
        examples = tuple(
            printable(f"{row['instrument_id']} on {row['date']}: '{row['price_text']}'")
            for row in rows.slice(0, EXAMPLES).to_pylist()
        )
        instruments = len(pc.unique(rows["instrument_id"]))
        found.append(Reason(printable(reason), rows.num_rows, instruments, examples))
    return tuple(sorted(found, key=lambda row: (-row.rows, row.reason)))


def _incomplete(
    names: list[str],
    codes: NDArray[np.int64],
    calendar: NDArray[np.datetime64],
    day: NDArray[np.int64],
) -> tuple[Coverage, ...]:
    number = len(names)
    prices = np.bincount(codes, minlength=number)
    start = np.full(number, len(calendar), dtype=np.int64)
    end = np.full(number, -1, dtype=np.int64)
    np.minimum.at(start, codes, day)
    np.maximum.at(end, codes, day)
    lines = [
        Coverage(
            printable(name),
            calendar[start[i]].item(),
            calendar[end[i]].item(),
            int(prices[i]),
            int(start[i]),
            int(end[i] - start[i] + 1 - prices[i]),
            int(len(calendar) - 1 - end[i]),
        )
        for i, name in enumerate(names)
    ]
    lines = [line for line in lines if line.before or line.missing or line.after]
    return tuple(sorted(lines, key=lambda line: (-line.missing, -line.after, -line.before, line.instrument)))
