"""Two indices that no choice of method or parameter has seen, from a CSV file to a stored verdict."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from arch.data import nasdaq, sp500

from acceleray.runtime.run import Run
from acceleray.stages.backtest.stage import HEADLINE, MODELS, backtest
from acceleray.stages.book.stage import build_book
from acceleray.stages.calibrate.stage import calibrate
from acceleray.stages.features.stage import build_returns
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import (
    BACKTEST_FORECASTS,
    BACKTEST_VERDICTS,
    CALIBRATION_HISTORY,
    PRICES,
    PRICES_QUARANTINED,
)

DAYS, OUT_OF_SAMPLE = 5031, 4030
# What the repository publishes of a book of both indices, which scripts/record.py makes without Spark.
RECORD = Path(__file__).parents[3] / "docs/record.json"
PUBLISHED = json.loads(RECORD.read_text(encoding="utf-8"))["indices"]
# A third column: listed so late that no model fits it and the book does not hold it, with cells of no use.
LATE_D, USELESS = 120, {7: "gone", 8: "0"}


class Serial:
    """Stands where Ray would, one task after the other."""

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any],
        done: Callable[[int], None],
        batch: int = 1,
        **fixed: Any,
    ) -> Iterator[Any]:
        return (function(task, *shared, **fixed) for task in tasks)


@pytest.fixture(scope="module")
def run(new_project: Callable[[], Callable[..., Run]], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run that has gone from a customer's file to the verdicts, every table committed."""
    path = tmp_path_factory.mktemp("prices") / "indices.csv"
    write_prices(path)
    run = new_project()("market_data.source=csv", f"market_data.path={path}")
    fan_out: Any = Serial()
    run.fan_out = fan_out
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of)
    build_returns(run)
    calibration = calibrate(run)
    backtest(run, calibration, build_book(run, calibration.returns, calibration.usable, None))
    return run


def write_prices(path: Path) -> None:
    closes = {"NASDAQ": nasdaq.load()["Adj Close"], "SP500": sp500.load()["Adj Close"]}
    cells = {name: [repr(float(close)) for close in each] for name, each in closes.items()}
    late = [USELESS.get(number, cell) for number, cell in enumerate(cells["NASDAQ"][-LATE_D:])]
    cells["LATE"] = [""] * (DAYS - LATE_D) + late
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *cells])
        days = [day.date().isoformat() for day in closes["SP500"].index]
        writer.writerows(zip(days, *cells.values(), strict=True))


@pytest.mark.nightly
def test_every_price_is_accepted_or_quarantined_and_every_fit_and_day_has_its_row(run: Run) -> None:
    accepted, quarantined = run.rows(PRICES), run.rows(PRICES_QUARANTINED)
    assert accepted.num_rows + quarantined.num_rows == 2 * DAYS + LATE_D
    assert sorted(quarantined["price_text"].to_pylist()) == sorted(USELESS.values())
    assert all(quarantined["reason"].to_pylist())
    fits = run.rows(CALIBRATION_HISTORY).to_pylist()
    assert len(fits) == 3 * 18
    assert {row["status"] for row in fits if row["instrument_id"] != "LATE"} == {"calibrated"}
    without = [row for row in fits if row["instrument_id"] == "LATE"]
    assert {row["status"] for row in without} == {"rejected"}
    assert all(row["reason"] for row in without)
    forecasts = run.rows(BACKTEST_FORECASTS).to_pylist()
    for model in MODELS:
        days = [row["date"] for row in forecasts if row["model"] == model]
        assert len(days) == len(set(days)) == OUT_OF_SAMPLE


@pytest.mark.nightly
def test_a_model_that_fails_on_them_is_not_promoted_and_every_verdict_is_stored_with_its_reason(
    run: Run,
) -> None:
    stored = {row["model"]: row for row in run.rows(BACKTEST_VERDICTS).to_pylist()}
    assert sorted(stored) == sorted(MODELS)
    exceptions = Counter(row["model"] for row in run.rows(BACKTEST_FORECASTS).to_pylist() if row["exception"])
    for model, published in PUBLISHED["models"].items():
        row, count = stored[model], published["exceptions"]
        assert (row["days"], row["exceptions"], exceptions[model]) == (OUT_OF_SAMPLE, count, count)
        for name in ("kupiec_p", "conditional_coverage_p", "coverage_p", "dynamic_quantile_p", "z2_p"):
            assert row[name] == pytest.approx(published[name], rel=0.05, abs=0.003), name
        assert row["passed"] == published["passed"]
        assert row["reason"].split("(")[0] == published["reason"].split("(")[0]
        promoted = "promoted" if published["passed"] else "not promoted"
        assert row["decision"] == (promoted if model == HEADLINE else "benchmark")
