"""From levels in a file to betas in a table: planted exposures come back, and nothing later is seen."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import rejected
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.calibrate.factor_model import FactorModel, Series, build_factor_model, with_derived
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.ingest.factors import ingest_factors
from acceleray.tables import FACTOR_BETAS, FACTOR_COVARIANCES, PRICE_SERIES, Table

AS_OF = date(2020, 12, 31)
FACTORS = ("credit", "equity", "oil")
# Log return of each instrument for a change of one of each factor; nothing else moves them.
PLANTED = {"EXACT": (-0.03, 1.2, 0.1), "HOLES": (0.02, 0.7, -0.2), "LATE": (0.0, 1.0, 0.0)}
INSTRUMENTS = tuple(PLANTED)


class Serial:
    """Runs tasks one after the other in this process; as from Ray, shared arrays cannot be written to."""

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        **fixed: Any,
    ) -> Iterator[Any]:
        for value in shared:
            value.setflags(write=False)
        for number, task in enumerate(tasks):
            yield function(task, *shared, **fixed)
            done(number + 1)


@dataclass(frozen=True)
class World:
    """Levels of three factors on weekdays from 2015 to a month after the as-of date, and returns up to it."""

    dates: NDArray[np.datetime64]
    levels: NDArray[np.float64]
    returns: Panel

    def csv(self, beyond: float = 1.0) -> str:
        """Return a file of them, oil missing in March 2018; later levels are multiplied by `beyond`."""
        lines = ["date,oil,credit,equity,short"]
        for day, (credit, equity, oil) in zip(self.dates, self.levels, strict=True):
            later = beyond if day > np.datetime64(AS_OF) else 1.0
            hole = np.datetime64("2018-03-01") <= day < np.datetime64("2018-04-01")
            short = repr(float(equity**2)) if day >= np.datetime64("2020-01-01") else ""
            cells = ["" if hole else repr(float(oil * later)), repr(float(credit * later))]
            lines.append(",".join([str(day), *cells, repr(float(equity * later)), short]))
        return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def world() -> World:
    generator = np.random.default_rng(17)
    every = np.arange(np.datetime64("2015-01-01"), np.datetime64("2021-02-01"))
    dates = every[np.is_busday(every)]
    steps = generator.normal(0.0, [0.02, 0.01, 0.02], (dates.size, 3))
    changes = np.cumsum(steps, axis=0)
    levels = np.column_stack(
        [2.0 + changes[:, 0], 100.0 * np.exp(changes[:, 1]), 50.0 * np.exp(changes[:, 2])]
    )
    seen = dates <= np.datetime64(AS_OF)
    values = np.expm1(steps[seen] @ np.array(list(PLANTED.values())).T)
    values[dates[seen] < np.datetime64("2018-06-01"), 2] = np.nan
    for hole in ("2017-05-08", "2019-08-12"):
        first = int(np.searchsorted(dates, np.datetime64(hole)))
        values[first : first + 5, 1] = np.nan
    return World(dates, levels, Panel(dates[seen], INSTRUMENTS, values))


def calibration(returns: Panel) -> Calibration:
    fits = tuple(rejected("not fitted here", 0) for _ in returns.instruments)
    gate: Any = None
    return Calibration(returns, fits, gate)


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


def test_months_with_holes_are_left_out_of_what_they_touch(story: Built) -> None:
    rows = story.run.rows(FACTOR_BETAS).to_pylist()
    # 71 changes from February 2015 to December 2020, less two around the month without oil; HOLES lacks
    # five days in each of two months more, and LATE begins in June 2018.
    assert {row["instrument_id"]: row["months"] for row in rows} == {"EXACT": 69, "HOLES": 67, "LATE": 31}
    assert story.model.months == 69


def test_a_factor_is_left_out_aloud_and_an_instrument_keeps_rows_with_its_reason(story: Built) -> None:
    assert story.said == [
        "    Factor short is left out: in the months with prices it has 11 changes in common with equity, "
        "36 are needed."
    ]
    rows = [row for row in story.run.rows(FACTOR_BETAS).to_pylist() if row["instrument_id"] == "LATE"]
    assert [row["factor_id"] for row in sorted(rows, key=lambda row: row["factor_id"])] == [
        *FACTORS,
        "volatility",
    ]
    for row in rows:
        assert row["beta"] is row["beta_se"] is row["r_squared"] is row["specific_volatility"] is None
        assert row["reason"] == "31 months with all factors are fewer than the 36 needed"


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


class Memory:
    """A run that keeps tables in memory; none of the tests below asks what Spark makes of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.as_of, self.fan_out = settings, AS_OF, Serial()
        self.said: list[str] = []
        self.reporter = SimpleNamespace(say=self.said.append, counter=lambda *known: lambda count: None)
        self.tables: dict[str, pa.Table] = {}

    def commit(self, table: Table, rows: pa.Table) -> None:
        self.tables[table.name] = rows

    def arrow(self, table: Table, columns: tuple[str, ...], where: str = "true") -> pa.Table:
        if table is PRICE_SERIES:
            return pa.table({"instrument_id": ["a stock"], "trades_at_weekends": [False]})
        assert where == f"date <= DATE'{AS_OF}'"
        rows = self.tables[table.name]
        return rows.filter(pc.less_equal(rows["date"], pa.scalar(AS_OF))).select(columns)


