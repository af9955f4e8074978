"""Data for testing signals: their values and later prices, known at the as-of date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel, column, panel
from acceleray.errors import PortfolioError
from acceleray.quant.spans import last_prices
from acceleray.runtime.risk_days import exchange_rates, risk_days
from acceleray.runtime.run import Run
from acceleray.tables import PRICES

# With fewer instruments a rank correlation says nothing.
_MINIMUM_INSTRUMENTS = 3


@dataclass(frozen=True)
class Inputs:
    """Signals and prices on one calendar.

    Attributes:
        names: of the signals.
        signals: (signals, dates, instruments) ranks, NaN where not known. Single precision: ranks keep their
            order in it, and the array is the largest there is.
        prices: (dates, instruments) last known adjusted price, NaN before the first.
        dates: the risk days, ascending.
    """

    names: tuple[str, ...]
    signals: NDArray[np.float32]
    prices: NDArray[np.float64]
    dates: NDArray[np.datetime64]


def load_inputs(run: Run) -> Inputs:
    """Return every feature of gold.features as a signal, with prices up to the as-of date and no later.

    Forward returns that would look beyond the as-of date therefore do not exist.

    Raises:
        PortfolioError: there are too few instruments to rank.
    """
    until = f"date <= DATE'{run.as_of}'"
    rows = run.arrow(PRICES, ("date", "instrument_id", "adjusted_price"), until)
    # Nothing ranks rates, or prices that may be negative: they have no features either.
    apart = pa.array([*run.settings.market_data.arithmetic, *exchange_rates(run)], pa.string())
    received = panel(rows.filter(pc.invert(pc.is_in(rows["instrument_id"], apart))), "adjusted_price")
    days = risk_days(run, until)
    prices = Panel(days, received.instruments, last_prices(received.dates, received.values, days))
    if len(prices.instruments) < _MINIMUM_INSTRUMENTS:
        raise PortfolioError(
            f"Signals rank instruments against each other: {len(prices.instruments)} are too few, "
            f"bring prices of {_MINIMUM_INSTRUMENTS} at least."
        )
    names = run.project.feature_names()
    rows = run.arrow(run.project.features_table(), ("date", "instrument_id", *names), until)
    day = np.searchsorted(prices.dates, column(rows, "date").astype(prices.dates.dtype))
    place = np.searchsorted(np.array(prices.instruments), column(rows, "instrument_id").astype(str))
    signals = np.full((len(names), *prices.values.shape), np.nan, dtype=np.float32)
    for number, name in enumerate(names):
        signals[number, day, place] = column(rows, name)
    return Inputs(names, signals, prices.values, prices.dates)
