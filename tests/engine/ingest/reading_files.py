"""Small files of prices for tests of reading, and their cells."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.grouped import Here
from acceleray.stages.ingest.reading.delivery import Delivery, deliver
from acceleray.stages.ingest.reading.wishes import Wishes
from acceleray.stages.ingest.received import Received

Cells = set[tuple[str, str, str, str | None]]
NAMES = ("AAA", "BBB", "CCC")
# Monday to Friday; the 13th and later decide which of day and month comes first.
DAYS = [date(2024, 1, 1) + timedelta(days=step) for step in range(40) if step % 7 < 5]
PRICES = [[48.25 + step, 998.12 + 7 * step, 0.5 + step / 4] for step in range(len(DAYS))]


def text(price: float) -> str:
    return f"{price:.2f}"


def rows(days: list[str] | None = None, write: Any = text) -> list[list[str]]:
    """Return the lines of the wide file below its header."""
    shown = days or [day.isoformat() for day in DAYS]
    return [[day, *map(write, prices)] for day, prices in zip(shown, PRICES, strict=True)]


def csv_text(lines: list[list[str]], separator: str = ",", header: list[str] | None = None) -> str:
    def cell(value: str) -> str:
        special = separator in value or '"' in value or "\n" in value
        return '"' + value.replace('"', '""') + '"' if special else value

    everything = [header if header is not None else ["Date", *NAMES], *lines]
    return "".join(separator.join(map(cell, line)) + "\n" for line in everything)


def received_cells(found: Received) -> list[dict[str, Any]]:
    """Return the cells that a source delivered, one mapping each."""
    assert isinstance(found.prices, Here)
    return [cell for table in found.prices.tables for cell in table.to_pylist()]


EXPECTED: Cells = {
    (name, day.isoformat(), text(price), None)
    for day, prices in zip(DAYS, PRICES, strict=True)
    for name, price in zip(NAMES, prices, strict=True)
}
"""instrument, date, number_text, adjusted_text of the file that every variant says the same as."""


def read(path: Path, **wishes: Any) -> Delivery:
    return deliver(path, Wishes(**wishes))


def table(found: Delivery) -> list[dict[str, Any]]:
    named = list(found.by_instrument())
    # Whoever judges a series is given all of it at once.
    assert len({name for name, _ in named}) == len(named)
    tables = [cells for _, cells in named]
    return pa.concat_tables(tables).to_pylist() if tables else []


def cells(found: Delivery) -> Cells:
    kept = [
        (row["instrument_id"], row["date"].isoformat(), row["number_text"], row["adjusted_text"])
        for row in table(found)
    ]
    assert len(set(kept)) == len(kept)
    return set(kept)


def refusal(path: Path, **wishes: Any) -> str:
    """Return the message with which a file is refused, on one line."""
    with pytest.raises(PortfolioError) as refused:
        read(path, **wishes)
    assert "\n" not in str(refused.value)
    return str(refused.value)
