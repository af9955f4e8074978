"""Numbers of a Spark DataFrame as plain text, read with the same code as those of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading import number_text
from acceleray.stages.ingest.reading.grid import clean, filled
from acceleray.stages.ingest.reading.number_text import Decimal

_SHAPE = "instrument_id string, date date, price_text string, number_text string, adjusted_text string"
_COUNTS = ("point", "comma", "point_open", "comma_open")
_NULL = pa.scalar(None, pa.string())
_Map = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def with_numbers(origin: str, cells: DataFrame, declared: str, text: bool) -> tuple[DataFrame, list[str]]:
    """Return filled cells with number_text, and in words how numbers are written.

    Args:
        origin: how messages name the prices.
        cells: instrument_id, date, price_text, and adjusted_text as received.
        declared: what the setting `market_data.decimal` says.
        text: whether any column of prices is text; numbers leave nothing to understand.

    Raises:
        PortfolioError: numbers contradict each other, or a mark can be decimal or for thousands.
    """
    if not text:
        there = F.col("price_text").isNotNull() & (F.col("price_text") != "NaN")
        adjusted = F.when(F.col("adjusted_text") != "NaN", F.col("adjusted_text"))
        return cells.where(there).select(
            "instrument_id",
            "date",
            "price_text",
            F.col("price_text").alias("number_text"),
            adjusted.alias("adjusted_text"),
        ), []
    decimal = _decimal(origin, cells, declared)
    return cells.mapInArrow(_normalised(decimal), _SHAPE), [f"decimal {decimal}"] if decimal else []


def _texts(column: pa.Array) -> pa.ChunkedArray:
    return pa.chunked_array([column.cast(pa.string()).fill_null("")])


def _normalised(decimal: Decimal | None) -> _Map:
    def normalise(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            price, adjusted = _texts(batch["price_text"]), _texts(batch["adjusted_text"])
            columns = {
                "instrument_id": batch["instrument_id"],
                "date": batch["date"],
                "price_text": price,
                "number_text": number_text.plain(price, decimal),
                "adjusted_text": pc.if_else(filled(adjusted), number_text.plain(adjusted, decimal), _NULL),
            }
            yield from pa.table(columns).filter(filled(price)).combine_chunks().to_batches()

    return normalise


def _decimal(origin: str, cells: DataFrame, declared: str) -> Decimal | None:
    def count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = number_text.evidence(_texts(batch["price_text"])) + number_text.evidence(
                _texts(batch["adjusted_text"])
            )
            yield pa.RecordBatch.from_pydict({name: [getattr(found, name)] for name in _COUNTS})

    counted = cells.mapInArrow(count, ", ".join(f"{name} long" for name in _COUNTS))
    total = counted.agg(*[F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in _COUNTS]).first()
    found = number_text.Evidence(**total.asDict()) if total else number_text.Evidence()
    verdict = number_text.decide(found, declared)
    if verdict.odd:
        raise _refusal(origin, cells, verdict.odd, verdict.why)
    if declared == "auto" and verdict.decimal and getattr(found, f"{verdict.decimal}_open"):
        _refuse_two_scales(origin, cells, verdict.decimal)
    return verdict.decimal


def _with_forms(cells: DataFrame) -> DataFrame:
    """Return the cells with one column for each form of number, 1 or 0."""
    names = (*_COUNTS, "whole")

    def classify(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            masks = number_text.form_masks(_texts(batch["price_text"]), whole=True)
            flags = {name: masks[name].cast(pa.int64()) for name in names}
            kept = {name: batch[name] for name in ("instrument_id", "date", "price_text")}
            yield from pa.table({**kept, **flags}).combine_chunks().to_batches()

    shape = "instrument_id string, date date, price_text string, "
    return cells.mapInArrow(classify, shape + ", ".join(f"{name} long" for name in names))


def _refuse_two_scales(origin: str, cells: DataFrame, decimal: Decimal) -> None:
    forms = _with_forms(cells)
    names = (*_COUNTS, "whole")
    counted = forms.groupBy("instrument_id").agg(*[F.sum(name).alias(name) for name in names])
    for row in counted.where(f"{decimal}_open > 0 AND whole > 0").orderBy("instrument_id").collect():
        if number_text.two_scales(number_text.Evidence(**{name: row[name] for name in names}), decimal):
            mine = cells.where(F.col("instrument_id") == row["instrument_id"])
            raise _refusal(origin, mine, f"{decimal}_open", number_text.ambiguous())


def _refusal(origin: str, cells: DataFrame, form: str, why: str) -> PortfolioError:
    row = _with_forms(cells).where(f"{form} = 1").orderBy("date", "instrument_id").first()
    if row is None:
        # Only an adjusted close has this form.
        return PortfolioError(f"The adjusted closes of {origin} have {number_text.FORMS[form]}; {why}.")
    return PortfolioError(
        f"The row of {row['date']} of {origin} has '{clean(row['price_text'])}' for {row['instrument_id']}, "
        f"{number_text.FORMS[form]}; {why}."
    )
