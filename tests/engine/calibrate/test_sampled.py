"""Weeks and months tell the same volatility of what factors do not explain."""

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from calibrate.factor_levels import Build, World


def test_specific_volatility_is_that_of_a_month_whatever_the_period(in_memory: Build, world: World) -> None:
    generator = np.random.default_rng(3)
    own = world.returns.values[:, :1] + generator.normal(0.0, 0.01, (len(world.returns.dates), 1))
    run, model = in_memory(world.csv(), Panel(world.returns.dates, ("NOISY",), own))
    assert run.tables["factor_betas"]["sampling"].to_pylist() == ["week"] * len(model.factors)
    # A hundredth a day, and about 21.7 weekdays a month.
    assert model.specific_volatility[0] == pytest.approx(0.01 * np.sqrt(5 * 365.25 / 12 / 7), rel=0.06)