@pytest.fixture
def in_memory(settings: Callable[..., Settings], tmp_path: Path) -> Callable[..., tuple[Any, FactorModel]]:
    """Return a function from the content of a file and returns to a run and its factor model."""

    def built(content: str, returns: Panel) -> tuple[Any, FactorModel]:
        (tmp_path / "levels.csv").write_text(content, encoding="utf-8")
        source = "csv" if content else "none"
        run: Any = Memory(settings(f"factors.source={source}", f"factors.path={tmp_path / 'levels.csv'}"))
        ingest_factors(run)
        return run, build_factor_model(run, calibration(returns))

    return built


Build = Callable[..., tuple[Any, FactorModel]]


def test_without_data_equity_is_the_index_of_the_instruments(in_memory: Build, world: World) -> None:
    run, model = in_memory("", world.returns)
    assert model.factors == ("equity", "volatility")
    assert model.origin[0] == "equal-weight mean of the instruments"
    assert "equal-weight mean" in model.origin[1]
    means = np.nanmean(world.returns.values, axis=1)
    np.testing.assert_allclose(model.levels[:, 0], 100.0 * np.cumprod(1.0 + means), rtol=1e-12)
    assert np.isfinite(model.betas[:2]).all()
    assert run.said == []


def test_a_factor_whose_data_ended_before_the_prices_costs_nobody_a_beta(
    in_memory: Build, world: World
) -> None:
    header, *lines = world.csv().splitlines()
    ended = [
        line if line < "2017-06" else ",".join([line.split(",")[0], "", *line.split(",")[2:]])
        for line in lines
    ]
    returns = world.returns
    late = Panel(returns.dates[700:], returns.instruments, returns.values[700:])
    run, model = in_memory("\n".join([header, *ended]), late)
    assert late.dates[0] > np.datetime64("2017-06")
    assert "oil" not in model.factors
    assert any("Factor oil is left out" in line and "0 changes in common" in line for line in run.said)
    assert np.isfinite(model.betas[0]).all()


def ended_in(world: World, factor: str, month: str) -> str:
    """Return the file of the world with a factor that has no level after a month."""
    header, *lines = world.csv().splitlines()
    place = header.split(",").index(factor)
    cells = [line.split(",") for line in lines]
    for each in cells:
        if each[0][:7] > month:
            each[place] = ""
    return "\n".join([header, *(",".join(each) for each in cells)]) + "\n"


def test_a_factor_that_ended_has_a_model_of_the_months_it_shares_and_the_others_all_months(
    in_memory: Build, world: World
) -> None:
    run, model = in_memory(ended_in(world, "oil", "2018-12"), world.returns)
    wide = model.with_ended
    assert wide is not None
    assert (model.factors, model.ended) == (("credit", "equity", "volatility"), ())
    assert (wide.factors, wide.ended) == (("credit", "equity", "oil", "volatility"), ("oil",))
    # February 2015 (the first level is of January) to the as-of, against to December 2018 less March's hole.
    assert (model.first_month, model.last_month, model.months) == (date(2015, 2, 1), date(2020, 12, 1), 71)
    assert (wide.first_month, wide.last_month, wide.months) == (date(2015, 2, 1), date(2018, 12, 1), 45)
    assert [line for line in run.said if "ended" in line] == [
        "    Factor oil ended in 2018-12: scenarios with it are priced on 45 months, 2015-02 to 2018-12; "
        "all others on 71 months, 2015-02 to 2020-12."
    ]
    # With oil among the factors the planted betas come back, from months in which oil exists alone.
    np.testing.assert_allclose(wide.betas[0], [*PLANTED["EXACT"], 0.0], atol=1e-10)
    windows = {
        name: {(row["first_month"], row["last_month"], row["months"]) for row in rows.to_pylist()}
        for name, rows in run.tables.items()
        if "factor_" in name
    }
    assert windows["factor_covariances"] == {(date(2015, 2, 1), date(2020, 12, 1), 71)}
    assert windows["ended_factor_covariances"] == {(date(2015, 2, 1), date(2018, 12, 1), 45)}
    assert (date(2015, 2, 1), date(2018, 12, 1), 45) in windows["ended_factor_betas"]
    assert (date(2015, 2, 1), date(2020, 12, 1), 71) in windows["factor_betas"]


