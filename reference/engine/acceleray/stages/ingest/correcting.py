"""Corrections applied to received cells, and what each of them changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from acceleray.quant.price_findings.finding import Finding, counted
from acceleray.stages.ingest.corrections import Correction, Corrections
from acceleray.stages.ingest.grouped import Grouped, neighbours
from acceleray.stages.ingest.quality import Judged

# No number, so that the judge keeps the cell and takes no price from it.
_DROPPED = "dropped"
_EVER, _NEVER = date(1, 1, 1), date(9999, 12, 31)


def corrected(cells: DataFrame, corrections: Corrections) -> DataFrame:
    """Return cells with `number_text` and `adjusted_text` corrected; `price_text` stays as received.

    A cell that is replaced keeps its ratio of adjusted to close. One that is dropped gets no number, and its
    reason by `explained`. Prices before the day of an `adjust` are multiplied by its factor in
    `adjusted_text`; the close stays.
    """
    if not corrections.changing:
        return cells
    number = (
        F.coalesce("number_text", "price_text") if "number_text" in cells.columns else F.col("price_text")
    )
    adjusted = F.col("adjusted_text") if "adjusted_text" in cells.columns else F.lit(None).cast("string")
    cells = cells.withColumn("number_text", number).withColumn("adjusted_text", adjusted)
    return _adjusted(_replaced(cells, corrections.changing), corrections.changing)


def explained(judged: Judged, corrections: Corrections) -> Judged:
    """Return judged cells in which those that were dropped say so, with the line and its reason."""
    rows = with_reasons(judged.rows, corrections)
    return judged if rows is judged.rows else Judged(rows, Grouped(rows, neighbours))


def with_reasons(judged: DataFrame, corrections: Corrections) -> DataFrame:
    """Return rows of judged cells in which those that were dropped say so; their order stays."""
    dropping = [one for one in corrections.changing if one.action == "drop"]
    if not dropping:
        return judged
    said = [f"dropped by line {one.line} of {corrections.name}: {one.reason}" for one in dropping]
    found = _ranges(judged, dropping, said, "said")
    kept = F.col("said").isNull()
    new = {"reason": F.coalesce("said", "reason")}
    new |= {name: F.when(kept, F.col(name)) for name in ("price", "adjusted_price") if name in judged.columns}
    return _with(found, judged.columns, **new)


def effects(judged: DataFrame, corrections: Corrections) -> list[Finding]:
    """Return one finding for each line that changes prices: what it changed, or that it changed nothing."""
    changing = corrections.changing
    if not changing:
        return []
    # Ranges may overlap here: a price that one line replaces and another adjusts counts for both.
    rows = [(one.instrument, *_touched(one), str(place)) for place, one in enumerate(changing)]
    hit = _joined(judged, rows, "place", until_last=True).where("place IS NOT NULL")
    number = F.count("*").alias("number")
    counts = {int(row["place"]): int(row["number"]) for row in hit.groupBy("place").agg(number).collect()}
    return [_effect(corrections.name, one, counts.get(at, 0)) for at, one in enumerate(changing)]


def _touched(one: Correction) -> tuple[date, date]:
    """Return the first and last day whose prices a line changes."""
    first, last = one.first or _EVER, one.last or _NEVER
    return (_EVER, first - timedelta(days=1)) if one.action == "adjust" else (first, last)


def _effect(name: str, one: Correction, number: int) -> Finding:
    first, last = np.datetime64(one.first, "D"), np.datetime64(one.last, "D")
    value = float(one.value) if one.action != "drop" else 0.0
    if not number:
        text = f"line {one.line} of {name} ({one.action}) meets no price"
        advice = "correct its instrument_id and dates, or remove it"
        return Finding("correction_unused", "warning", one.instrument, first, last, 0, value, text, advice)
    prices = counted(number, "price")
    what = {
        "adjust": f"{prices} before {first} multiplied by {one.value} for returns",
        "drop": f"{prices} dropped, {first} to {last}",
        "replace": f"{prices} replaced by {one.value}, {first} to {last}",
    }[one.action]
    text = f"{what}: {one.reason} (line {one.line} of {name})"
    return Finding("corrected", "info", one.instrument, first, last, number, value, text)


def _replaced(cells: DataFrame, changing: Sequence[Correction]) -> DataFrame:
    chosen = [one for one in changing if one.action in ("drop", "replace")]
    if not chosen:
        return cells
    values = [_DROPPED if one.action == "drop" else one.value for one in chosen]
    found = _ranges(cells, chosen, values, "given")
    given, read = F.expr("try_cast(given AS DOUBLE)"), F.expr("try_cast(number_text AS DOUBLE)")
    ratio = F.try_divide(F.expr("try_cast(adjusted_text AS DOUBLE)"), read)
    text = F.coalesce((given * ratio).cast("string"), F.col("given"))
    adjusted = F.when(F.col("adjusted_text").isNotNull() & F.col("given").isNotNull(), text)
    return _with(
        found, cells.columns, number_text=F.coalesce("given", "number_text"),
        adjusted_text=F.coalesce(adjusted, F.col("adjusted_text")),
    )  # fmt: skip


def _adjusted(cells: DataFrame, changing: Sequence[Correction]) -> DataFrame:
    by_instrument: dict[str, list[Correction]] = defaultdict(list)
    for one in changing:
        if one.action == "adjust":
            by_instrument[one.instrument].append(one)
    if not by_instrument:
        return cells
    rows: list[tuple[str, date, date, str]] = []
    for instrument, lines in by_instrument.items():
        factor, until = 1.0, _NEVER
        for one in sorted(lines, key=lambda line: line.first or _EVER, reverse=True):
            day = one.first or _EVER
            rows.append((instrument, day, until, repr(factor)))
            factor, until = factor * float(one.value), day
        rows.append((instrument, _EVER, until, repr(factor)))
    found = _joined(cells, rows, "factor", until_last=False)
    factor_column = F.col("factor").cast("double")
    number = F.coalesce("adjusted_text", "number_text")
    product = (F.expr("try_cast(coalesce(adjusted_text, number_text) AS DOUBLE)") * factor_column).cast(
        "string"
    )
    # A factor of one leaves the text as it is, bit for bit.
    text = F.when(F.col("factor").isNull(), F.col("adjusted_text")).when(factor_column == 1.0, number)
    return _with(found, cells.columns, adjusted_text=text.otherwise(F.coalesce(product, number)))


def _with(frame: DataFrame, names: Sequence[str], **new: Column) -> DataFrame:
    return frame.select(*[new[name].alias(name) if name in new else F.col(name) for name in names])


def _ranges(frame: DataFrame, lines: Sequence[Correction], values: Sequence[str], column: str) -> DataFrame:
    rows = [(one.instrument, *_touched(one), value) for one, value in zip(lines, values, strict=True)]
    return _joined(frame, rows, column, until_last=True)


def _joined(
    frame: DataFrame, rows: Sequence[tuple[str, date, date, str]], column: str, until_last: bool
) -> DataFrame:
    """Return the frame with a column of the value whose instrument and days a row is in, else NULL."""
    names = ("its_instrument", "its_first", "its_last", column)
    types = (pa.string(), pa.date32(), pa.date32(), pa.string())
    arrays = [pa.array(values, kind) for values, kind in zip(zip(*rows, strict=True), types, strict=True)]
    few = F.broadcast(frame.sparkSession.createDataFrame(pa.table(dict(zip(names, arrays, strict=True)))))
    ends = F.col("date") <= F.col("its_last") if until_last else F.col("date") < F.col("its_last")
    within = (
        (F.col("instrument_id") == F.col("its_instrument")) & (F.col("date") >= F.col("its_first")) & ends
    )
    return frame.join(few, within, "left").drop("its_instrument", "its_first", "its_last")
