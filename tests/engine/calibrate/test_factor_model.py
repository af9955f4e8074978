"""From levels in a file to betas in a table: planted exposures come back, and nothing later is seen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.factor_model import FactorModel, build_factor_model
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.tables import FACTOR_BETAS, FACTOR_COVARIANCES
from calibrate.factor_levels import AS_OF, FACTORS, PLANTED, Build, Serial, World, calibration


@dataclass(frozen=True)
class Built:
    run: Run
    model: FactorModel
    said: list[str]


@pytest.fixture(scope="module")
def build(
    new_project: Callable[[], Callable[..., Run]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Built]:
    make = new_project()

    def built(content: str, returns: Panel, *overrides: str) -> Built:
        path = tmp_path_factory.mktemp("factors") / "levels.csv"
        path.write_text(content, encoding="utf-8")
        source = "csv" if content else "none"
        run = make(f"factors.source={source}", f"factors.path={path}", *overrides)
        fan_out: Any = Serial()
        run.fan_out = fan_out
        said: list[str] = []
        run.reporter.say = said.append  # type: ignore[method-assign]
        ingest_factors(run)
        run.identify("a load", AS_OF)
        return Built(run, build_factor_model(run, calibration(returns)), said)

    return built


@pytest.fixture(scope="module")
def story(build: Callable[..., Built], world: World) -> Built:
    return build(world.csv(), world.returns)


def test_planted_betas_come_back_through_file_months_and_regression(story: Built) -> None:
    model = story.model
    assert model.factors == (*FACTORS, "volatility")
    assert model.points == (True, False, False, False)
    expected = [[*PLANTED["EXACT"], 0.0], [*PLANTED["HOLES"], 0.0], [np.nan] * 4]
    np.testing.assert_allclose(model.betas, expected, atol=1e-10)
    np.testing.assert_allclose(model.specific_volatility, [0.0, 0.0, np.nan], atol=1e-10)


def test_weeks_with_holes_are_left_out_of_what_they_touch(story: Built) -> None:
    rows = story.run.rows(FACTOR_BETAS).to_pylist()
    # 309 weeks from that to 6 February 2015, as volatility takes 21 days, to 1 January 2021, less six around
    # the month without oil; HOLES lacks two weeks more, and LATE begins with that to 8 June 2018.
    weeks = {"EXACT": 303, "HOLES": 301, "LATE": 135}
    assert {row["instrument_id"]: row["changes"] for row in rows} == weeks
    assert {row["instrument_id"]: row["months"] for row in rows} == {"EXACT": 70, "HOLES": 69, "LATE": 31}
    assert {row["sampling"] for row in rows} == {"week"}
    # 71 monthly changes from February 2015 to December 2020, less two around the month without oil.
    assert story.model.months == 69


def test_a_factor_is_left_out_aloud_and_an_instrument_keeps_rows_with_its_reason(story: Built) -> None:
    assert story.said == [
        "Factor short is left out: in the months with prices it has 11 changes in common with equity, "
        "36 are needed."
    ]
    rows = [row for row in story.run.rows(FACTOR_BETAS).to_pylist() if row["instrument_id"] == "LATE"]
    assert [row["factor_id"] for row in sorted(rows, key=lambda row: row["factor_id"])] == [
        *FACTORS,
        "volatility",
    ]
    for row in rows:
        assert row["beta"] is row["beta_se"] is row["r_squared"] is row["specific_volatility"] is None
        assert row["reason"] == "135 weeks with all factors are fewer than the 156 needed"


def test_a_factor_that_is_known_once_a_month_makes_betas_monthly(in_memory: Build, world: World) -> None:
    header, *lines = world.csv().splitlines()
    place = header.split(",").index("credit")
    cells = [line.split(",") for line in lines]
    for each, after in zip(cells, [*cells[1:], cells[-1]], strict=True):
        if each[0][:7] == after[0][:7]:
            each[place] = ""
    run, model = in_memory("\n".join([header, *(",".join(each) for each in cells)]) + "\n", world.returns)
    rows = run.tables["factor_betas"].to_pylist()
    assert {(row["sampling"], row["changes"] == row["months"]) for row in rows} == {("month", True)}
    np.testing.assert_allclose(model.betas[0], [*PLANTED["EXACT"], 0.0], atol=1e-10)


def test_the_covariance_is_that_of_changes_between_month_ends(story: Built, world: World) -> None:
    months = world.dates.astype("datetime64[M]")
    wanted = np.arange(np.datetime64("2015-01"), np.datetime64("2021-01"))
    ends = [np.flatnonzero(months == month)[-1] for month in wanted]
    credit, equity, oil = world.levels[ends].T
    changes = np.column_stack([np.diff(credit), np.diff(np.log(equity)), np.diff(np.log(oil))])
    hole = wanted.tolist().index(date(2018, 3, 1))
    kept = np.delete(changes, [hole - 1, hole], axis=0)
    np.testing.assert_allclose(story.model.covariance[:3, :3], np.cov(kept.T), rtol=1e-9)
    rows = story.run.rows(FACTOR_COVARIANCES).to_pylist()
    assert len(rows) == 16
    held = {(row["factor_id"], row["other_factor_id"]): row for row in rows}
    assert held["credit", "oil"]["covariance"] == story.model.covariance[0, 2]
    assert held["oil", "credit"]["correlation"] == pytest.approx(np.corrcoef(kept.T)[0, 2], rel=1e-9)
    assert held["oil", "oil"]["correlation"] == pytest.approx(1.0)


def test_levels_are_the_last_known_of_each_day(story: Built, world: World) -> None:
    model = story.model
    np.testing.assert_array_equal(model.dates, world.returns.dates)
    np.testing.assert_array_equal(model.levels[:, :2], world.levels[: model.dates.size, :2])
    february = int(np.searchsorted(model.dates, np.datetime64("2018-02-28")))
    in_march = (model.dates >= np.datetime64("2018-03-01")) & (model.dates < np.datetime64("2018-04-01"))
    np.testing.assert_array_equal(model.levels[in_march, 2], world.levels[february, 2])
    assert np.isnan(model.levels[:21, 3]).all()
    assert np.isfinite(model.levels[21:, 3]).all()


def test_volatility_is_in_percent_a_year(story: Built) -> None:
    # Steps of 1 % a day are 15.9 % a year.
    assert np.nanmean(story.model.levels[:, 3]) == pytest.approx(100 * 0.01 * np.sqrt(252), rel=0.05)


def test_levels_after_the_as_of_date_change_nothing(
    build: Callable[..., Built], story: Built, world: World
) -> None:
    other = build(world.csv(beyond=3.0), world.returns).model
    for name in ("dates", "levels", "covariance", "betas", "specific_volatility"):
        np.testing.assert_array_equal(getattr(other, name), getattr(story.model, name))


def test_batches_change_no_bit(in_memory: Build, story: Built, world: World) -> None:
    returns = world.returns
    many = tuple(f"{name}{number:02}" for name in returns.instruments for number in range(40))
    wide = Panel(returns.dates, many, np.repeat(returns.values, 40, axis=1))
    _, model = in_memory(world.csv(), wide)
    np.testing.assert_array_equal(model.betas, np.repeat(story.model.betas, 40, axis=0))