def test_a_factor_of_three_months_ago_has_not_ended(in_memory: Build, world: World) -> None:
    run, model = in_memory(ended_in(world, "oil", "2020-09"), world.returns)
    assert "oil" in model.factors
    assert model.with_ended is None
    assert run.tables["ended_factor_betas"].num_rows == 0
    run, model = in_memory(ended_in(world, "oil", "2020-08"), world.returns)
    assert "oil" not in model.factors
    assert model.widest.ended == ("oil",)


def test_an_equity_factor_that_ended_is_replaced_by_the_mean_of_the_instruments_aloud(
    in_memory: Build, world: World
) -> None:
    run, model = in_memory(ended_in(world, "equity", "2019-06"), world.returns)
    assert model.origin[model.factors.index("equity")] == "equal-weight mean of the instruments"
    assert (
        "    Factor equity ended in 2019-06: the equal-weight mean of the instruments stands in for it."
        in run.said
    )
    assert model.with_ended is None


def test_a_factor_that_is_a_mean_of_its_month_is_measured_against_means(
    settings: Callable[..., Settings], tmp_path: Path, world: World
) -> None:
    header, *lines = world.csv().splitlines()
    place = header.split(",").index("credit")
    cells = [line.split(",") for line in lines]
    for month in {each[0][:7] for each in cells}:
        inside = [each for each in cells if each[0][:7] == month]
        mean = np.mean([float(each[place]) for each in inside])
        for each in inside:
            each[place] = ""
        inside[-1][place] = repr(float(mean))
    content = "\n".join([header, *(",".join(each) for each in cells)])
    (tmp_path / "levels.csv").write_text(content, encoding="utf-8")
    found = {}
    for said in ("[]", "[credit]"):
        known = f"factors.path={tmp_path / 'levels.csv'}", f"factors.monthly_means={said}"
        run: Any = Memory(settings("factors.source=csv", *known))
        ingest_factors(run)
        found[said] = build_factor_model(run, calibration(world.returns))
    aligned = found["[credit]"]
    assert aligned.averaged == (True, False, False, False)
    # Means of what adds up add up: every planted beta comes back, and the scale is that of month ends.
    np.testing.assert_allclose(aligned.betas[0], [*PLANTED["EXACT"], 0.0], atol=1e-8)
    volatility = np.sqrt(np.diag(aligned.covariance))[:3]
    np.testing.assert_allclose(volatility, np.sqrt(21.7) * np.array([0.02, 0.01, 0.02]), rtol=0.25)
    # A mean beside month ends is half a month late: what credit explains of each month is then not found.
    assert aligned.specific_volatility[0] < 1e-9
    assert found["[]"].specific_volatility[0] > 0.001


def test_a_history_too_short_for_equity_gives_a_model_without_factors(in_memory: Build, world: World) -> None:
    returns = world.returns
    run, model = in_memory("", Panel(returns.dates[-400:], returns.instruments, returns.values[-400:]))
    assert model.factors == ()
    assert model.betas.shape == (3, 0)
    assert model.covariance.shape == (0, 0)
    assert model.months == 0
    assert model.levels.shape == (400, 0)
    assert any("Factor equity is left out" in line for line in run.said)
    assert run.tables["factor_betas"].num_rows == 0


def test_batches_change_no_bit(in_memory: Build, story: Built, world: World) -> None:
    returns = world.returns
    many = tuple(f"{name}{number:02}" for name in returns.instruments for number in range(40))
    wide = Panel(returns.dates, many, np.repeat(returns.values, 40, axis=1))
    _, model = in_memory(world.csv(), wide)
    np.testing.assert_array_equal(model.betas, np.repeat(story.model.betas, 40, axis=0))


def test_received_factors_are_not_derived_again(world: World) -> None:
    dates = world.dates[:100]
    received = {
        "equity": Series(dates, world.levels[:100, 1], "a"),
        "volatility": Series(dates, world.levels[:100, 2], "b"),
    }
    assert with_derived(received, world.returns) == received
    derived = with_derived({}, replace(world.returns, values=np.zeros_like(world.returns.values)))
    assert set(derived) == {"equity"}, "prices that never move have no volatility"
