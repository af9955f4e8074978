"""Prices of the published record, and what ingest and features make of them, without Spark."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "template" / "engine"))

from acceleray.engines.handoff.arrays import column
from acceleray.quant.spans import held, spans
from acceleray.settings.market_data import MarketData
from acceleray.stages.ingest.quality import judge_series

Values = NDArray[np.float64]


def sample() -> pd.DataFrame:
    """Return the daily prices of twenty companies."""
    from skfolio.datasets import load_sp500_dataset

    return load_sp500_dataset()


def nasdaq() -> pd.DataFrame:
    """Return the daily closes of the NASDAQ index."""
    from arch.data import nasdaq as data

    return data.load()[["Adj Close"]].rename(columns={"Adj Close": "NASDAQ"})


def sp500() -> pd.DataFrame:
    """Return the daily closes of the S&P 500 index."""
    from arch.data import sp500 as data

    return data.load()[["Adj Close"]].rename(columns={"Adj Close": "SP500"})


def indices() -> pd.DataFrame:
    """Return the daily closes of both indices: a book of two."""
    return nasdaq().join(sp500())


RECORDS: dict[str, Callable[[], pd.DataFrame]] = {
    "sample": sample,
    "nasdaq": nasdaq,
    "sp500": sp500,
    "indices": indices,
}


@dataclass(frozen=True)
class Returns:
    """Simple returns and the days they span, both (days, instruments), as calibration receives them."""

    values: Values
    spans: Values


def ingested(prices: pd.DataFrame) -> Returns:
    """Return what ingest and features make of prices: stale ones are no prices, and the market is closed."""
    data = MarketData()
    days = prices.index.to_numpy().astype("datetime64[D]")
    values, spanned = np.full((2, *prices.shape), np.nan)
    for place, name in enumerate(prices.columns):
        text = pa.array([repr(float(price)) for price in prices[name]], pa.string())
        cells = {"instrument_id": pa.array([str(name)] * len(days)), "date": pa.array(days, pa.date32())}
        texts = {"price_text": text, "number_text": text, "adjusted_text": pa.nulls(len(days), pa.string())}
        judged = judge_series(pa.table(cells | texts), data.stale_price_d)
        kept = judged.filter(judged["reason"].is_null()).sort_by("date")
        dates = column(kept, "date").astype("datetime64[D]")
        found = spans(days, dates, column(kept, "adjusted_price"), data.stale_after_d)
        values[found.day, place], spanned[found.day, place] = found.simple, found.span_d
    return Returns(held(values[1:]), np.where(np.isfinite(spanned[1:]), spanned[1:], 0.0))
