"""Stocks, coins and markets with holidays of their own in one file: nobody's returns depend on the others."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from acceleray.runtime.run import Run
from acceleray.stages.features.stage import build_returns
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import RETURNS, RISK_DAYS

EVERY = np.arange("2022-01-03", "2023-03-01", dtype="datetime64[D]")
WEEKDAY = np.is_busday(EVERY)
HOLIDAY = np.datetime64("2022-08-15")


def walk(seed: int, sigma: float) -> np.ndarray:
    steps = np.random.default_rng(seed).standard_t(5, EVERY.size) * sigma
    return np.round(100.0 * np.exp(steps.cumsum()), 2)


STOCKS = {"AAA": walk(1, 0.012), "BBB": walk(2, 0.015)}
COINS = {"BTC-USD": walk(3, 0.035), "ETH-USD": walk(4, 0.04)}


def file_of(folder: Path, name: str, columns: dict[str, np.ndarray], days: np.ndarray) -> Path:
    lines = [",".join(["date", *columns])]
    for place in np.flatnonzero(days):
        weekday = WEEKDAY[place]
        cells = [repr(float(path[place])) if weekday or "-" in key else "" for key, path in columns.items()]
        lines.append(",".join([str(EVERY[place]), *cells]))
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def make(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    return new_project()


def returns_of(make: Callable[..., Run], path: Path) -> tuple[dict[tuple[str, str], tuple[float, int]], Run]:
    run = make("market_data.source=csv", f"market_data.path={path}")
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of)
    build_returns(run)
    rows = run.lake.rows(RETURNS, run.source).to_pylist()
    found = {(row["instrument_id"], str(row["date"])): (row["return_1d"], row["span_d"]) for row in rows}
    return found, run


@pytest.mark.nightly
def test_coins_change_no_return_of_a_stock_and_their_weekend_counts_on_monday(
    make: Callable[..., Run], tmp_path: Path
) -> None:
    alone, _ = returns_of(make, file_of(tmp_path, "stocks.csv", STOCKS, WEEKDAY))
    together, run = returns_of(make, file_of(tmp_path, "all.csv", STOCKS | COINS, EVERY == EVERY))
    assert {key: value for key, value in together.items() if "-" not in key[0]} == alone
    days = {str(row["date"]): row["risk_day"] for row in run.lake.rows(RISK_DAYS, run.source).to_pylist()}
    assert [days[str(day)] for day in EVERY] == WEEKDAY.tolist()
    coin = COINS["BTC-USD"]
    monday = int(np.searchsorted(EVERY, np.datetime64("2022-05-09")))
    assert together["BTC-USD", "2022-05-09"] == (coin[monday] / coin[monday - 3] - 1.0, 1)


def test_a_closed_market_earns_nothing_and_on_reopening_its_whole_move(
    make: Callable[..., Run], tmp_path: Path
) -> None:
    columns = {**STOCKS, "CCC": walk(5, 0.01), "CLOSED": walk(6, 0.01)}
    path = file_of(tmp_path, "holiday.csv", columns, WEEKDAY)
    lines = path.read_text().splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith(str(HOLIDAY)))
    lines[place] = lines[place].rsplit(",", 1)[0] + ","
    path.write_text("\n".join(lines) + "\n")
    found, _ = returns_of(make, path)
    at = int(np.searchsorted(EVERY, HOLIDAY))
    whole = columns["CLOSED"][at + 1] / columns["CLOSED"][at - 3] - 1.0
    assert found["CLOSED", str(HOLIDAY)] == (0.0, 0)
    assert found["CLOSED", str(HOLIDAY + 1)] == (whole, 2)
    assert found["AAA", str(HOLIDAY)][1] == 1
