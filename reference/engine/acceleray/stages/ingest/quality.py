"""Which received prices are accepted, and why the others are not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from acceleray.engines.handoff.arrays import column
from acceleray.quant.cash_like import cash_like_so_far
from acceleray.quant.price_findings.quarantine import LONGEST_TEXT
from acceleray.stages.ingest.correcting import correcting
from acceleray.stages.ingest.corrections import Corrections
from acceleray.stages.ingest.grouped import Grouped, Here, neighbours

# Between these bounds one day's return is always a finite number above -1; prices beyond them are typing
# errors or the wrong unit, whatever the currency.
SMALLEST = 1e-6
LARGEST = 1e9

# Share of a price by which its adjusted close may differ and be the same: vendors keep single precision.
_SAME = 1e-6

PLAIN_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_SPACE = pa.scalar(" ")
_INFINITE = r"(?i)^[+-]?(inf|infinity|∞)$"

# Columns of every cell after its checks. `digest` stands in an instrument's first row alone.
_JUDGED = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("date", pa.date32()),
        ("price_text", pa.string()),
        ("price", pa.float64()),
        ("adjusted_price", pa.float64()),
        ("reason", pa.string()),
        ("digest", pa.string()),
    ]
)
_SQL = (
    "instrument_id string, date date, price_text string, price double, adjusted_price double, reason string, "
    "digest string"
)

_FIRST = pa.schema([_JUDGED.field(name) for name in ("instrument_id", "date", "price_text", "reason")])
_FIRST_SQL = "instrument_id string, date date, price_text string, reason string"


@dataclass(frozen=True)
class Judged:
    """Judged cells, series by series, and as rows of Spark where Spark judges them.

    Columns: instrument_id, date, price_text, price, adjusted_price, reason, digest. Of price and reason
    exactly one is NULL; see `judge_series`.

    Attributes:
        series: rows of one instrument at a time. Where Spark's workers know whose cells are whose, they are
            judged again on the way, which is cheaper than to keep them.
        rows: by instrument and date; None where this process holds them.
    """

    series: Here | Grouped
    rows: DataFrame | None = None

    @property
    def kept(self) -> DataFrame | None:
        """Return the rows that Spark should keep, because a shuffle is in them."""
        return self.rows if isinstance(self.series, Grouped) and self.series.frame is self.rows else None


def judge(
    cells: DataFrame | Grouped | Here,
    stale_price_d: int,
    arithmetic: Mapping[str, float] | None = None,
    corrections: Corrections | None = None,
) -> Judged:
    """Return every received cell with its price or the reason why it is none.

    `arithmetic` is `market_data.arithmetic`, `corrections` are applied before. The work of one instrument is
    done in Python, because windows in SQL take ten times as long.
    """
    correct = correcting(corrections or Corrections())

    def judged(rows: pa.Table) -> pa.Table:
        level = (arithmetic or {}).get(rows.column("instrument_id")[0].as_py())
        cells, explain = correct(rows)
        return explain(judge_series(cells, stale_price_d, level))

    if isinstance(cells, Here):
        return Judged(Here(tuple(judged(rows) for rows in cells.tables if len(rows))))
    if isinstance(cells, DataFrame):
        # Judged once: a shuffle is in it.
        rows = cells.groupBy("instrument_id").applyInArrow(judged, _SQL)
        return Judged(Grouped(rows, neighbours), rows)
    read = cells.read

    def series(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        return (judged(rows) for rows in read(batches) if len(rows))

    grouped = Grouped(cells.frame, series)
    return Judged(grouped, grouped.rows(_SQL))


def judge_series(cells: pa.Table, stale_price_d: int, level: float | None = None) -> pa.Table:
    """Return the judged cells of one instrument, by date.

    Text must be a plain decimal number (a sign, digits, a decimal point, an exponent): what a file means by
    its marks was decided when it was read. A price that repeats the one before it for more than
    `stale_price_d` prices running is stale from there on, unless the instrument has moved no more than cash
    does; only the past decides that, so no day is judged by later ones.

    Args:
        cells: instrument_id, date, price_text, number_text and adjusted_text, in any order. Where it is NULL,
            the price itself is taken, in a series with adjusted prices only if they are the prices there.
        stale_price_d: prices.
        level: that of arithmetic returns; with one a price may be zero or negative.
    """
    signed = level is not None
    days = column(cells, "date")
    if not bool(np.all(days[1:] >= days[:-1])):
        cells = cells.sort_by("date")
    cells = cells.combine_chunks()
    number, reason = _numbers(cells.column("number_text"), signed)
    given = cells.column("adjusted_text")
    adjusted = number
    if given.null_count < len(given):
        own, own_reason = _numbers(given, signed)
        whole = np.asarray(given.is_valid().to_numpy(zero_copy_only=False))
        adjusted = np.where(whole, own, number)
        reason = np.where((reason == "") & whole & (own_reason != ""), "adjusted price " + own_reason, reason)
        # A close among adjusted prices of another level would be a move that nobody had.
        close_will_do = _nearest(whole & (reason == ""), np.abs(own - number) <= _SAME * np.abs(number))
        reason = np.where((reason == "") & ~whole & ~close_will_do, "no adjusted price", reason)
    usable = np.flatnonzero(reason == "")
    stale = _stale(number[usable], adjusted[usable], stale_price_d, level)
    reason[usable[stale]] = f"unchanged for more than {stale_price_d} prices"
    accepted = reason == ""
    return pa.table(
        {
            "instrument_id": cells.column("instrument_id"),
            "date": cells.column("date"),
            "price_text": cells.column("price_text"),
            "price": pa.array(number, mask=~accepted),
            "adjusted_price": pa.array(adjusted, mask=~accepted),
            "reason": pa.nulls(len(cells), pa.string())
            if accepted.all()
            else pa.array(reason.tolist(), pa.string(), mask=accepted),
            "digest": pa.array([_digest(cells), *[None] * (len(cells) - 1)], pa.string()),
        }
    ).cast(_JUDGED)


def first_cell(judged: Here | Grouped) -> str:
    """Return in words the first cell as received and why it is no price, '' without a cell."""

    def first(series: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        for cells in series:
            yield from cells.select(_FIRST.names).slice(0, 1).to_batches()

    rows = judged.looked(first, _FIRST, _FIRST_SQL).sort_by(
        [("date", "ascending"), ("instrument_id", "ascending")]
    )
    for row in rows.slice(0, 1).to_pylist():
        return f", the first is '{' '.join(row['price_text'].split())[:LONGEST_TEXT]}' ({row['reason']})"
    return ""


def _nearest(known: NDArray[np.bool_], values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return for each place the value of the last known one up to it; before the first, that of the first."""
    at = np.flatnonzero(known)
    if not at.size:
        return np.zeros(known.size, dtype=bool)
    places = np.maximum(np.searchsorted(at, np.arange(known.size), side="right") - 1, 0)
    return np.asarray(values[at[places]])


