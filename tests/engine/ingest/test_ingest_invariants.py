"""Invariants of ingest on random prices: what must change no return and no bit, for every seed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.quant.day_prices import DayPrices, day_prices, day_returns
from acceleray.settings import Settings
from acceleray.stages.ingest.stage import Loaded, ingest
from acceleray.tables import PRICE_SERIES, PRICES, RISK_DAYS
from acceleray.tables.contract import Table
from ingest.reading_files import csv_text
from ingest.tables_in_memory import MemoryRun

DAYS = np.arange("2021-01-04", "2022-06-01", dtype="datetime64[D]")
WEEKDAY = np.is_busday(DAYS)
Prices = dict[str, np.ndarray]
Loading = Callable[[str | bytes], tuple[MemoryRun, Loaded]]


def market(seed: int, coin: bool = False) -> Prices:
    """Return prices on all days of the week, NaN where there is none: holidays, gaps, late and early ends."""
    draws = np.random.default_rng(seed)
    names = [f"S{number}" for number in range(5)]
    paths = np.exp(np.cumsum(draws.standard_t(5, (DAYS.size, 6)) * 0.012, axis=0))
    levels = np.round(draws.uniform(5.0, 4000.0, 6) * paths, 2)
    levels[:, :5][~WEEKDAY] = np.nan
    levels[:, :5][draws.random((DAYS.size, 5)) < 0.03] = np.nan
    levels[: draws.integers(0, 100), 0] = np.nan
    levels[DAYS.size - draws.integers(0, 60) :, 1] = np.nan
    found = {name: levels[:, place] for place, name in enumerate(names)}
    return found | ({"COIN": levels[:, 5]} if coin else {})


def written(
    prices: Prices,
    marks: tuple[str, str] = (".", ""),
    separator: str = ",",
    date: str = "%Y-%m-%d",
    draws: np.random.Generator | None = None,
    long: bool = False,
    encoding: str = "utf-8",
) -> bytes:
    """Return a file of prices; with `draws` columns and rows are in any order."""
    names = list(prices) if draws is None else draws.permutation(list(prices)).tolist()
    rows = [at for at in range(DAYS.size) if any(np.isfinite(prices[name][at]) for name in names)]
    rows = rows if draws is None else draws.permutation(rows).tolist()

    def cell(price: float) -> str:
        text = f"{price:,.2f}".replace(",", "_").replace(".", marks[0]).replace("_", marks[1])
        return text if np.isfinite(price) else ""

    shown = {at: DAYS[at].item().strftime(date) for at in rows}
    if long:
        lines = [[shown[at], name, cell(prices[name][at])] for at in rows for name in names]
        return csv_text(lines, separator, ["date", "ticker", "close"]).encode(encoding)
    lines = [[shown[at], *(cell(prices[name][at]) for name in names)] for at in rows]
    return csv_text(lines, separator, ["date", *names]).encode(encoding)


@pytest.fixture
def load(settings: Callable[..., Settings], tmp_path: Path) -> Loading:
    def loading(content: str | bytes) -> tuple[MemoryRun, Loaded]:
        path = tmp_path / "prices.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        chosen = settings("market_data.source=csv", f"market_data.path={path}")
        run: Any = MemoryRun(chosen, "csv", {})
        return run, ingest(run)

    return loading


def rows(run: MemoryRun, table: Table) -> list[dict[str, Any]]:
    found = run.rows(table).select(list(table.compared_names))
    return found.sort_by([(name, "ascending") for name in table.key]).to_pylist()


def on_calendar(run: MemoryRun) -> DayPrices:
    days = [row["date"] for row in rows(run, RISK_DAYS) if row["risk_day"]]
    prices = rows(run, PRICES)
    names = tuple(sorted({row["instrument_id"] for row in prices}))
    return day_prices(
        np.array(days, "datetime64[D]"),
        np.array([row["date"] for row in prices], "datetime64[D]"),
        np.array([names.index(row["instrument_id"]) for row in prices]),
        names,
        np.array([row["adjusted_price"] for row in prices]),
    )


def returns(prices: DayPrices) -> dict[str, np.ndarray]:
    simple = day_returns(prices.prices, 20, np.full(len(prices.instruments), np.nan)).simple
    return dict(zip(prices.instruments, simple.T, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_no_order_layout_encoding_or_way_of_writing_changes_a_bit(seed: int, load: Loading) -> None:
    prices, draws = market(seed, coin=bool(seed % 2)), np.random.default_rng(seed)
    first, known = load(written(prices))
    variants = [
        written(prices, draws=draws, encoding="utf-16"),
        written(prices, (",", "."), ";", "%d.%m.%Y", draws),
        written(prices, (".", ","), "\t", "%m/%d/%Y", draws, long=True, encoding="utf-8-sig"),
        written(prices, (",", "\u202f"), "|", "%d %b %Y", long=True),
    ]
    for content in variants:
        other, again = load(content)
        assert again.load_id == known.load_id
        for table in (PRICES, PRICE_SERIES, RISK_DAYS):
            assert rows(other, table) == rows(first, table), table.label


@pytest.mark.parametrize("seed", range(4))
def test_a_series_of_seven_days_changes_no_return_of_the_others(seed: int, load: Loading) -> None:
    prices = market(seed, coin=True)
    together = on_calendar(load(written(prices))[0])
    del prices["COIN"]
    alone = on_calendar(load(written(prices))[0])
    assert together.days.tolist() == alone.days.tolist()
    every = returns(together)
    for name, found in returns(alone).items():
        np.testing.assert_array_equal(every[name], found)
    # What moves at a weekend counts on the next risk day: nothing of the coin is lost.
    assert np.isfinite(every["COIN"][1:]).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_price_removed_in_the_middle_changes_no_return_over_more_days(seed: int, load: Loading) -> None:
    prices, draws = market(seed), np.random.default_rng(seed)
    before = on_calendar(load(written(prices))[0])
    there = np.flatnonzero(np.isfinite(prices["S2"]))
    gone = draws.choice(there[5:-5], 8, replace=False)
    prices["S2"][gone] = np.nan
    after = on_calendar(load(written(prices))[0])
    assert after.days.tolist() == before.days.tolist()
    whole, less = returns(before)["S2"], returns(after)["S2"]
    ends = np.flatnonzero(np.isfinite(on_days(after, "S2")))
    for low, high in pairwise(ends):
        kept = np.prod(1.0 + less[low + 1 : high + 1])
        assert kept == pytest.approx(np.prod(1.0 + whole[low + 1 : high + 1]), rel=1e-12)
    assert less[1:] != pytest.approx(whole[1:], nan_ok=True)


def on_days(prices: DayPrices, name: str) -> np.ndarray:
    return prices.prices[:, prices.instruments.index(name)]
