"""Prices put into a run's tables as ingest would, without a source to read them from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from acceleray.quant import day_contents
from acceleray.tables import PRICE_SERIES, PRICES, RISK_DAYS

if TYPE_CHECKING:
    import pandas as pd

    from acceleray.runtime.run import Run


def commit_prices(run: Run, rows: pa.Table, at_weekends: tuple[str, ...] = ()) -> None:
    """Commit instrument_id, date and price, every date a risk day, and which instruments trade at
    weekends."""
    rows = rows.append_column("adjusted_price", rows["price"])
    rows = rows.append_column("load_id", pa.array(["test"] * len(rows)))
    run.commit(PRICES, rows)
    series = rows.group_by("instrument_id").aggregate([("date", "min"), ("date", "max"), ("date", "count")])
    run.commit(
        PRICE_SERIES,
        pa.table(
            {
                "instrument_id": series["instrument_id"],
                "first_date": series["date_min"],
                "last_date": series["date_max"],
                "prices": series["date_count"],
                "quarantined": np.zeros(len(series), dtype=np.int64),
                "trades_at_weekends": np.isin(series["instrument_id"].to_pylist(), at_weekends),
                "return_level": pa.nulls(len(series), pa.float64()),
                "load_id": ["test"] * len(series),
            }
        ),
    )
    days = pc.unique(rows["date"]).sort()
    everything = pa.array([len(series)] * len(days), pa.int64())
    run.commit(
        RISK_DAYS,
        pa.table(
            {
                "date": days,
                "listed": everything,
                "priced": everything,
                "risk_day": [True] * len(days),
                "content": contents(rows, days),
                "load_id": ["test"] * len(days),
            }
        ),
    )


def contents(rows: pa.Table, days: pa.Array) -> list[str]:
    """Return the content of each day, as ingest gives it."""
    summed = np.zeros(len(days), np.uint64)
    for name in pc.unique(rows["instrument_id"]).to_pylist():
        its = rows.filter(pc.equal(rows["instrument_id"], name))
        prices = its["price"].to_numpy().astype(float)
        at = pc.index_in(its["date"], value_set=days).to_numpy()
        summed += day_contents.sums(at, day_contents.contents_of(name, prices, prices), len(days))
    return day_contents.written(summed)


def long_rows(prices: pd.DataFrame) -> pa.Table:
    """Return the rows of a wide frame of prices, NaN where there is none, its index their dates."""
    rows = prices.stack().reset_index()
    rows.columns = ["date", "instrument_id", "price"]
    rows["date"] = rows["date"].astype("datetime64[s]").dt.date
    return pa.Table.from_pandas(rows, preserve_index=False)
