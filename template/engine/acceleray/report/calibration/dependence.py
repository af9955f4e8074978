"""How instruments are tied together: the correlation that is simulated, and the proof that it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import Read, first, floats, narrowed
from acceleray.tables import CORRELATIONS, DEPENDENCE

SHOWN_INSTRUMENTS = 40


@dataclass(frozen=True)
class Dependence:
    """The run's row in DEPENDENCE, and part of the correlation: (shown, shown), NaN where a pair is missing.

    Shown are the instruments that move most with all others, in that order. The extremes are of all pairs.
    """

    row: dict[str, Any] | None
    instruments: tuple[str, ...]
    correlation: NDArray[np.float64]
    all_instruments: int
    average: float
    lowest: float
    highest: float

    @property
    def positive_definite(self) -> bool:
        """Return whether the smallest eigenvalue proves that the correlation can be simulated."""
        return self.row is not None and self.row["smallest_eigenvalue"] > 0


def gather(read: Read) -> Dependence:
    """Return the dependence of the run; empty where there is none."""
    pairs = read(narrowed(CORRELATIONS, "instrument_id", "other_instrument_id", "correlation"))
    ids = sorted(
        {*pc.unique(pairs["instrument_id"]).to_pylist(), *pc.unique(pairs["other_instrument_id"]).to_pylist()}
    )
    one, other = _places(pairs["instrument_id"], ids), _places(pairs["other_instrument_id"], ids)
    values = floats(pairs, "correlation")
    # Whoever writes the diagonal too does no harm.
    apart = (one != other) & np.isfinite(values)
    one, other, values = one[apart], other[apart], values[apart]
    total = np.bincount(one, values, len(ids)) + np.bincount(other, values, len(ids))
    count = np.bincount(one, minlength=len(ids)) + np.bincount(other, minlength=len(ids))
    # Rounded, so that the order of the rows, which decides the last bits of a sum, does not decide the page.
    mean = np.round(total / np.maximum(count, 1), 9)
    order = np.lexsort((np.arange(len(ids)), -mean))[:SHOWN_INSTRUMENTS]
    place = np.full(len(ids), -1)
    place[order] = np.arange(len(order))
    correlation = np.full((len(order), len(order)), np.nan)
    np.fill_diagonal(correlation, 1.0)
    shown = (place[one] >= 0) & (place[other] >= 0)
    correlation[place[one[shown]], place[other[shown]]] = values[shown]
    correlation[place[other[shown]], place[one[shown]]] = values[shown]
    return Dependence(
        first(read(DEPENDENCE)),
        tuple(printable(ids[i]) for i in order),
        correlation,
        len(ids),
        float(values.mean()) if values.size else float("nan"),
        float(values.min()) if values.size else float("nan"),
        float(values.max()) if values.size else float("nan"),
    )


def _places(column: pa.ChunkedArray, ids: list[str]) -> NDArray[np.int64]:
    found = pc.index_in(column, value_set=pa.array(ids, pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)
