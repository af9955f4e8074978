"""Predictions on real Spark and Delta, without Ray: whose newest row is scored, and to which bits."""

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from engines.handing import Inline
from portfolio.engines.arrays import without_nan
from portfolio.run import Run
from portfolio.score import newest_rows, predict_rows
from portfolio.settings import Train
from portfolio.tables import FEATURES, PREDICTIONS
from portfolio.train import FEATURE_NAMES, fit, predict

FIRST = date(2024, 1, 1)
# Last day with features, of 30; the as-of date is day 24, and 10 days are young enough.
LAST = {"LATER": 29, "NEWEST": 24, "YOUNG": 14, "OLD": 13}


def test_each_instrument_is_scored_on_its_newest_row_that_is_young_and_known(
    make_run: Callable[..., Run],
) -> None:
    run = make_run("market_data.stale_after_d=10", "market_data.source=csv", "market_data.path=x.csv")
    fan_out: Any = Inline()
    run.fan_out = fan_out
    days = [FIRST + timedelta(days=day) for day in range(25)]
    run.identify("load", days[-1])
    rows = features()
    run.commit(FEATURES, rows)
    matrix = np.column_stack([rows.column(name).to_numpy() for name in FEATURE_NAMES])
    booster = fit(matrix, matrix[:, 0] * np.nan_to_num(matrix[:, 1]), Train(rounds=20), seed=1)
    calibration: Any = SimpleNamespace(returns=SimpleNamespace(dates=np.array(days, dtype="datetime64[D]")))
    run.transform(
        FEATURES,
        ("instrument_id", "date", *FEATURE_NAMES),
        predict_rows,
        PREDICTIONS,
        shared=(bytes(booster.save_raw("ubj")),),
        narrow=newest_rows(run, calibration),
    )
    found = run.arrow(PREDICTIONS, ("instrument_id", "feature_date", "score")).to_pylist()
    wanted = {"LATER": 24, "NEWEST": 24, "YOUNG": 14}
    assert [(row["instrument_id"], row["feature_date"]) for row in found] == [
        (name, FIRST + timedelta(days=day)) for name, day in wanted.items()
    ]
    places = list(zip(rows.column("instrument_id").to_pylist(), rows.column("date").to_pylist(), strict=True))
    newest = [places.index((row["instrument_id"], row["feature_date"])) for row in found]
    assert [row["score"] for row in found] == predict(booster, matrix[newest]).tolist()
    assert len({row["score"] for row in found}) == 3


def features() -> pa.Table:
    random = np.random.default_rng(1)
    names = [(name, day) for name, last in LAST.items() for day in range(last + 1)]
    values = random.uniform(-0.5, 0.5, (len(names), len(FEATURE_NAMES)))
    # A feature that is not known is NULL in the table and must reach the model as a missing value.
    values[::4, 1] = np.nan
    columns = {name: values[:, place] for place, name in enumerate(FEATURE_NAMES)}
    rows = pa.table(
        {
            "instrument_id": [name for name, _ in names],
            "date": [FIRST + timedelta(days=day) for _, day in names],
            "forward_return": values[:, 0],
            "target": values[:, 0],
            **columns,
        }
    )
    return without_nan(rows)
