"""The stage on real tables: what it reads, what it commits, and that it does not see beyond its date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from acceleray.errors import PortfolioError
from acceleray.quant.signals import forward_returns
from acceleray.runtime.run import Run
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.shipped import sample_prices
from acceleray.stages.signals.inputs import load_inputs
from acceleray.stages.signals.stage import Prioritised, prioritise
from acceleray.tables import FEATURES, SIGNAL_CORRELATIONS, SIGNAL_DECAY, SIGNAL_RANKS, SIGNAL_YEARS
from market import commit_prices, long_rows
from signals.planted import Inline

DAYS = 520


@dataclass(frozen=True)
class Staged:
    run: Run
    make: Callable[..., Run]
    found: Prioritised
    last: Any


def prices() -> pd.DataFrame:
    """Return real prices: one instrument listed late, one that ended, one with a gap."""
    table = sample_prices().iloc[-DAYS:, :8].copy()
    table.iloc[:200, 0] = np.nan
    table.iloc[400:, 1] = np.nan
    table.iloc[300:303, 2] = np.nan
    return table


def commit(run: Run, table: pd.DataFrame) -> None:
    commit_prices(run, long_rows(table))


@pytest.fixture(scope="module")
def staged(new_project: Callable[[], Callable[..., Run]]) -> Staged:
    make = new_project()
    run = make(*SMALL)
    run.fan_out = Inline()
    last = pd.to_datetime(prices().index[-1]).date()
    run.identify("load", last)
    commit(run, prices())
    build_features(run)
    return Staged(run, make, prioritise(run), last)


SMALL = ("signals.horizons_d=[5, 21]", "signals.replications=40", "features.horizon_d=21")


def later(staged: Staged, as_of: Any, *settings: str) -> Run:
    run = staged.make(*SMALL, *settings)
    run.fan_out = Inline()
    run.identify("load", as_of)
    return run


def test_every_signal_at_every_horizon_has_a_row_in_order(staged: Staged) -> None:
    ranks = staged.run.rows(SIGNAL_RANKS).sort_by("position").to_pylist()
    assert [row["position"] for row in ranks] == list(range(1, 29))
    assert {(row["signal_id"], row["horizon_d"]) for row in ranks} == {
        (name, horizon_d) for name in FEATURE_NAMES for horizon_d in (5, 21)
    }
    assert [row["signal_id"] for row in ranks] == [rank.signal for rank in staged.found.ranks]
    assert staged.run.rows(SIGNAL_CORRELATIONS).num_rows == 14 * 13 // 2
    assert staged.run.rows(SIGNAL_DECAY).num_rows > 14 * 10
    assert {row["horizon_d"] for row in staged.run.rows(SIGNAL_YEARS).to_pylist()} == {5, 21}


def test_forward_returns_are_those_of_the_features_bit_for_bit(staged: Staged) -> None:
    inputs = load_inputs(staged.run)
    found = forward_returns(inputs.prices, 21)
    rows = staged.run.arrow(FEATURES, ("date", "instrument_id", "forward_return")).to_pandas()
    names = sorted(prices().columns)
    for row in rows.itertuples():
        day = np.searchsorted(inputs.dates, np.datetime64(row.date, "D"))
        value = found[day, names.index(row.instrument_id)]
        assert value == row.forward_return or (np.isnan(value) and np.isnan(row.forward_return))
    assert rows["forward_return"].notna().sum() > 2000


def test_signals_stand_at_their_day_and_instrument(staged: Staged) -> None:
    inputs = load_inputs(staged.run)
    rows = staged.run.arrow(FEATURES, ("date", "instrument_id", "reversal_1w")).to_pandas()
    held = pd.DataFrame(
        inputs.signals[inputs.names.index("reversal_1w")],
        index=pd.to_datetime(inputs.dates),
        columns=sorted(prices().columns),
    )
    for row in rows.sample(200, random_state=1).itertuples():
        value = held.loc[pd.Timestamp(row.date), row.instrument_id]
        np.testing.assert_equal(value, np.float32(row.reversal_1w))


@pytest.mark.nightly
def test_an_earlier_as_of_date_gives_what_it_gave_before_later_prices_came(staged: Staged) -> None:
    as_of = pd.to_datetime(prices().index[460]).date()
    run = later(staged, as_of)
    prioritise(run)
    alone = staged.make(*SMALL, "market_data.name=alone", "market_data.source=csv")
    alone.fan_out = Inline()
    alone.identify("load", as_of)
    commit(alone, prices().iloc[:461])
    build_features(alone)
    prioritise(alone)
    for table in (SIGNAL_RANKS, SIGNAL_DECAY, SIGNAL_YEARS):
        one, other = (
            each.rows(table).sort_by([(name, "ascending") for name in table.key]).drop_columns(["run_id"])
            for each in (run, alone)
        )
        assert one.num_rows
        assert one.to_pydict() == other.to_pydict()


@pytest.mark.nightly
def test_running_again_changes_nothing(staged: Staged) -> None:
    run = later(staged, staged.last)
    prioritise(run)
    wrote = {touch.table.label: touch.changed for touch in run.touches if touch.direction == "wrote"}
    assert wrote == dict.fromkeys(
        ("gold.signal_ranks", "gold.signal_decay", "gold.signal_years", "gold.signal_correlations"), False
    )


def test_two_instruments_cannot_be_ranked_and_the_message_says_so(staged: Staged) -> None:
    run = staged.make("market_data.name=two", "market_data.source=csv")
    run.identify("load", staged.last)
    commit(run, prices().iloc[:, 3:5])
    with pytest.raises(PortfolioError, match="2 are too few"):
        prioritise(run)
