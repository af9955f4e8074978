"""A run with one more day commits that day, and the table is the one that a run from nothing commits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.delta.log import open_table
from acceleray.runtime.run import Run
from acceleray.stages.features import spread
from acceleray.stages.features.origin import MADE_BY
from acceleray.stages.features.stage import build_features
from acceleray.tables import FEATURES, RETURNS
from market import commit_prices

DAYS, NAMES, HORIZON = 300, 5, 3
CALENDAR = np.arange("2020-01-01", "2022-01-01", dtype="datetime64[D]")
CALENDAR = CALENDAR[np.is_busday(CALENDAR)]
PRICES = 50.0 * np.exp(np.random.default_rng(6).normal(0.0, 0.02, (DAYS + 6, NAMES)).cumsum(axis=0))


def built(make: Callable[..., Run], name: str, days: int, prices: Any = PRICES) -> Run:
    run = make(f"features.horizon_d={HORIZON}", "market_data.source=csv", f"market_data.name={name}")
    rows = {
        "instrument_id": [f"N{number}" for _ in range(days) for number in range(NAMES)],
        "date": pa.array(np.repeat(CALENDAR[:days], NAMES)),
        "price": prices[:days].ravel(),
    }
    commit_prices(run, pa.table(rows))
    run.identify(f"load of {days}", CALENDAR[days - 1].item())
    build_features(run)
    return run


def rows(run: Run, table: Any) -> pa.Table:
    found = run.lake.rows(table, run.source).drop_columns(["source", MADE_BY])
    return found.sort_by([("date", "ascending"), ("instrument_id", "ascending")]).combine_chunks()


@pytest.mark.parametrize("here", [0, spread.HERE_ROWS], ids=["in Spark", "here"])
def test_a_new_day_and_a_corrected_price_commit_what_they_move(
    here: int, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "HERE_ROWS", here)
    first = built(make_run, "daily", DAYS)
    second = built(make_run, "daily", DAYS + 1)
    corrected = PRICES.copy()
    corrected[DAYS - 9, 2] *= 1.01
    third = built(make_run, "daily", DAYS + 6, prices=corrected)
    whole = built(make_run, "whole", DAYS + 6, prices=corrected)
    for table in (RETURNS, FEATURES):
        assert rows(third, table).equals(rows(whole, table))
        fingerprints = [next(t for t in run.touches if t.table.name == table.name) for run in (third, whole)]
        assert fingerprints[0].rows == fingerprints[1].rows
    by = Counter(third.lake.rows(FEATURES, third.source, columns=(MADE_BY,))[MADE_BY].to_pylist())
    dates = {name: count // NAMES for name, count in by.items()}
    # The first run's dates reach until the horizon before its end, or before the corrected day.
    assert dates[first.identity.run_id] == DAYS - 9 - HORIZON - 5
    assert second.identity.run_id not in dates
    assert dates[third.identity.run_id] == 6 + 9 + HORIZON
    account = third.kept.account().to_pylist()
    features = [row for row in account if row["kind"] == "features of a date"]
    taken = {row["made_by"]: row["results"] for row in features if not row["reason"]}
    assert taken == {first.identity.run_id: DAYS - 9 - HORIZON - 5}
    # The commit of the second day told of the whole, and replaced a part.
    history = open_table(second.lake.location(FEATURES)).history(20)
    told = [json.loads(one["userMetadata"]) for one in history if one.get("userMetadata")]
    assert any("base" in one for one in told)
