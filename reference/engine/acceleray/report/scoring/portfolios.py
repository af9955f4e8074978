"""Portfolios: their scores and risk, all of them as arrays, the riskiest one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import first, floats, narrowed, where
from acceleray.tables import PORTFOLIO_SCORES, PORTFOLIOS

TOP_PORTFOLIOS = 10
# The columns that are spread over the book, with a name and the digits it is read at.
MEASURES = (
    ("expected_score", "Expected score", 4),
    ("volatility_1d_pct_nav", "Volatility, 1 day, % of NAV", 2),
    ("var_pct_nav", "Value at risk, % of NAV", 2),
    ("es_pct_nav", "Expected shortfall, % of NAV", 2),
    ("unpriced_pct_nav", "Not priced, % of NAV", 2),
    ("unscored_pct_nav", "Not scored, % of NAV", 2),
)
SHARES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(frozen=True)
class Line:
    """One portfolio; risk and shares in % of NAV."""

    portfolio_id: str
    name: str
    origin: str
    nav: float
    currency: str
    expected_score: float
    volatility_pct_nav: float
    var_pct_nav: float
    es_pct_nav: float
    unpriced_pct_nav: float
    unscored_pct_nav: float

    @property
    def es(self) -> float:
        """Return expected shortfall in currency."""
        return self.nav * self.es_pct_nav / 100


@dataclass(frozen=True)
class Portfolios:
    """All portfolios: measures by column name, each (portfolios,), and those shown one by one."""

    run_id: str
    as_of: date
    model_uri: str
    horizon_d: int
    count: int
    simulated: int
    values: dict[str, NDArray[np.float64]]
    reference: Line | None
    # By expected shortfall, the highest first.
    riskiest: tuple[Line, ...]

    @property
    def shown(self) -> tuple[Line, ...]:
        """Return the reference and the riskiest, each once."""
        return tuple(dict.fromkeys((*([self.reference] if self.reference else []), *self.riskiest)))

    @property
    def partly_priced(self) -> int:
        """Return how many hold something without a calibrated model."""
        return int((self.values["unpriced_pct_nav"] > 0).sum())

    @property
    def partly_scored(self) -> int:
        """Return how many hold something without a score."""
        return int((self.values["unscored_pct_nav"] > 0).sum())

    def quantiles(self, name: str) -> tuple[float, ...]:
        """Return the smallest, the quantiles of SHARES between, and the largest of one measure."""
        return tuple(float(value) for value in np.quantile(self.values[name], SHARES))


def gather(read: Callable[..., pa.Table]) -> Portfolios | None:
    """Return all portfolios of the run, or None if it scored none."""
    columns = [name for name, _, _ in MEASURES]
    known = ("run_id", "as_of", "portfolio_id", "horizon_d", "model_uri")
    scores = read(narrowed(PORTFOLIO_SCORES, *known, *columns))
    if not scores.num_rows:
        return None
    scores = scores.sort_by([("es_pct_nav", "descending"), ("portfolio_id", "ascending")])
    riskiest = scores.slice(0, TOP_PORTFOLIOS).to_pylist()
    portfolios = read(narrowed(PORTFOLIOS, "portfolio_id", "name", "origin", "nav", "currency", "place"))
    reference = first(where(portfolios, place=0))
    ids = pa.array([row["portfolio_id"] for row in riskiest])
    shown = portfolios.filter(pc.is_in(portfolios["portfolio_id"], ids)).to_pylist()
    named = {row["portfolio_id"]: row for row in shown}
    one = riskiest[0]
    chosen = first(where(scores, portfolio_id=reference["portfolio_id"])) if reference else None
    return Portfolios(
        run_id=one["run_id"],
        as_of=one["as_of"],
        model_uri=one["model_uri"],
        horizon_d=one["horizon_d"],
        count=scores.num_rows,
        simulated=where(portfolios, origin="simulated").num_rows,
        values={name: floats(scores, name) for name in columns},
        reference=_line(chosen, reference) if chosen and reference else None,
        riskiest=tuple(_line(row, named.get(row["portfolio_id"], {})) for row in riskiest),
    )


def _line(row: dict[str, Any], portfolio: dict[str, Any]) -> Line:
    return Line(
        portfolio_id=row["portfolio_id"],
        name=printable(portfolio.get("name", row["portfolio_id"])),
        origin=portfolio.get("origin", "unknown"),
        nav=portfolio.get("nav", float("nan")),
        currency=portfolio.get("currency", ""),
        expected_score=row["expected_score"],
        volatility_pct_nav=row["volatility_1d_pct_nav"],
        var_pct_nav=row["var_pct_nav"],
        es_pct_nav=row["es_pct_nav"],
        unpriced_pct_nav=row["unpriced_pct_nav"],
        unscored_pct_nav=row["unscored_pct_nav"],
    )
