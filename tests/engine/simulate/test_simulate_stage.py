"""The whole stage without Spark, Ray and MLflow: from calibrated fits to rows as the tables declare them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.delta.delta_rs import Parts
from acceleray.engines.handoff.arrays import Panel, with_constants
from acceleray.quant.comovement import Comovement
from acceleray.quant.garch import fit_gjr_garch_t, standardised_residuals
from acceleray.settings import Settings
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.residuals import standardised
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.simulate.scenario_inputs import build_world
from acceleray.stages.simulate.stage import Horizon, simulate
from acceleray.tables import (
    LOSS_DISTRIBUTION,
    RISK_ATTRIBUTION,
    RISK_CONTRIBUTIONS,
    RISK_MEASURES,
    SCENARIO_SETS,
)
from acceleray.tables.contract import Table
from simulate.serial import SerialFanOut

DAYS, WINDOW_D, RESIDUAL_WINDOW_D, SCENARIOS = 900, 800, 600, 9000


@dataclass(frozen=True)
class Tie:
    """Stands where the estimated dependence would."""

    correlation: np.ndarray
    shrinkage: float = 0.1
    smallest_eigenvalue: float = 0.5
    copula_nu: float = 5.5


class RecordingRun:
    """Stands where a run would, and keeps what was committed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.fan_out = SerialFanOut()
        self.said: list[str] = []
        self.reporter = SimpleNamespace(say=self.said.append, counter=lambda total, what: lambda done: None)
        self.committed: dict[Table, pa.Table] = {}

    def commit(self, table: Table, rows: pa.Table) -> None:
        constants = {"run_id": "r", "as_of": date(2024, 1, 1)}
        self.committed[table] = with_constants(rows, table, constants)

    def commit_parts(self, table: Table, parts: Iterable[pa.Table] | Parts) -> None:
        self.commit(table, pa.concat_tables(parts() if callable(parts) else parts))


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    generator = np.random.default_rng(8)
    values = 0.01 * (generator.standard_t(5, (DAYS, 1)) + generator.standard_t(5, (DAYS, 4)))
    values[:5, 2] = np.nan
    dates = np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-01-01") + DAYS)
    window = values[-WINDOW_D:]
    fits = [fit_gjr_garch_t(window[:, place], 500) for place in (0, 1, 2)]
    short = fit_gjr_garch_t(window[:10, 3], 500)
    gate: Any = None
    return Calibration(Panel(dates, ("A", "B", "C", "SHORT"), values), (*fits, short), gate)


@pytest.fixture(scope="module")
def ran(calibration: Calibration) -> tuple[RecordingRun, Book, tuple[Horizon, ...]]:
    weights = np.array([[0.25] * 4, [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    book = Book.plain(("REFERENCE", "ONE", "UNPRICED"), calibration.returns.instruments, weights, 1e6, "EUR")
    run: Any = RecordingRun(settings())
    correlation = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.5], [0.4, 0.5, 1.0]])
    tie: Any = Tie(correlation)
    horizons = simulate(run, calibration, book, scenarios=SCENARIOS, dependence=tie, targets=(0.05,))
    return run, book, horizons


def settings() -> Settings:
    return Settings.model_validate(
        {
            "project": {"name": "tests", "customer": "Tests"},
            "calibration": {"window_d": WINDOW_D},
            "simulation": {"residual_window_d": RESIDUAL_WINDOW_D, "scenarios": 5000},
        }
    )


def test_historical_shocks_come_first_and_every_method_has_every_horizon(ran) -> None:
    _, _, horizons = ran
    assert [(each.method, each.horizon_d, each.scenarios, each.error_of) for each in horizons] == [
        ("filtered_historical", 1, RESIDUAL_WINDOW_D, "window"),
        ("filtered_historical", 10, SCENARIOS, "draws"),
        ("t_copula", 1, SCENARIOS, "draws"),
        ("t_copula", 10, SCENARIOS, "draws"),
    ]
    assert [each.reverse is not None for each in horizons] == [False, True, False, True]


def test_rows_are_what_the_tables_declare_and_no_key_comes_twice(ran) -> None:
    run, _, _ = ran
    assert set(run.committed) == {
        SCENARIO_SETS,
        LOSS_DISTRIBUTION,
        RISK_MEASURES,
        RISK_CONTRIBUTIONS,
        RISK_ATTRIBUTION,
    }
    for table, rows in run.committed.items():
        cast = rows.select(table.column_names).cast(table.arrow_schema)
        assert cast.num_rows > 0
        keys = cast.select(table.key).group_by(table.key).aggregate([])
        assert keys.num_rows == cast.num_rows, table.name
        for column in table.columns:
            assert column.nullable or cast.column(column.name).null_count == 0


def test_contributions_in_the_table_add_up_to_the_measures_in_the_table(ran) -> None:
    run, _, _ = ran
    totals: dict[tuple[Any, ...], float] = {}
    names = ("method", "horizon_d", "portfolio_id", "measure", "confidence")
    for row in run.committed[RISK_CONTRIBUTIONS].to_pylist():
        key = tuple(row[name] for name in names)
        totals[key] = totals.get(key, 0.0) + row["contribution"]
    checked = 0
    for row in run.committed[RISK_MEASURES].to_pylist():
        if row["portfolio_id"] == "UNPRICED":
            assert row["value"] == 0.0
            continue
        assert totals[tuple(row[name] for name in names)] == pytest.approx(row["value"], rel=1e-9)
        checked += 1
    assert checked == 2 * 2 * 2 * 2


