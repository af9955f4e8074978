"""A small source with prices and features on real Delta, and a model that knows its features."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.engines.handoff.arrays import without_nan
from acceleray.governance.registry import RegisteredModel
from acceleray.quant import boosting
from acceleray.runtime.run import Run
from acceleray.settings import Model
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.tables import FEATURES
from engines.handing import Inline
from market import commit_prices

FIRST = date(2024, 1, 1)
# The as-of date is day 24; ten days without a price are few enough to count as trading.
DAYS = 25
SETTINGS = ("market_data.stale_after_d=10", "market_data.source=csv", "market_data.path=x.csv")
# Last day with a price, of 30: some reach beyond the as-of date.
LAST = {"LATER": 29, "NEWEST": 24, "YOUNG": 14, "OLD": 13}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def days() -> np.ndarray:
    return np.array([day(number) for number in range(DAYS)], dtype="datetime64[D]")


def identified(run: Run) -> Run:
    """Return a run that works without Ray and knows its date."""
    fan_out: Any = Inline()
    run.fan_out = fan_out
    run.identify("load", day(DAYS - 1))
    return run


def fill(run: Run, last: Mapping[str, int] = LAST, without: tuple[str, ...] = ()) -> pa.Table:
    """Commit prices of instruments up to their last day, and features of those not in `without`."""
    places = [(name, day(number)) for name, end in last.items() for number in range(end + 1)]
    prices = {
        "instrument_id": [name for name, _ in places],
        "date": [when for _, when in places],
        "price": np.full(len(places), 10.0),
    }
    commit_prices(run, pa.table(prices))
    rows = features([place for place in places if place[0] not in without])
    run.commit(FEATURES, rows)
    return rows


def features(places: list[tuple[str, date]]) -> pa.Table:
    random = np.random.default_rng(1)
    values = random.uniform(-0.5, 0.5, (len(places), len(FEATURE_NAMES)))
    # A feature that is not known is NULL in the table and must reach the model as a missing value.
    values[::4, 1] = np.nan
    columns = {name: values[:, place] for place, name in enumerate(FEATURE_NAMES)}
    return without_nan(
        pa.table(
            {
                "instrument_id": [name for name, _ in places],
                "date": [when for _, when in places],
                "forward_return": values[:, 0],
                "target": values[:, 0],
                **columns,
                **dict.fromkeys(("made_from", "made_by"), [""] * len(places)),
            }
        )
    )


def matrix(rows: pa.Table) -> np.ndarray:
    return np.column_stack([rows.column(name).to_numpy() for name in FEATURE_NAMES])


def model(rows: pa.Table) -> RegisteredModel:
    """Return a model whose score depends on two features, one of them at times missing."""
    known = matrix(rows)
    target = known[:, 0] * np.nan_to_num(known[:, 1])
    booster = boosting.fit(known, target, FEATURE_NAMES, Model(rounds=20), seed=1)
    return RegisteredModel("models:/tests/1", boosting.saved(booster))


def scores(rows: pa.Table, content: bytes) -> dict[tuple[str, date], float]:
    """Return the score of each row, made in one go without Spark and Ray."""
    found = boosting.predict(boosting.restored(content), matrix(rows), FEATURE_NAMES)
    places = zip(rows.column("instrument_id").to_pylist(), rows.column("date").to_pylist(), strict=True)
    return dict(zip(places, found.tolist(), strict=True))
