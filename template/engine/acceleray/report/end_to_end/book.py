"""The book: every portfolio's risk, and the riskiest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import Read, floats, where
from acceleray.tables import PORTFOLIO_SCORES, PORTFOLIOS

TOP_PORTFOLIOS = 10


@dataclass(frozen=True)
class BookLine:
    """One portfolio of the book."""

    portfolio_id: str
    name: str
    origin: str
    nav: float
    currency: str
    var_pct_nav: float
    es_pct_nav: float
    volatility_pct_nav: float
    unpriced_pct_nav: float
    expected_score: float


@dataclass(frozen=True)
class Book:
    """All portfolios: their VaR, shape (portfolios,), and the riskiest of them by share of NAV."""

    portfolios: int
    simulated: int
    # Portfolios that hold something without a model: their risk is that of the rest.
    partly_priced: int
    var_pct_nav: NDArray[np.float64]
    riskiest: tuple[BookLine, ...]
    reference: BookLine | None

    def quantile(self, share: float) -> float:
        """Return the VaR that this share of portfolios does not exceed, in % of NAV."""
        return float(np.quantile(self.var_pct_nav, share)) if self.var_pct_nav.size else float("nan")


def gather(read: Read, reference_id: str) -> Book:
    """Return the distribution of risk over all portfolios and the riskiest by share of NAV."""
    scores = read(PORTFOLIO_SCORES).sort_by([("var_pct_nav", "descending"), ("portfolio_id", "ascending")])
    portfolios = read(PORTFOLIOS)
    names = dict(
        zip(
            portfolios["portfolio_id"].to_pylist(),
            zip(*(portfolios[c].to_pylist() for c in ("name", "origin", "nav", "currency")), strict=True),
            strict=True,
        )
    )
    reference_row = where(scores, portfolio_id=reference_id).to_pylist()

    def line(row: dict[str, object]) -> BookLine:
        portfolio_id = str(row["portfolio_id"])
        name, origin, nav, currency = names.get(portfolio_id, (portfolio_id, "unknown", float("nan"), ""))
        return BookLine(
            portfolio_id,
            printable(name),
            origin,
            nav,
            currency,
            *(
                float(str(row[c]))
                for c in (
                    "var_pct_nav",
                    "es_pct_nav",
                    "volatility_1d_pct_nav",
                    "unpriced_pct_nav",
                    "expected_score",
                )
            ),
        )

    return Book(
        portfolios=portfolios.num_rows,
        simulated=where(portfolios, origin="simulated").num_rows,
        partly_priced=int((floats(scores, "unpriced_pct_nav") > 0).sum()),
        var_pct_nav=floats(scores, "var_pct_nav"),
        riskiest=tuple(line(row) for row in scores.slice(0, TOP_PORTFOLIOS).to_pylist()),
        reference=line(reference_row[0]) if reference_row else None,
    )
