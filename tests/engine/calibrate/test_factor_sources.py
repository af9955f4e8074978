"""Where a factor comes from: received, derived from the instruments, or a mean of its month."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from acceleray.settings import Settings
from acceleray.stages.calibrate.factor_model import Series, build_factor_model, with_derived
from acceleray.stages.ingest.factors import ingest_factors
from calibrate.factor_levels import PLANTED, Build, Memory, World, calibration


def test_without_data_equity_is_the_index_of_the_instruments(in_memory: Build, world: World) -> None:
    run, model = in_memory("", world.returns)
    assert model.factors == ("equity", "volatility")
    assert model.origin[0] == "equal-weight mean of the instruments"
    assert "equal-weight mean" in model.origin[1]
    means = np.nanmean(world.returns.values, axis=1)
    np.testing.assert_allclose(model.levels[:, 0], 100.0 * np.cumprod(1.0 + means), rtol=1e-12)
    assert np.isfinite(model.betas[:2]).all()
    assert run.said == []


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


def test_received_factors_are_not_derived_again(world: World) -> None:
    dates = world.dates[:100]
    received = {
        "equity": Series(dates, world.levels[:100, 1], "a"),
        "volatility": Series(dates, world.levels[:100, 2], "b"),
    }
    assert with_derived(received, world.returns) == received
    derived = with_derived({}, replace(world.returns, values=np.zeros_like(world.returns.values)))
    assert set(derived) == {"equity"}, "prices that never move have no volatility"
