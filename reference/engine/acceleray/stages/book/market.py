"""Inputs for valuing positions at the as-of date: last closes, rates, instruments with a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column
from acceleray.errors import PortfolioError
from acceleray.quant.currencies import NoRateError, Rates
from acceleray.runtime.run import Run
from acceleray.tables import PRICES
from acceleray.tables.contract import literal

# Instruments without a close in so many days are looked up in all earlier days.
_LOOKED_AT_FIRST_D = 31


@dataclass(frozen=True)
class Market:
    """Closes of the as-of date.

    Attributes:
        instruments: those of the calibration, in its order.
        closes: (instruments,) last close on or before the as-of date, not adjusted; NaN where there is none.
        modelled: (instruments,) whether scenarios of it can be made.
        rates: the exchange rates among the instruments.
        dates: (instruments,) the day of each close, NaT where there is none; None where nobody asks.
    """

    instruments: tuple[str, ...]
    closes: NDArray[np.float64]
    modelled: NDArray[np.bool_]
    rates: Rates
    dates: NDArray[np.datetime64] | None = None

    def rate(self, of: str, price_in: str, what: str) -> float:
        """Return the price of one unit of a currency in another.

        Args:
            of: the currency that is priced.
            price_in: the one it is priced in.
            what: what needs the rate, for the message.

        Raises:
            PortfolioError: no rates lead from one to the other.
        """
        try:
            return self.rates.rate(of, price_in, self.closes)
        except NoRateError:
            have = ", ".join("".join(pair) for pair in self.rates.pairs) or "none"
            raise PortfolioError(
                f"{what} is in {of} and its portfolio in {price_in}: there is no exchange rate between them "
                f"(rates here: {have}); add a series {of}{price_in} to the prices, set fx.source, "
                "or name one in fx.pairs."
            ) from None


def market_of(run: Run, instruments: tuple[str, ...], modelled: NDArray[np.bool_]) -> Market:
    """Return the market of a run: the last closes up to its as-of date."""
    return market_at(_last_closes(run, instruments), instruments, modelled, run.settings.fx.pairs)


def market_at(
    last: pa.Table, instruments: tuple[str, ...], modelled: NDArray[np.bool_], pairs: Mapping[str, str]
) -> Market:
    """Return the market of last closes.

    Args:
        last: instrument_id, price and date of those that have one, in any order.
        instruments: those of the market, in its order.
        modelled: (instruments,) whether scenarios of it can be made.
        pairs: `fx.pairs`.
    """
    rows = {name: row for row, name in enumerate(last["instrument_id"].to_pylist())}
    known = np.array([name in rows for name in instruments], dtype=np.bool_)
    at = [rows[name] for name in instruments if name in rows]
    closes = np.full(len(instruments), np.nan)
    closes[known] = column(last, "price")[at]
    dates = np.full(len(instruments), "NaT", dtype="datetime64[D]")
    dates[known] = column(last, "date").astype("datetime64[D]")[at]
    return Market(instruments, closes, modelled, Rates.among(instruments, pairs), dates)


def _last_closes(run: Run, instruments: tuple[str, ...]) -> pa.Table:
    """Return instrument, date and price of the last close of each instrument up to the as-of date."""
    names, since = ("instrument_id", "date", "price"), run.as_of - timedelta(days=_LOOKED_AT_FIRST_D)
    recent = run.arrow(PRICES, names, f"date <= DATE'{run.as_of}' AND date > DATE'{since}'")
    ended = sorted(set(instruments) - set(recent["instrument_id"].to_pylist()))
    if ended:
        listed = ", ".join(map(literal, ended))
        older = run.arrow(PRICES, names, f"date <= DATE'{since}' AND instrument_id IN ({listed})")
        recent = pa.concat_tables([older, recent])
    # In the order of the key: of each instrument the last row stays.
    last = {name: row for row, name in enumerate(recent["instrument_id"].to_pylist())}
    return recent.take(pa.array(list(last.values()), pa.int64()))
