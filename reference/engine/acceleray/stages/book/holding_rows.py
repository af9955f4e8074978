"""Rows of the tables of holdings, sorted by content: the order of rows in a file changes no bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from acceleray.stages.book.reading.as_json import objects
from acceleray.stages.book.reading.cells import raw_texts
from acceleray.stages.book.reading.columns import IDENTIFIERS
from acceleray.stages.book.reading.distinct import counted, distinct, order_of
from acceleray.stages.book.reading.instruments import WORDS, Instrument
from acceleray.stages.book.reading.kinds import NOT_MODELLED
from acceleray.stages.book.reading.matching import Register
from acceleray.stages.book.reading.portfolios import Portfolio
from acceleray.stages.book.reading.sheets import Sheet
from acceleray.tables import HOLDINGS, HOLDINGS_QUARANTINED, INSTRUMENTS_KNOWN, PORTFOLIOS_KNOWN
from acceleray.tables.contract import Table

_CONTENT = (
    "portfolio_id", "instrument_id", "as_of", "quantity", "market_value", "weight", "currency", "groups",
    "cells",
)  # fmt: skip


def received_rows(rows: pa.Table, portfolios: Sequence[Sheet], instruments: Sequence[Sheet]) -> pa.Table:
    """Return all rows as received: content, row, portfolio_id, file, line, cells; sorted by content.

    Args:
        rows: positions.
        portfolios: tables of portfolios.
        instruments: tables of instruments.
    """
    parts = [_received("positions", rows["portfolio_id"], rows["file"], rows["line"], rows["cells"])]
    for content, sheets in (("portfolios", portfolios), ("instruments", instruments)):
        for sheet in sheets:
            grid = sheet.grid
            shown = [place for place in range(len(grid.columns)) if grid.header[place]]
            texts = [raw_texts(grid, place).combine_chunks() for place in shown]
            cells = objects([grid.header[place] for place in shown], texts)
            count = len(grid.lines)
            nothing = pa.array([""] * count, pa.string())
            file = pa.array([PurePath(grid.origin).name] * count, pa.string())
            parts.append(_received(content, nothing, file, pa.array(grid.lines, pa.int64()), cells))
    table = pa.concat_tables(parts).combine_chunks()
    table = table.take(pa.array(order_of([table["content"], table["portfolio_id"], table["cells"]])))
    return table.append_column("row", pa.array(counted(distinct([table["content"]]).codes), pa.int64()))


def _received(content: str, portfolio: Any, file: Any, line: Any, cells: Any) -> pa.Table:
    columns = {"content": pa.array([content] * len(line), pa.string()), "portfolio_id": portfolio}
    return pa.table({**columns, "file": file, "line": line, "cells": cells})


def positions_of(rows: pa.Table) -> pa.Table:
    """Return rows of `judged` as positions with their ids, sorted by content.

    An id names portfolio, instrument, date if there is one, and which of its lines it is in that order.
    """
    rows = rows.take(pa.array(order_of([rows[name] for name in _CONTENT]))).combine_chunks()
    number = counted(distinct([rows[name] for name in ("portfolio_id", "instrument_id", "as_of")]).codes)
    day = pc.fill_null(pc.binary_join_element_wise("@", rows["as_of"].cast(pa.string()), ""), "")
    position_id = pc.binary_join_element_wise(
        rows["portfolio_id"],
        pc.binary_join_element_wise(rows["instrument_id"], day, ""),
        pa.array(number).cast(pa.string()),
        "/",
    )
    columns: dict[str, Any] = {"position_id": position_id, "held_on": rows["as_of"]}
    for name in ("quantity", "market_value", "weight"):
        columns[name] = _null(rows[name])
    return _shaped(HOLDINGS, rows, columns)


def quarantined_of(rows: pa.Table) -> pa.Table:
    """Return rows of `judged` that are kept out, sorted by content."""
    rows = rows.take(pa.array(order_of([rows[name] for name in ("portfolio_id", "cells", "reason")])))
    return _shaped(HOLDINGS_QUARANTINED, rows, {"row": pa.array(np.arange(1, len(rows) + 1))})


def portfolios_known(portfolios: Mapping[str, Portfolio]) -> pa.Table:
    """Return one row per portfolio, by id."""
    rows = [
        {
            "portfolio_id": one.portfolio_id,
            "name": one.name or one.portfolio_id,
            "base_currency": one.base_currency,
            "nav": None if np.isnan(one.nav) else one.nav,
            "benchmark_id": one.benchmark_id or None,
            "parent_id": one.parent_id or None,
        }
        for _, one in sorted(portfolios.items())
    ]
    return _listed(PORTFOLIOS_KNOWN, rows)


def instruments_known(register: Register, positions: pa.Table, priced: Sequence[str]) -> pa.Table:
    """Return one row per instrument that is held or in a file of instruments, by id."""
    held, series = set(pc.unique(positions["instrument_id"]).to_pylist()), set(priced)
    rows = []
    for name, one in sorted(register.instruments.items()):
        if name not in held and not one.listed:
            continue
        kind = one.type or "equity"
        mine = one.series if one.series in series else ""
        rows.append(
            {
                **{role: one.ids.get(role) for role in IDENTIFIERS},
                **{word: one.words.get(word) for word in WORDS},
                "instrument_id": name,
                "currency": one.currency or None,
                "price_unit": 1.0 if one.price_unit is None else one.price_unit,
                "multiplier": 1.0 if one.multiplier is None else one.multiplier,
                "proxy": _proxy(one, series, register),
                "proxy_beta": _beta(one),
                "type": kind,
                "groups": one.groups,
                "series": mine or None,
                "priced": bool(mine),
                "modelled": kind not in NOT_MODELLED,
                "held": name in held,
            }
        )
    return _listed(INSTRUMENTS_KNOWN, rows)


def _proxy(one: Instrument, series: set[str], register: Register) -> str | None:
    """Return the series that stands in for an instrument's prices; the user may name any identifier of it."""
    proxy = one.words.get("proxy")
    return proxy if proxy is None or proxy in series else register.series_of(proxy)


def _beta(one: Instrument) -> float | None:
    """Return the beta of a proxy, 1 where none is said; NULL where there is no proxy."""
    if "proxy" not in one.words:
        return None
    return 1.0 if one.proxy_beta is None else one.proxy_beta


def _null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.is_nan(column), None, column)


def _shaped(table: Table, rows: pa.Table, more: Mapping[str, Any]) -> pa.Table:
    """Return rows with the columns of a table, less those that are the same for a run."""
    schema = _own(table)
    return pa.table(
        [(more[field.name] if field.name in more else rows[field.name]).cast(field.type) for field in schema],
        schema=schema,
    )


def _listed(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=_own(table))


def _own(table: Table) -> pa.Schema:
    return pa.schema([field for field in table.arrow_schema if field.name not in ("run_id", "as_of")])
