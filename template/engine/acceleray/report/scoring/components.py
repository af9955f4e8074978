"""Sources of risk: Euler components of expected shortfall in % of NAV, by instrument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.risk import HEADLINE_METHOD
from acceleray.report.scoring.portfolios import Line
from acceleray.tables import RISK_CONTRIBUTIONS

# More columns than this are no map but a blur; the rest goes into one.
SHOWN_INSTRUMENTS = 24


@dataclass(frozen=True)
class Components:
    """Portfolios down, instruments across, largest first: `values` of that shape, % of NAV, NaN not held.

    rest (portfolios,) is what instruments that are not shown add; gap is the largest distance of a sum from
    the portfolio's expected shortfall, as a share of it, NaN without any.
    """

    portfolios: tuple[Line, ...]
    instruments: tuple[str, ...]
    values: NDArray[np.float64]
    rest: NDArray[np.float64]
    left_out: int
    gap: float

    def largest(self, place: int) -> tuple[tuple[str, float], ...]:
        """Return the three instruments that add most to one portfolio, with their shares of it in %."""
        values = np.nan_to_num(self.values[place])
        whole = float(values.sum() + self.rest[place])
        order = np.argsort(-values, kind="stable")[:3]
        found = [(self.instruments[at], 100 * float(values[at]) / whole if whole else 0.0) for at in order]
        # Less than half a per cent would be read as none.
        return tuple(pair for pair in found if pair[1] >= 0.5)


def gather(read: Callable[..., pa.Table], shown: Sequence[Line], horizon_d: int) -> Components:
    """Return components of the shown portfolios at one horizon, by the headline method."""
    rows = read(
        RISK_CONTRIBUTIONS,
        portfolio_id=[line.portfolio_id for line in shown],
        method=[HEADLINE_METHOD],
        measure=["expected_shortfall"],
        horizon_d=[horizon_d],
    ).to_pylist()
    places = {line.portfolio_id: place for place, line in enumerate(shown)}
    names = sorted({row["instrument_id"] for row in rows})
    columns = {name: place for place, name in enumerate(names)}
    values = np.full((len(shown), len(names)), np.nan)
    for row in rows:
        line = shown[places[row["portfolio_id"]]]
        values[places[line.portfolio_id], columns[row["instrument_id"]]] = (
            100 * row["contribution"] / line.nav
        )
    sizes = np.nansum(np.abs(values), axis=0)
    order = np.argsort(-sizes, kind="stable")
    kept, left = order[:SHOWN_INSTRUMENTS], order[SHOWN_INSTRUMENTS:]
    totals = np.array([line.es_pct_nav for line in shown])
    held = np.isfinite(values).any(axis=1)
    gaps = np.abs(np.nansum(values, axis=1) - totals)[held] / np.maximum(np.abs(totals[held]), 1e-300)
    return Components(
        portfolios=tuple(shown),
        instruments=tuple(printable(names[place]) for place in kept),
        values=values[:, kept],
        rest=np.nansum(values[:, left], axis=1),
        left_out=len(left),
        gap=float(gaps.max()) if gaps.size else float("nan"),
    )
