"""Small panels of prices, judged as ingest judges them but without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.price_findings.finding import Finding, Series
from acceleray.quant.price_findings.judging import (
    digest_of,
    judge_panel,
    judge_series,
    lead_lag_grid,
)
from acceleray.quant.price_findings.market import Market, binned, market_of

STALE_D = 10


def series_of(name: str, days: NDArray[np.datetime64], values: NDArray[Any]) -> Series:
    """Return a series of numbers; NaN is an empty cell, what is not above zero is quarantined."""
    numbers = np.asarray(values, dtype=float)
    days = days[np.isfinite(numbers)].astype("datetime64[D]")
    numbers = numbers[np.isfinite(numbers)]
    good = numbers > 0.0
    reasons = tuple("zero" if number == 0.0 else "negative" for number in numbers[~good])
    texts = tuple(f"{number:g}" for number in numbers[~good])
    return Series(name, days[good], numbers[good], numbers[good], days[~good], texts, reasons)


def market_of_all(panel: list[Series]) -> Market:
    days, bins, counts = [], [], []
    for one in panel:
        if one.days.size:
            days += [one.days[:1], one.days[1:]]
            bins += [np.zeros(1, np.int64), binned(one.log_returns)]
            counts += [np.zeros(1, np.int64), np.ones(one.days.size - 1, np.int64)]
    return market_of(np.concatenate(days), np.concatenate(bins), np.concatenate(counts))


def found_in(
    days: NDArray[np.datetime64], columns: Mapping[str, NDArray[Any]], frequency: str = "daily"
) -> list[Finding]:
    """Return every finding about columns of numbers over the same days."""
    return judged([series_of(name, days, values) for name, values in columns.items()], frequency)


def judged(panel: list[Series], frequency: str = "daily") -> list[Finding]:
    """Return every finding about series."""
    market = market_of_all(panel)
    found = [one for series in panel for one in judge_series(series, market, STALE_D)]
    grid = lead_lag_grid(market)
    digests = [each for series in panel if (each := digest_of(series, grid, True))]
    return found + judge_panel(market, digests, [series.instrument for series in panel], frequency)


def kinds(found: list[Finding], instrument: str | None = None) -> set[str]:
    return {one.kind for one in found if instrument is None or one.instrument == instrument}
