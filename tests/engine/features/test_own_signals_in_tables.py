"""A project's own signal in gold.features: computed by Spark's workers, and nothing else moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.extend import Signal
from acceleray.runtime.project import NOTHING_ADDED, Listed, Project
from acceleray.runtime.run import Run
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.features.examples import load_examples
from acceleray.stages.features.stage import build_features
from acceleray.stages.signals.inputs import load_inputs
from acceleray.tables import FEATURES
from market import commit_prices

DAYS, NAMES, LENGTH = 80, 4, 10


def up_days(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((returns > 0.0).mean(axis=1))


def tomorrow(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.roll(prices[:, -1], -1) / prices[:, -1] - 1.0


# A keyword of SQL, and a name that other frames of rows give to a column.
SIGNALS = (
    Signal("order", "returns", LENGTH, up_days, "share of the last ten returns above zero", "Tests 2026"),
    Signal("broken", "prices", 2, lambda prices: -prices[:, -1], "price, sign turned", "Tests 2026"),
)
AHEAD = (Signal("oracle", "prices", 2, tomorrow, "the return of tomorrow", "Tests 2026"),)
PROJECT = Project(signals=Listed(__name__, "SIGNALS"))


def walk() -> NDArray[np.float64]:
    steps = np.random.default_rng(3).normal(0.0, 0.02, (DAYS, NAMES))
    return np.asarray(100.0 * np.exp(steps.cumsum(axis=0)))


def commit(run: Run, prices: NDArray[np.float64]) -> None:
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(len(prices))]
    rows = {
        "instrument_id": [f"N{number}" for _ in days for number in range(NAMES)],
        "date": pa.array([day for day in days for _ in range(NAMES)], pa.date32()),
        "price": prices.ravel(),
    }
    commit_prices(run, pa.table(rows))
    run.identify("test", days[-1])


def built(make: Callable[..., Run], project: Project, prices: NDArray[np.float64], name: str) -> Run:
    run = make("features.horizon_d=2", "market_data.source=csv", f"market_data.name={name}")
    run.project = project
    commit(run, prices)
    build_features(run)
    return run


def rows(run: Run, *columns: str) -> pa.Table:
    features = run.project.features_table()
    found = run.arrow(features, ("instrument_id", "date", *columns, "forward_return", "target"))
    # Spark and a reader of files differ in which columns they say may be NULL.
    return pa.table({name: found[name] for name in found.column_names})


@pytest.mark.nightly
def test_an_own_signal_comes_goes_and_comes_back(make_run: Callable[..., Run]) -> None:
    prices = walk()
    before = rows(built(make_run, NOTHING_ADDED, prices, "one"), *FEATURE_NAMES)
    built(make_run, NOTHING_ADDED, prices, "other")

    run = built(make_run, PROJECT, prices, "one")
    assert rows(run, *FEATURE_NAMES).slice(0, before.num_rows).schema == before.schema
    with_own = rows(run, *FEATURE_NAMES, "order", "broken")
    # The row in which only own signals have a value is new; all others have the bits they had.
    known = with_own.filter(pa.array(np.isin(keys(with_own), keys(before))))
    assert known.select(before.column_names).equals(before)

    returns = prices[1:] / prices[:-1] - 1.0
    share = np.array([(returns[day - LENGTH : day] > 0.0).mean(axis=0) for day in range(LENGTH, DAYS)])
    found = spread(with_own, "order")
    assert np.isnan(found[:LENGTH]).all()
    np.testing.assert_array_equal(found[LENGTH:], ranked(share))
    np.testing.assert_array_equal(spread(with_own, "broken")[1:], ranked(-prices[1:]))

    other = run.lake.read(run.project.features_table(), "csv:other").select("order", "broken")
    assert other.distinct().collect() == [(None, None)], "rows of other sources do not have the signal yet"

    again = built(make_run, NOTHING_ADDED, prices, "one")
    assert rows(again, *FEATURE_NAMES).equals(before)
    back = built(make_run, PROJECT, prices, "one")
    assert rows(back, *FEATURE_NAMES, "order", "broken").equals(with_own)


@pytest.mark.nightly
def test_examples_and_signals_have_it_after_those_of_the_engine(make_run: Callable[..., Run]) -> None:
    run = built(make_run, PROJECT, walk(), "one")
    examples, inputs = load_examples(run), load_inputs(run)
    assert examples.features.shape[1] == len(FEATURE_NAMES) + 2
    assert np.isfinite(examples.features[:, -2:]).all(axis=1).any()
    assert inputs.names == (*FEATURE_NAMES, "order", "broken")
    np.testing.assert_array_equal(inputs.signals[-1][1:], ranked(-walk()[1:]).astype(np.float32))


def test_no_own_signal_knows_a_price_after_its_date(make_run: Callable[..., Run]) -> None:
    prices, cut = walk(), 50
    changed = prices.copy()
    changed[cut + 1 :] *= np.random.default_rng(4).uniform(0.5, 2.0, changed[cut + 1 :].shape)
    one = rows(built(make_run, PROJECT, prices, "one"), "order", "broken")
    other = rows(built(make_run, PROJECT, changed, "other"), "order", "broken")
    for name in ("order", "broken"):
        before, after = spread(one, name), spread(other, name)
        np.testing.assert_array_equal(before[: cut + 1], after[: cut + 1])
        assert not np.array_equal(before[cut + 1 :], after[cut + 1 :])


def test_one_that_looks_ahead_is_refused_before_anything_is_committed(make_run: Callable[..., Run]) -> None:
    run = make_run("market_data.source=csv", "market_data.name=one")
    run.project = Project(signals=Listed(__name__, "AHEAD"))
    with pytest.raises(PortfolioError, match=r"Signal 'oracle' of .* looks ahead"):
        build_features(run)
    assert not run.lake.exists(FEATURES)


def keys(table: pa.Table) -> list[str]:
    return [f"{row['instrument_id']} {row['date']}" for row in table.to_pylist()]


def spread(table: pa.Table, name: str) -> NDArray[np.float64]:
    frame = table.to_pandas().pivot(index="date", columns="instrument_id", values=name)
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(DAYS)]
    return np.asarray(frame.reindex(days), dtype=np.float64)


def ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    below = (values[:, :, np.newaxis] > values[:, np.newaxis, :]).sum(axis=2)
    return np.asarray(below / (values.shape[1] - 1) - 0.5)
