"""The gate: what a calibration must reach, and what it says when it does not."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.quant.garch import GjrFit, fit_gjr_garch_t, rejected
from acceleray.settings.sections import Calibration
from acceleray.stages.calibrate.fits import fit_instrument
from acceleray.stages.calibrate.gate import judge
from acceleray.stages.calibrate.stage import volatility_drift
from portfolio import PROJECT

NAMES = ("A", "B", "C", "D")
LIMITS = Calibration()


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    return 0.01 * np.random.default_rng(8).standard_t(6, (1200, 4))


@pytest.fixture(scope="module")
def fits(returns: NDArray[np.float64]) -> list[GjrFit]:
    found = [fit_instrument(name, returns, 500, 10) for name in range(4)]
    assert all(fit.status == "calibrated" for fit in found)
    return [replace(fit, at_bound="") for fit in found]


def none() -> NDArray[np.float64]:
    return np.full(4, np.nan)


def test_a_sound_calibration_passes_without_an_earlier_one(fits: list[GjrFit]) -> None:
    gate = judge(NAMES, fits, none(), LIMITS)
    assert gate.passed
    assert "no earlier calibration" in gate.reason
    gate.require()


def test_no_workload_simulates_before_it_has_asked_the_gate() -> None:
    for name in PROJECT.workload_names():
        recipe = inspect.getsource(PROJECT.workload(name).run)
        if "simulate(" in recipe:
            calibrated, asked, simulated = map(recipe.index, (" calibrate(", ".gate.require()", " simulate("))
            assert calibrated < asked < simulated, name


def test_series_that_could_not_be_fitted_fail_the_gate_and_are_named(fits: list[GjrFit]) -> None:
    broken = replace(fits[1], status="failed", parameters=None)
    gate = judge(NAMES, [fits[0], broken, *fits[2:]], none(), LIMITS)
    assert not gate.passed
    with pytest.raises(PortfolioError, match=r"3 of 4 fits converged.*90 % needed.*: B"):
        gate.require()


def test_a_history_too_short_to_be_tried_is_no_failure(fits: list[GjrFit]) -> None:
    assert judge(NAMES, [*fits[:3], rejected("too short", 10)], none(), LIMITS).passed


def test_too_many_parameters_at_a_bound_fail_the_gate(fits: list[GjrFit]) -> None:
    bound = [replace(fit, at_bound="persistence") for fit in fits[:3]]
    gate = judge(NAMES, [*bound, fits[3]], none(), LIMITS)
    assert [check.name for check in gate.checks if not check.passed] == ["at_bound"]
    assert "A (persistence)" in gate.reason
    assert judge(NAMES, [*bound[:2], *fits[2:]], none(), LIMITS).passed


def test_a_variance_that_reacts_to_losses_alone_is_no_bad_fit(fits: list[GjrFit]) -> None:
    # Stock indices: alpha is zero, gamma is not.
    assert judge(NAMES, [replace(fit, at_bound="alpha") for fit in fits], none(), LIMITS).passed
    both = [replace(fit, at_bound="alpha,persistence") for fit in fits]
    assert not judge(NAMES, both, none(), LIMITS).passed


def test_drift_in_either_direction_fails_the_gate_with_the_largest_first(fits: list[GjrFit]) -> None:
    drift = np.array([0.26, -0.40, 0.24, np.nan])
    gate = judge(NAMES, fits, drift, LIMITS)
    assert [check.name for check in gate.checks if not check.passed] == ["drifted"]
    assert "2 of 3 volatility forecasts moved" in gate.reason
    assert gate.reason.index("B (0.67)") < gate.reason.index("A (1.30)")


def test_drift_compares_both_parameter_sets_on_the_same_returns(
    returns: NDArray[np.float64], fits: list[GjrFit]
) -> None:
    np.testing.assert_allclose(volatility_drift(returns, fits, fits), 0.0, atol=1e-12)
    # Twice the returns: a model of twice the volatility, so it forecasts twice as much on the same returns.
    doubled = [fit_gjr_garch_t(2.0 * returns[:, name], 500) for name in range(4)]
    drift = volatility_drift(returns, fits, doubled)
    assert (drift < -0.05).all()
    assert np.isnan(volatility_drift(returns, fits, [])).all()
