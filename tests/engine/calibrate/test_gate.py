"""The gate: what a calibration must reach, and what it says when it does not."""

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.extend import GateRule
from acceleray.quant.garch import GjrFit, fit_gjr_garch_t, rejected
from acceleray.runtime.extensions import gate_rules
from acceleray.settings.sections import Calibration
from acceleray.stages.calibrate.fits import fit_instrument
from acceleray.stages.calibrate.gate import Evidence, judge
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
    gate = judge(Evidence(NAMES, fits, none()), LIMITS)
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
    gate = judge(Evidence(NAMES, [fits[0], broken, *fits[2:]], none()), LIMITS)
    assert not gate.passed
    with pytest.raises(PortfolioError, match=r"3 of 4 fits converged.*90 % needed.*: B"):
        gate.require()


def test_a_history_too_short_to_be_tried_is_no_failure(fits: list[GjrFit]) -> None:
    assert judge(Evidence(NAMES, [*fits[:3], rejected("too short", 10)], none()), LIMITS).passed


def test_too_many_parameters_at_a_bound_fail_the_gate(fits: list[GjrFit]) -> None:
    bound = [replace(fit, at_bound="persistence") for fit in fits[:3]]
    gate = judge(Evidence(NAMES, [*bound, fits[3]], none()), LIMITS)
    assert [check.name for check in gate.checks if not check.passed] == ["at_bound"]
    assert "A (persistence)" in gate.reason
    assert judge(Evidence(NAMES, [*bound[:2], *fits[2:]], none()), LIMITS).passed


def test_a_variance_that_reacts_to_losses_alone_is_no_bad_fit(fits: list[GjrFit]) -> None:
    # Stock indices: alpha is zero, gamma is not.
    assert judge(Evidence(NAMES, [replace(fit, at_bound="alpha") for fit in fits], none()), LIMITS).passed
    both = [replace(fit, at_bound="alpha,persistence") for fit in fits]
    assert not judge(Evidence(NAMES, both, none()), LIMITS).passed


def test_drift_in_either_direction_fails_the_gate_with_the_largest_first(fits: list[GjrFit]) -> None:
    drift = np.array([0.26, -0.40, 0.24, np.nan])
    gate = judge(Evidence(NAMES, fits, drift), LIMITS)
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


def fat_tails(found: Evidence) -> str | None:
    thin = [name for name, fit in zip(found.instruments, found.fits, strict=True) if fit.parameters.nu > 50]
    return f"{', '.join(thin)} have tails like a normal distribution" if thin else None


RULE = GateRule("fat_tails", "calibration", fat_tails, "every instrument has fat tails")


def test_a_rule_of_the_project_stands_in_the_gate_like_a_check(fits: list[GjrFit]) -> None:
    passed = judge(Evidence(NAMES, fits, none()), LIMITS, [RULE])
    assert passed.passed
    row = passed.table().to_pylist()[-1]
    assert row == {
        "check_name": "fat_tails",
        "share": 0.0,
        "limit": 0.0,
        "passed": True,
        "reason": "every instrument has fat tails: yes",
    }
    thin = replace(fits[2], parameters=replace(fits[2].parameters, nu=80.0))
    failed = judge(Evidence(NAMES, [*fits[:2], thin, fits[3]], none()), LIMITS, [RULE])
    assert not failed.passed
    assert failed.reason == "C have tails like a normal distribution"
    assert failed.table().to_pylist()[-1]["share"] == 1.0
    with pytest.raises(PortfolioError, match=r"did not pass its gate, .*: C have tails like a normal"):
        failed.require()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (replace(RULE, name="drifted"), "Gate rule 'drifted' of .* has a name that is taken"),
        (replace(RULE, gate="report"), "has gate='report'; it can be calibration, training"),
        (replace(RULE, refuses=None), "Gate rule 'fat_tails' of .* has no function as refuses"),
        (fat_tails, r"Number 1 of the list in src/portfolio/gates\.py is a function; list objects of"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_by_name(rule: Any, message: str) -> None:
    with pytest.raises(PortfolioError, match=message):
        gate_rules([rule], "src/portfolio/gates.py")
