"""One portfolio as the run valued it, as lines that scenarios can be applied to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.delta.reader import Reader, records
from acceleray.errors import PortfolioError
from acceleray.quant.what_if import Unit
from acceleray.stages.what_if.base import Base, literal
from acceleray.stages.what_if.trades import known
from acceleray.tables import PORTFOLIOS, POSITIONS


@dataclass(frozen=True)
class Portfolio:
    """Weights of lines: instruments at their own price first, in the order of the scenarios, then the others.

    Attributes:
        portfolio_id, nav, currency: whose; NAV in base currency.
        instruments: those of the scenarios.
        weights: (lines,) shares of NAV, long positive.
        more: the other lines: currencies, and what moves by proxy.
        more_names: what each of them is held as.
    """

    portfolio_id: str
    nav: float
    currency: str
    instruments: tuple[str, ...]
    weights: NDArray[np.float64]
    more: tuple[Unit, ...] = ()
    more_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return what each line is held as."""
        return (*self.instruments, *self.more_names)

    def held(self, weights: NDArray[np.float64]) -> dict[str, float]:
        """Return weights (lines,) by instrument, those at zero left out; what currencies add is no holding."""
        own = zip(self.instruments, weights, strict=False)
        return {name: float(weight) for name, weight in own if weight}


def portfolio_of(
    tables: Reader, base: Base, instruments: tuple[str, ...], portfolio_id: str = ""
) -> Portfolio:
    """Return a portfolio of a run; the one its headlines speak of where none is named.

    Raises:
        PortfolioError: the run has none of that name, or it holds what the scenarios do not have.
    """
    columns = ("portfolio_id", "nav", "currency")
    if portfolio_id:
        found = records(base.rows(tables, PORTFOLIOS, columns, f"portfolio_id = {literal(portfolio_id)}"))
        if not found:
            ids = base.rows(tables, PORTFOLIOS, ("portfolio_id",))["portfolio_id"].to_pylist()
            known(portfolio_id, ids, "portfolio")
    else:
        found = records(base.rows(tables, PORTFOLIOS, (*columns, "origin")))
        found = sorted(found, key=lambda row: row["origin"] != "reference")
    row = found[0]
    name = str(row["portfolio_id"])
    held = records(
        base.rows(tables, POSITIONS, ("instrument_id", "weight"), f"portfolio_id = {literal(name)}")
    )
    weights = np.zeros(len(instruments))
    places: Mapping[str, int] = {each: place for place, each in enumerate(instruments)}
    for each in held:
        if each["instrument_id"] not in places:
            raise PortfolioError(
                f"{name} holds {each['instrument_id']}, which has no model to make scenarios of."
            )
        weights[places[each["instrument_id"]]] = each["weight"]
    return Portfolio(name, float(row["nav"]), str(row["currency"]), instruments, weights)
