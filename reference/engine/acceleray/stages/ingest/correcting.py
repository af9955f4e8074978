"""Corrections applied to the received cells of an instrument, and what each of them changed."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.quant.price_findings.finding import Finding
from acceleray.stages.ingest.corrections import Correction, Corrections
from acceleray.stages.ingest.grouped import Grouped, Here

# No number, so that the judge keeps the cell and takes no price from it.
_DROPPED = "dropped"
_EVER, _NEVER = date(1, 1, 1), date(9999, 12, 31)
_NUMBER = re.compile(r"\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\s*")
_PLACES = pa.schema([("place", pa.int64())])

# Says of judged cells of an instrument which were dropped.
Explain = Callable[[pa.Table], pa.Table]


def correcting(corrections: Corrections) -> Callable[[pa.Table], tuple[pa.Table, Explain]]:
    """Return the function that corrects the cells of one instrument, and says once they are judged what it
    dropped."""
    lines: dict[str, list[Correction]] = defaultdict(list)
    for one in corrections.changing:
        lines[one.instrument].append(one)
    name = corrections.name

    def correct(cells: pa.Table) -> tuple[pa.Table, Explain]:
        its = lines.get(cells["instrument_id"][0].as_py(), [])
        return corrected(cells, its), lambda judged: with_reasons(judged, its, name)

    return correct


def corrected(cells: pa.Table, lines: Sequence[Correction]) -> pa.Table:
    """Return the cells of one instrument with `number_text` and `adjusted_text` corrected.

    A cell that is replaced keeps its ratio of adjusted to close. One that is dropped gets no number, and its
    reason by `with_reasons`. Prices before the day of an `adjust` are multiplied by its factor in
    `adjusted_text`; the close stays, and so does `price_text`.
    """
    if not lines:
        return cells
    days = _days(cells)
    numbers, adjusted = cells["number_text"].to_pylist(), cells["adjusted_text"].to_pylist()
    for one in lines:
        if one.action != "adjust":
            given = _DROPPED if one.action == "drop" else one.value
            for at in np.flatnonzero(_hit(days, one)):
                adjusted[at] = _same_ratio(given, numbers[at], adjusted[at])
                numbers[at] = given
    if any(one.action == "adjust" for one in lines):
        factors = _factors(days, lines).tolist()
        # A close stands for adjusted ones where there is none: among others it may be of another level.
        given = numbers if all(text is None for text in adjusted) else adjusted
        # A factor of one leaves the text as it is, bit for bit.
        pairs = zip(factors, given, strict=True)
        adjusted = [text if factor == 1.0 else _product(text, factor) for factor, text in pairs]
    for name, texts in (("number_text", numbers), ("adjusted_text", adjusted)):
        at = cells.schema.get_field_index(name)
        cells = cells.set_column(at, cells.schema.field(at), pa.array(texts, pa.string()))
    return cells


def with_reasons(judged: pa.Table, lines: Sequence[Correction], name: str) -> pa.Table:
    """Return judged cells of one instrument in which those that lines of the file `name` drop say so."""
    for one in lines:
        if one.action != "drop" or not (hit := _hit(_days(judged), one)).any():
            continue
        said = pa.scalar(f"dropped by line {one.line} of {name}: {one.reason}", pa.string())
        mask = pa.array(hit)
        for column in ("price", "adjusted_price", "reason"):
            at = judged.schema.get_field_index(column)
            value = said if column == "reason" else pa.scalar(None, pa.float64())
            judged = judged.set_column(at, column, pc.if_else(mask, value, judged[column]))
    return judged


def effects(judged: Here | Grouped, corrections: Corrections) -> list[Finding]:
    """Return one finding for each line that changes prices: what it changed, or that it changed nothing."""
    changing = corrections.changing
    if not changing:
        return []

    def count(series: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        for cells in series:
            instrument, days = cells["instrument_id"][0].as_py(), _days(cells)
            for place, one in enumerate(changing):
                # Ranges may overlap: a price that one line replaces and another adjusts counts for both.
                if one.instrument == instrument and (number := int(_hit(days, one).sum())):
                    yield pa.RecordBatch.from_pydict({"place": [place] * number}, _PLACES)

    counts = Counter(judged.looked(count, _PLACES, "place long")["place"].to_pylist())
    return [_effect(corrections.name, one, counts[at]) for at, one in enumerate(changing)]


def _days(cells: pa.Table) -> NDArray[np.datetime64]:
    return np.asarray(cells["date"].to_numpy().astype("datetime64[D]"))


def _hit(days: NDArray[np.datetime64], one: Correction) -> NDArray[np.bool_]:
    """Return which days are those whose prices a line changes."""
    first, last = one.first or _EVER, one.last or _NEVER
    if one.action == "adjust":
        first, last = _EVER, first - timedelta(days=1)
    return np.asarray((days >= np.datetime64(first)) & (days <= np.datetime64(last)))


def _factors(days: NDArray[np.datetime64], lines: Sequence[Correction]) -> NDArray[np.float64]:
    """Return what each day's price is multiplied by: the product of the factors of all later splits."""
    found, factor = np.ones(days.size), 1.0
    adjusting = [one for one in lines if one.action == "adjust"]
    for one in sorted(adjusting, key=lambda line: line.first or _EVER, reverse=True):
        factor *= float(one.value)
        found[_hit(days, one)] = factor
    return found


def _value(text: str | None) -> float:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else math.nan


def _product(text: str | None, factor: float) -> str | None:
    number = _value(text) * factor
    return repr(number) if math.isfinite(number) else text


def _same_ratio(given: str, number: str | None, adjusted: str | None) -> str | None:
    if adjusted is None:
        return None
    close = _value(number)
    text = _value(given) * (_value(adjusted) / close) if close else math.nan
    return repr(text) if math.isfinite(text) else given


def _effect(name: str, one: Correction, number: int) -> Finding:
    first, last = np.datetime64(one.first, "D"), np.datetime64(one.last, "D")
    value = float(one.value) if one.action != "drop" else 0.0
    if not number:
        text = f"line {one.line} of {name} ({one.action}) matches no price"
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