def _numbers(texts: pa.ChunkedArray, signed: bool) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return numbers, and why each is no price ('' where it is one); a `signed` one may be any number."""
    texts = pc.utf8_trim_whitespace(texts)
    plain = pc.fill_null(pc.match_substring_regex(texts, PLAIN_NUMBER), False)
    found = pc.if_else(plain, pc.utf8_ltrim(texts, "+"), None)
    try:
        values = pc.cast(found, pa.float64())
    except pa.ArrowInvalid:  # an exponent beyond what a number can hold
        values = pa.chunked_array([[None if text is None else float(text) for text in found.to_pylist()]])
    number = np.asarray(values.to_numpy(), dtype=np.float64)
    infinite = np.asarray(pc.fill_null(pc.match_substring_regex(texts, _INFINITE), False).to_numpy())
    none = ~np.asarray(plain.to_numpy())
    reason = np.select(
        [
            none & infinite,
            none,
            np.isinf(number),
            (number < 0.0) & (not signed),
            (number == 0.0) & (not signed),
            (number < SMALLEST) & (not signed),
            np.abs(number) > LARGEST,
        ],
        [
            "infinite",
            "not a number",
            "infinite",
            "negative",
            "zero",
            "smaller than 0.000001",
            "larger than 1000000000",
        ],
        "",
    ).astype(object)
    return number, reason


def _stale(
    prices: NDArray[np.float64], adjusted: NDArray[np.float64], longest: int, level: float | None
) -> NDArray[np.bool_]:
    places = np.arange(prices.size)
    moved = np.concatenate(([True], prices[1:] != prices[:-1])) if prices.size else np.zeros(0, dtype=bool)
    repeats = places - np.maximum.accumulate(np.where(moved, places, 0))
    return np.asarray((repeats > longest) & ~cash_like_so_far(adjusted, level))


def _digest(cells: pa.Table) -> str:
    """Return a SHA-256 over dates and numbers, whatever the order and the marks they came in."""
    # The length keeps rows apart.
    numbers, adjusted = cells.column("number_text"), cells.column("adjusted_text")
    rows = pc.binary_join_element_wise(
        cells.column("date").cast(pa.string()), _length(numbers), numbers, _SPACE
    )
    if adjusted.null_count < len(adjusted):
        longer = pc.binary_join_element_wise(rows, _length(adjusted), adjusted, _SPACE)
        rows = pc.coalesce(longer, rows)
    digest = hashlib.sha256()
    for at, chunk in enumerate(_whole(rows)):
        digest.update(b"\n" * (at > 0) + chunk)
    return digest.hexdigest()


def _length(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_length(texts).cast(pa.string())


def _whole(rows: pa.ChunkedArray) -> list[bytes]:
    """Return the lines of each chunk as one text."""
    chunks = [chunk for chunk in rows.chunks if len(chunk)]
    lists = [pa.ListArray.from_arrays(pa.array([0, len(chunk)], pa.int32()), chunk) for chunk in chunks]
    return [pc.binary_join(one, "\n")[0].as_py().encode() for one in lists]
