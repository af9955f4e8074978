"""Weights of portfolios and of their details, from exposures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.sparse_rows import DENSE_COLUMNS, Rows, SparseRows, joined, rows_of
from acceleray.stages.book.details import ACTIVE, WITHOUT, Row, active_weights
from acceleray.stages.book.exposures import Columns, Exposures, columns_of, weights_of
from acceleray.stages.book.hierarchy import Portfolios
from acceleray.stages.book.market import Market

# Rows that are dense at a time.
_TOGETHER = 1024


def columns_with(found: Exposures, rows: Sequence[Row], portfolios: Portfolios, market: Market) -> Columns:
    """Return one set of lines for portfolios and details: of the exposures found, then of active rows.

    Raises:
        PortfolioError: no rates lead from a currency to a base.
    """
    every = found.behind([row.against for row in rows if row.against is not None])
    return columns_of(every, portfolios.currencies, market)


def weights_with(
    found: Exposures, rows: Sequence[Row], columns: Columns, count: int
) -> tuple[NDArray[np.float64], Rows, SparseRows | None]:
    """Return the weights (portfolios, lines) and those of the rows (rows, lines), as shares of NAV.

    Of a book of many lines a portfolio without one of its positions has no weights there: what it lacks of
    the whole comes behind them (rows, lines), None where every row is whole. Every sum is taken in the order
    of the exposures, as if each row had a copy of those that it counts.

    Args:
        found: of all portfolios.
        rows: as `details_of` returns them.
        columns: as `columns_with` returns them.
        count: how many portfolios there are.
    """
    size = found.amount.size
    own, end = replace(columns, of=columns.of[:size]), size
    weights = weights_of(found, own, found.portfolio, count, found.nav)
    parts, lacking = list[Rows](), list[SparseRows]()
    whole = len(columns.lines) <= DENSE_COLUMNS
    for first in range(0, max(len(rows), 1), _TOGETHER):
        some = rows[first : first + _TOGETHER]
        details = np.zeros((len(some), len(columns.lines)))
        lack = np.zeros((0 if whole else len(some), len(columns.lines)))
        for number, (into, row) in enumerate(zip(details, some, strict=True)):
            at = row.detail.portfolio
            if row.against is not None:
                begin, end = end, end + row.against.amount.size
                _add(into, columns.of[begin:end], row.against.amount, row.nav)
            elif row.detail.kind == WITHOUT:
                gone = own.of[row.places]
                # No other holding has these lines.
                gone = gone[gone >= 0]
                if whole:
                    into[:] = weights[at]
                    into[gone] = 0.0
                else:
                    lack[number, gone] = weights[at, gone]
            else:
                _add(into, own.of[row.places], found.amount[row.places], row.nav)
            if row.detail.kind == ACTIVE:
                into[:] = active_weights(weights[at], into)
        parts.append(rows_of(details))
        lacking.append(SparseRows.of(lack))
    return weights, joined(parts), None if whole else SparseRows.joined(lacking)


def _add(into: NDArray[np.float64], of: NDArray[np.int64], amount: NDArray[np.float64], nav: float) -> None:
    kept = of >= 0
    np.add.at(into, of[kept], amount[kept] / nav)
