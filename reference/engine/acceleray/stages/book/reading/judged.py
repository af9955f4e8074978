"""Positions of a run: which rows count, what they are of, and which are kept out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.stages.book.reading.distinct import distinct
from acceleray.stages.book.reading.in_currency import (
    bases_of,
    cash_currencies,
    refuse_currencies,
    value_currencies,
    with_cash,
    with_currencies,
)
from acceleray.stages.book.reading.in_time import in_time
from acceleray.stages.book.reading.instruments import Instrument
from acceleray.stages.book.reading.matching import CASH, Match, Register, match
from acceleray.stages.book.reading.portfolios import Portfolio
from acceleray.stages.book.reading.positions import TEXTS, free, place_of


@dataclass(frozen=True)
class Judged:
    """Rows up to the as-of date, each with instrument_id and type ('' where it is kept out), current and
    reason, `currency` being that of its market value; and the portfolios and instruments they are of.

    `facts` are lines on what was read; `lines` are about what was left out or not used.
    """

    rows: pa.Table
    portfolios: Mapping[str, Portfolio]
    register: Register
    lines: tuple[str, ...]
    facts: tuple[str, ...] = ()


def judged(
    rows: pa.Table,
    portfolios: Sequence[Portfolio],
    listed: Sequence[Instrument],
    types: Mapping[str, str],
    as_of: date,
    priced: Sequence[str],
    currency: str,
) -> Judged:
    """Return positions with what they are of.

    Args:
        rows: of `position_rows`.
        portfolios: those of a file; none where there is no such file.
        listed: instruments of a file.
        types: the user's words for types.
        as_of: the run's; what is dated later is left out.
        priced: series of prices.
        currency: of a book that says nothing about currencies.

    Raises:
        PortfolioError: all positions are of later, a currency is no code, an instrument of a book in several
            currencies has none, or two rows contradict each other about one.
    """
    rows, lines, facts = in_time(rows, as_of)
    known = {one.portfolio_id: one for one in portfolios}
    reason = rows["reason"].to_numpy(zero_copy_only=False).copy()
    if known:
        strange = np.asarray(pc.invert(pc.is_in(rows["portfolio_id"], pa.array(list(known), pa.string()))))
        reason[strange & free(reason)] = "belongs to a portfolio that is not in the portfolios file"
    else:
        known = {
            name: Portfolio(name) for name in sorted(pc.unique(rows["portfolio_id"]).to_pylist()) if name
        }
    refuse_currencies(rows, free(reason))
    register = Register.of(listed, priced)
    cash = cash_currencies(known, register, priced, currency)
    found, wrong = _matched(rows, reason, register, cash, types)
    good = pc.unique(found.filter(pa.array(free(reason)))).to_pylist()
    held = sorted(name for name in good if name != CASH)
    known, told = with_currencies(known, register, held, currency)
    bases = bases_of(rows, known)
    found = pc.if_else(pa.array(free(reason)), with_cash(found, bases, register), "")
    encoded = found.dictionary_encode()
    types_of = [register.instruments[name].type if name else "" for name in encoded.dictionary.to_pylist()]
    columns = {
        "reason": pa.array(reason, pa.string()),
        "currency": value_currencies(rows, bases, found),
        "type": pa.array(types_of, pa.string()).take(encoded.indices),
        "instrument_id": found,
    }
    for name, column in columns.items():
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return Judged(rows, known, register, (*lines, *told, *wrong), tuple(facts))


def _matched(
    rows: pa.Table,
    reason: NDArray[np.object_],
    register: Register,
    cash: set[str],
    types: Mapping[str, str],
) -> tuple[pa.Array, list[str]]:
    """Return the instrument of each row, '' where it has a reason, which may be new; and lines to say."""
    good = np.flatnonzero(free(reason))
    usable = rows.take(pa.array(good))
    alike = distinct([usable[role] for role in (*TEXTS, "multiplier")])
    firsts = usable.take(pa.array(alike.first))
    cells = [_cells(row) for row in firsts.select(TEXTS).to_pylist()]
    numbers = [{} if np.isnan(value) else {"multiplier": value} for value in firsts["multiplier"].to_pylist()]
    places = [place_of(firsts, row) for row in range(len(firsts))]
    matches, said = match(cells, places, register, cash, types, numbers)
    matches = [*matches, Match()]
    codes = np.full(len(rows), len(matches) - 1)
    codes[good] = alike.codes
    why = np.array([one.reason or None for one in matches], object)[codes]
    told = ~free(why) & free(reason)
    reason[told] = why[told]
    names = pa.array([one.instrument_id for one in matches], pa.string())
    return names.take(pa.array(codes)), said


def _cells(row: Mapping[str, str]) -> dict[str, str]:
    """Return the filled cells of a row; the currency is the instrument's, where the row says both."""
    cells = {role: text for role, text in row.items() if text}
    stated = cells.pop("instrument_currency", "")
    return {**cells, "currency": stated} if stated else cells