def test_the_parts_in_the_table_add_up_to_the_expected_shortfall_in_the_table(ran) -> None:
    run, _, _ = ran
    rows = run.committed[RISK_ATTRIBUTION].to_pylist()
    measures = {
        (row["method"], row["horizon_d"], row["portfolio_id"]): row["value_pct_nav"]
        for row in run.committed[RISK_MEASURES].to_pylist()
        if row["measure"] == "expected_shortfall"
    }
    assert len(rows) == len(measures) == 12
    for row in rows:
        parts = row["factor_pct_nav"] + row["specific_pct_nav"] + row["residual_pct_nav"]
        whole = measures[row["method"], row["horizon_d"], row["portfolio_id"]]
        assert row["expected_shortfall_pct_nav"] == whole
        assert parts == pytest.approx(whole, rel=1e-12, abs=1e-12)


def test_scenario_sets_say_how_they_were_made(ran) -> None:
    run, _, _ = ran
    rows = run.committed[SCENARIO_SETS].to_pylist()
    assert [row["copula_nu"] for row in rows] == [None, None, 5.5, 5.5]
    assert {row["residual_days"] for row in rows} == {RESIDUAL_WINDOW_D}
    assert {row["instruments"] for row in rows} == {3}
    assert [row["scenarios"] for row in rows] == [RESIDUAL_WINDOW_D, *[SCENARIOS] * 3]


def test_each_measure_says_which_error_it_carries(ran) -> None:
    run, _, _ = ran
    rows = run.committed[RISK_MEASURES].to_pylist()
    assert {(row["method"], row["horizon_d"], row["error_of"]) for row in rows} == {
        ("filtered_historical", 1, "window"),
        ("filtered_historical", 10, "draws"),
        ("t_copula", 1, "draws"),
        ("t_copula", 10, "draws"),
    }


def test_the_two_methods_agree_on_the_size_of_the_risk(ran) -> None:
    _, _, horizons = ran
    for one, other in ((horizons[0], horizons[2]), (horizons[1], horizons[3])):
        ratio = one.tail.expected_shortfall(0.975)[:2] / other.tail.expected_shortfall(0.975)[:2]
        assert (np.abs(np.log(ratio)) < 0.35).all()
        assert (np.abs(np.log(one.volatility[:2] / other.volatility[:2])) < 0.2).all()


def test_the_generator_of_the_settings_makes_the_scenarios_of_the_copula(calibration, ran) -> None:
    before, book, horizons = ran
    chosen = settings().simulation.model_copy(update={"generator": "tables"})
    run: Any = RecordingRun(settings().model_copy(update={"simulation": chosen}))
    tie: Any = Tie(np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.5], [0.4, 0.5, 1.0]]))
    found = simulate(run, calibration, book, scenarios=SCENARIOS, dependence=tie, targets=(0.05,))
    for one, other in zip(found, horizons, strict=True):
        shortfalls = [each.tail.expected_shortfall(0.975)[:2] for each in (one, other)]
        np.testing.assert_allclose(*shortfalls, rtol=1e-8)
        assert np.array_equal(*shortfalls) == (one.method == "filtered_historical")
    assert run.committed[SCENARIO_SETS].equals(before.committed[SCENARIO_SETS])


def test_scenarios_are_those_of_the_settings_unless_others_are_asked_for(calibration) -> None:
    book = Book.plain(("REFERENCE",), calibration.returns.instruments, np.full((1, 4), 0.25), 1.0, "EUR")
    run: Any = RecordingRun(settings())
    horizons = simulate(run, calibration, book)
    assert [each.scenarios for each in horizons] == [RESIDUAL_WINDOW_D, 5000]


def test_residuals_are_filtered_over_the_days_that_the_fit_has_seen(calibration) -> None:
    book = Book.plain(("REFERENCE",), calibration.returns.instruments, np.full((1, 4), 0.25), 1.0, "EUR")
    world, days = build_world(calibration, book, settings())
    fit = calibration.fits[0]
    assert fit.parameters is not None
    seen = calibration.returns.values[-WINDOW_D:, 0]
    expected = standardised_residuals(seen, fit.parameters, fit.initial_variance)[-RESIDUAL_WINDOW_D:]
    raw, _ = standardised(calibration, WINDOW_D, RESIDUAL_WINDOW_D, settings().seed)
    np.testing.assert_array_equal(raw[:, 0], expected)
    # Scenarios replay them at the correlation of today, which two names of one market share.
    today = Comovement.of(raw, calibration.members).replayed(0, RESIDUAL_WINDOW_D)
    np.testing.assert_array_equal(world.residuals, today)
    assert not np.array_equal(today, raw)
    assert len(days) == RESIDUAL_WINDOW_D
    assert days[-1] == calibration.returns.dates[-1]
    assert world.weights.shape == (1, 3)
