"""A simulated universe: as large as wanted, the same however it is computed, and always called simulated."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.quant.evaluation import rank_information_coefficient
from acceleray.quant.universe import Plan, market_path, one_factor_model, price_path
from acceleray.runtime.run import Run, source_name
from acceleray.settings import Settings
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest import simulated
from acceleray.stages.ingest.shipped import sample_prices
from acceleray.stages.ingest.stage import Loaded, ingest
from acceleray.tables import FEATURES, PRICES, PRICES_RECEIVED
from planted_signal import planted_rank_ic

SMALL = ("market_data.source=simulated", "universe.instruments=23", "universe.days=300", "seed=11")
LARGE = (
    "market_data.source=simulated",
    "universe.instruments=200",
    "universe.days=600",
    "universe.transient_share=0.5",
    "features.horizon_d=21",
)


@pytest.fixture(scope="module")
def make(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    return new_project()


@pytest.fixture(scope="module")
def loaded(make: Callable[..., Run]) -> tuple[Run, Loaded]:
    run = make(*SMALL)
    return run, ingest(run)


def prices(run: Run) -> Any:
    rows = run.lake.rows(PRICES, run.source, columns=("date", "instrument_id", "price")).to_pandas()
    return rows.pivot(index="date", columns="instrument_id", values="price").sort_index()


def test_every_simulated_price_arrives_and_says_what_it_is(loaded: tuple[Run, Loaded]) -> None:
    run, found = loaded
    assert (found.received, found.accepted, found.quarantined, found.instruments) == (6900, 6900, 0, 23)
    assert (found.last_date, found.as_of) == (date(2022, 12, 30), date(2022, 12, 30))
    assert run.source == "simulated:23x300-0.2-10d-11"
    table = prices(run)
    assert list(table.columns) == [f"SIM-{number:06d}" for number in range(1, 24)]
    assert len(table) == 300
    assert all(day.weekday() < 5 for day in table.index)
    received = run.lake.read(PRICES_RECEIVED, run.source).where("instrument_id NOT LIKE 'SIM-%'")
    assert received.count() == 0


def test_prices_are_those_of_the_mathematics_module_to_six_decimals(loaded: tuple[Run, Loaded]) -> None:
    plan = Plan(days=300, transient_share=0.2, half_life_d=10.0, seed=11)
    model = one_factor_model(sample_prices().to_numpy())
    market = market_path(model, plan)
    expected = [price_path(model, plan, market, number).round(6) for number in range(23)]
    np.testing.assert_array_equal(prices(loaded[0]).to_numpy(), np.stack(expected, axis=1))


@pytest.mark.nightly
def test_it_is_the_same_universe_however_the_work_is_split(
    make: Callable[..., Run], loaded: tuple[Run, Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, found = loaded
    before = run.lake.version(PRICES)
    monkeypatch.setattr(simulated, "_PER_TASK", 4)
    again = make(*SMALL, "spark.shuffle_partitions=3")
    assert ingest(again) == found
    assert again.lake.version(PRICES) == before


@pytest.mark.nightly
def test_a_larger_universe_holds_the_smaller_one(
    make: Callable[..., Run], loaded: tuple[Run, Loaded]
) -> None:
    larger = make(*SMALL, "universe.instruments=26")
    assert ingest(larger).instruments == 26
    small = prices(loaded[0])
    np.testing.assert_array_equal(prices(larger)[small.columns].to_numpy(), small.to_numpy())


def test_the_name_tells_universes_apart_and_is_simulated_whatever_it_is(
    settings: Callable[..., Settings],
) -> None:
    others = ["universe.days=301", "universe.half_life_d=5", "universe.transient_share=0", "seed=12"]
    names = {source_name(settings(*SMALL, other)) for other in ("universe.instruments=24", *others)}
    assert len({*names, source_name(settings(*SMALL))}) == 6
    names.add(source_name(settings(*SMALL, "market_data.name=sample")))
    assert all(name.startswith("simulated:") for name in names)
    numbers = settings(*SMALL).numbers()
    assert numbers["universe"]["instruments"] == 23


def test_a_history_that_is_too_short_is_refused_in_the_words_of_every_source(
    make: Callable[..., Run],
) -> None:
    with pytest.raises(PortfolioError, match="The simulated universe has 300 trading days"):
        ingest(make(*SMALL, "market_data.minimum_history_d=1000"))


@pytest.mark.nightly
def test_reversal_finds_the_planted_signal_at_the_predicted_strength(make: Callable[..., Run]) -> None:
    run = make(*LARGE)
    loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of)
    build_features(run)
    columns = ("date", "instrument_id", "reversal_1m", "forward_return")
    rows = run.arrow(FEATURES, columns).to_pandas()
    signal, ahead = (
        rows.pivot(index="date", columns="instrument_id", values=name).to_numpy(dtype=float)
        for name in columns[2:]
    )
    found = float(np.nanmean(rank_information_coefficient(signal, ahead)))
    plan = Plan(days=600, transient_share=0.5, half_life_d=10.0, seed=run.settings.seed)
    model = one_factor_model(sample_prices().to_numpy())
    predicted = planted_rank_ic(model, plan, 21, 21, market_path(model, plan))
    # Half of it, or its double, or none would not pass.
    assert predicted < -0.1
    assert found == pytest.approx(predicted, rel=0.2)
