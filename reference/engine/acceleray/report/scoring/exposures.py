"""Factor exposures of portfolios, compared with the whole book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import floats, narrowed, where
from acceleray.report.scoring.portfolios import Line
from acceleray.tables import PORTFOLIO_EXPOSURES

SHARES = (0.05, 0.5, 0.95)
# Distance from the book's median, in half-widths of its middle nine tenths, from which a cell is tinted.
_TINTS = (0.5, 1.0, 1.5)
# In % of NAV: what rounding leaves of everything.
_WHOLE = 100.0 - 1e-6


@dataclass(frozen=True)
class Cell:
    """One exposure; `tint` is p1 to p3 above the book's median, n1 to n3 below it, empty near it."""

    value: float
    covered_pct_nav: float
    tint: str


@dataclass(frozen=True)
class Exposures:
    """Factors, the book's quantiles of each by SHARES, and one row of cells for each shown portfolio."""

    factors: tuple[str, ...]
    book: tuple[tuple[float, ...], ...]
    rows: tuple[tuple[Line, tuple[Cell | None, ...]], ...]
    # Portfolios that hold something without a beta to one of the factors, and the least share covered.
    partly_covered: int
    least_covered_pct_nav: float


def gather(read: Callable[..., pa.Table], shown: Sequence[Line]) -> Exposures:
    """Return exposures of the shown portfolios and how they are spread over the book."""
    every = read(narrowed(PORTFOLIO_EXPOSURES, "portfolio_id", "factor_id", "exposure", "covered_pct_nav"))
    ids = pa.array([line.portfolio_id for line in shown])
    few = every.filter(pc.is_in(every["portfolio_id"], ids))
    factors = sorted(pc.unique(every["factor_id"]).to_pylist())
    book, columns = [], []
    for factor in factors:
        values = floats(where(every, factor_id=factor), "exposure")
        low, middle, high = (float(value) for value in np.quantile(values, SHARES))
        book.append((low, middle, high))
        cells = {
            row["portfolio_id"]: Cell(
                row["exposure"], row["covered_pct_nav"], _tint(row["exposure"], low, middle, high)
            )
            for row in where(few, factor_id=factor).to_pylist()
        }
        columns.append([cells.get(line.portfolio_id) for line in shown])
    covered = floats(every, "covered_pct_nav")
    return Exposures(
        tuple(printable(name) for name in factors),
        tuple(book),
        tuple((line, tuple(column[place] for column in columns)) for place, line in enumerate(shown)),
        _partly_covered(every, covered),
        float(covered.min()) if covered.size else float("nan"),
    )


def _partly_covered(rows: pa.Table, covered: NDArray[np.float64]) -> int:
    return int(pc.count_distinct(rows.filter(pa.array(covered < _WHOLE))["portfolio_id"]).as_py())


def _tint(value: float, low: float, middle: float, high: float) -> str:
    half = (high - low) / 2
    if not half > 0:
        return ""
    steps = sum(abs(value - middle) / half >= edge for edge in _TINTS)
    return f"{'p' if value > middle else 'n'}{steps}" if steps else ""
