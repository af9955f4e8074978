"""Cells that were not accepted, told once for each instrument."""

from __future__ import annotations

from collections import Counter

import numpy as np

from acceleray.counts import counted
from acceleray.quant.price_findings.finding import Finding, Series

FEW_CELLS = 3
"""Quarantined cells of an instrument that are no news: what a long history has by chance."""

FEWEST_ALIKE = 5
"""Negative cells with one text that are no prices: of levels and returns they differ."""

LONGEST_TEXT = 40
"""Characters of a cell that are shown."""

_OF_ITS_OWN = ("negative", "zero", "unchanged", "dropped")


def no_price(series: Series) -> Finding | None:
    """Return the finding that no price of an instrument was accepted, so that it leaves the book."""
    if series.days.size or not series.bad_days.size:
        return None
    number = series.bad_days.size
    first = _first(series, range(number))
    cells = f"all {counted(number, 'cell')} are" if number > 1 else "its only cell is"
    text = f"{cells} quarantined, {first}: it is removed from the book"
    advice = "correct them where they come from"
    first, last = series.bad_days[0], series.bad_days[-1]
    return Finding("no_price", "error", series.instrument, first, last, number, float(number), text, advice)


def announced_only(instrument: str, day: np.datetime64) -> Finding:
    """Return the finding that the source names an instrument without a cell; `day` is the first of all."""
    text = "named by the source, and no cell is filled: it is removed from the book"
    advice = "fill it in or remove the column"
    return Finding("no_price", "warning", instrument, day, day, 0, 0.0, text, advice)


def quarantined(series: Series) -> Finding | None:
    """Return the finding that more than `FEW_CELLS` cells are unusable for other reasons than their level."""
    at = [place for place, reason in enumerate(series.reasons) if not reason.startswith(_OF_ITS_OWN)]
    if len(at) <= FEW_CELLS or not series.days.size:
        return None
    total = series.days.size + series.bad_days.size
    text = f"{len(at):,} of {counted(total, 'cell')} are quarantined, {_first(series, at)}"
    advice = "correct them where they come from; without them its returns span several days"
    days = series.bad_days[at]
    return Finding(
        "quarantined", "warning", series.instrument, days[0], days[-1], len(at), len(at) / total, text, advice
    )


def not_positive(series: Series) -> Finding | None:
    """Return the finding that some prices are zero or negative, which have no return."""
    at = [place for place, reason in enumerate(series.reasons) if reason in ("negative", "zero")]
    if not at or not series.days.size:
        return None
    text = f"{counted(len(at), 'price')} at or below zero, {_first(series, at)}: they give no return"
    advice = "drop or replace them in the corrections file, or take the price of the next contract"
    if mark := placeholder(series):
        text = (
            f"{counted(len(at), 'cell')} at or below zero, {_first(series, at)}: '{mark}' stands for no price"
        )
        advice = "leave such cells empty"
    days = series.bad_days[at]
    return Finding(
        "not_positive", "warning", series.instrument, days[0], days[-1], len(at), float(len(at)), text, advice
    )


def placeholder(series: Series) -> str:
    """Return the text that all negative cells have, -999 say: it stands for no price; '' if there is none."""
    texts = [
        text for text, reason in zip(series.bad_texts, series.reasons, strict=True) if reason == "negative"
    ]
    return texts[0] if len(texts) >= FEWEST_ALIKE and len(set(texts)) == 1 else ""


def _first(series: Series, places: range | list[int]) -> str:
    at = places[0]
    cell = series.bad_texts[at] if series.bad_texts else ""
    cell = cell if len(cell) <= LONGEST_TEXT else f"{cell[:LONGEST_TEXT]}..."
    others = Counter(series.reasons[place] for place in places)
    others.pop(series.reasons[at])
    also = "".join(f"; {number:,} {reason}" for reason, number in others.most_common(2))
    return f"first on {series.bad_days[at]}: '{cell}' ({series.reasons[at]}{also})"
