"""Lines of a book kept in a table, and read back by the next run on its own instruments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.stages.book.book import Book
from acceleray.stages.book.lines import PRICE, Line, Lines
from acceleray.stages.stress.rows import typed
from acceleray.tables import BOOK_LINES

# Portfolios whose change is split: a desk's own, and of a benchmark's load some.
COMPARED = 100


def compared(book: Book) -> NDArray[np.int64]:
    """Return the places of the portfolios that are compared: a hundred, or those without a parent."""
    count = len(book.portfolios)
    if count <= COMPARED:
        return np.arange(count)
    return np.array([place for place, parent in enumerate(book.parents) if not parent][:COMPARED])


def only(book: Book, places: NDArray[np.int64]) -> Book:
    """Return some portfolios of a book, without details."""

    def some(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(values[place] for place in places)

    return replace(
        book,
        portfolios=some(book.portfolios),
        names=some(book.names),
        origins=some(book.origins),
        weights=book.weights[places],
        nav=book.nav[places],
        currencies=some(book.currencies),
        parents=some(book.parents),
        benchmarks=some(book.benchmarks),
        details=None,
    )


def kept(book: Book) -> pa.Table:
    """Return the weights of portfolios as rows of gold.book_lines, zero weights left out."""
    lines, count = book.lines, len(book.lines.own)
    portfolio, place = np.nonzero(book.weights)
    further = [None if at < count else lines.more[at - count] for at in place]
    names, parts = lines.instruments, lines.parts
    rates = [
        json.dumps([[lines.own[rate], sign] for rate, sign in line.legs] if line else []) for line in further
    ]
    series = [
        names[at] if line is None else "" if line.held < 0 else lines.own[line.held]
        for at, line in zip(place, further, strict=True)
    ]
    return typed(
        BOOK_LINES,
        {
            "portfolio_id": [book.portfolios[at] for at in portfolio],
            "instrument_id": [names[at] for at in place],
            "part": [parts[at] for at in place],
            "base_currency": [line.base if line else "" for line in further],
            "rates": rates,
            "series": series,
            "beta": [line.beta if line else 1.0 for line in further],
            "weight": book.weights[portfolio, place],
        },
    )


@dataclass(frozen=True)
class Aligned:
    """Two books on the same lines and portfolios.

    Attributes:
        before: weights as they were kept; zero for a portfolio that was not there.
        today: the same portfolios as they are.
        reasons: of each portfolio why `before` is not what it was, empty where it is.
    """

    before: Book
    today: Book
    reasons: tuple[str, ...]


def aligned(rows: pa.Table, today: Book) -> Aligned:
    """Return today's book and that of kept rows, on the instruments of today."""
    own = {name: place for place, name in enumerate(today.lines.own)}
    at = {line: len(own) + place for place, line in enumerate(today.lines.more)}
    portfolio_at = {name: place for place, name in enumerate(today.portfolios)}
    more, entries = list(today.lines.more), []
    gone: dict[str, str] = {}
    for row in rows.to_pylist():
        name = row["portfolio_id"]
        if name not in portfolio_at:
            continue
        legs = [(rate, int(sign)) for rate, sign in json.loads(row["rates"])]
        missing = [each for each in (row["series"], *(rate for rate, _ in legs)) if each and each not in own]
        if missing:
            gone.setdefault(name, f"it was exposed to {missing[0]}, whose prices are no longer there")
            continue
        place = _place(row, legs, own, at, more)
        entries.append((portfolio_at[name], place, row["weight"]))
    lines = Lines(today.lines.own, tuple(more))
    before = np.zeros((len(today.portfolios), len(lines)))
    for portfolio, place, weight in entries:
        before[portfolio, place] += weight
    now = np.zeros_like(before)
    now[:, : today.weights.shape[1]] = today.weights
    reasons = tuple(gone.get(name, "") for name in today.portfolios)
    return Aligned(
        replace(today, lines=lines, weights=before, details=None),
        replace(today, lines=lines, weights=now, details=None),
        reasons,
    )


def _place(
    row: dict[str, object],
    legs: list[tuple[str, int]],
    own: dict[str, int],
    at: dict[Line, int],
    more: list[Line],
) -> int:
    name, series, beta = str(row["instrument_id"]), str(row["series"]), float(str(row["beta"]))
    if row["part"] == PRICE and series == name and beta == 1.0 and name in own:
        return own[name]
    held = own[series] if series else -1
    of_rates = tuple((own[rate], sign) for rate, sign in legs)
    line = Line(name, str(row["part"]), str(row["base_currency"]), held, of_rates, beta)
    if line not in at:
        at[line] = len(own) + len(more)
        more.append(line)
    return at[line]
