"""Prices of positions: close, its day and currency, and the rate into the base currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.stages.book.market import Market
from acceleray.stages.book.things import Held


@dataclass(frozen=True)
class Priced:
    """Prices of positions, parallel arrays of shape (positions,).

    Attributes:
        price: of one unit in `currency`; NaN for cash and where there is none.
        currency: ISO 4217 code; None where nothing says it.
        date: day of the close; NaT where there is none.
        rate: of `currency` in the base currency of the portfolio; NaN where there is none.
    """

    price: NDArray[np.float64]
    currency: NDArray[np.object_]
    date: NDArray[np.datetime64]
    rate: NDArray[np.float64]


def prices_of(
    held: Sequence[Held], currencies: NDArray[np.object_], bases: NDArray[np.object_], market: Market
) -> Priced:
    """Return what each holding is priced at, so that quantity x price x rate is its exposure.

    The price of a forward on a rate is that rate. What has no price has a rate all the same where its
    currency is known.

    Args:
        held: of each position.
        currencies: of the first line of each; None where none says it.
        bases: of the portfolios.
        market: closes and rates.
    """
    count = len(held)
    found = Priced(
        np.full(count, np.nan),
        np.full(count, None, dtype=object),
        np.full(count, "NaT", dtype="datetime64[D]"),
        np.full(count, np.nan),
    )
    rates: dict[tuple[str, str], float] = {}
    for row, thing in enumerate(held):
        base = str(bases[row])
        code = thing.pair[1] if thing.pair else thing.currency or currencies[row] or ""
        if code:
            found.currency[row] = code
            if (code, base) not in rates:
                rates[code, base] = 1.0 if code == base else market.rate(code, base, thing.instrument_id)
            found.rate[row] = rates[code, base]
        if thing.pair:
            found.price[row] = market.rate(*thing.pair, thing.instrument_id)
            place = _place_of(thing.pair, market)
        elif thing.kind != "cash":
            found.price[row], place = thing.unit, thing.close
        if thing.kind != "cash" and place >= 0 and market.dates is not None:
            found.date[row] = market.dates[place]
    return found


def _place_of(pair: tuple[str, str], market: Market) -> int:
    """Return the place of the series of a pair, -1 where it is made from others."""
    pairs = market.rates.pairs
    return market.rates.places[pairs.index(pair)] if pair in pairs else -1


def known(values: NDArray[np.float64]) -> pa.Array:
    """Return numbers with NULL for NaN."""
    return pa.array(values, pa.float64(), mask=np.isnan(values))
