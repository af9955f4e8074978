"""The gate: three parts, each of which refuses by itself, and one level for all tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.backtest import verdict
from acceleray.quant.risk import gaussian_expected_shortfall
from acceleray.stages.backtest.gate import RecordTests, decide
from acceleray.stages.backtest.judging import Judged
from acceleray.stages.backtest.records import HEADLINE
from judging import TERMS, verdicts_of

RIGHT = np.array([2.3263, 1.9600, float(gaussian_expected_shortfall(1.0, 0.975))])
CALM = RecordTests(
    coverage_p=0.5,
    dynamic_quantile=3.0,
    dynamic_quantile_p=0.5,
    z2=0.0,
    z2_recent=0.0,
    z2_critical=-0.2,
    z2_p=0.5,
    residual=0.0,
    residual_p=0.5,
    bootstrap_p=0.5,
    rate=(0.7, 1.4),
)


def scattered(count: int, days: int) -> NDArray[np.bool_]:
    hits = np.zeros(days, dtype=bool)
    hits[np.linspace(5, days - 600, count).astype(int)] = True
    return hits


def headline(losses: NDArray[np.float64], factors: tuple[float, float, float]) -> Judged:
    """Return the verdict on normal losses forecast with var, threshold and shortfall times factors."""
    made = np.repeat((RIGHT * np.array(factors))[:, np.newaxis], losses.size, axis=1)
    return verdicts_of(losses, np.stack([made] * 4))[HEADLINE]


@pytest.fixture(scope="module")
def losses() -> NDArray[np.float64]:
    return np.random.default_rng(5).standard_normal(4000)


def test_forecasts_that_are_right_are_promoted_with_what_was_found(losses: NDArray[np.float64]) -> None:
    found = headline(losses, (1.0, 1.0, 1.0))
    assert (found.passed, found.decision) == (True, "promoted")
    assert "agree with the 40.0 expected" in found.reason
    assert abs(found.z2) < 0.3
    assert found.tests.z2_critical < found.z2


def test_half_as_large_ones_are_refused_by_every_part(losses: NDArray[np.float64]) -> None:
    found = headline(losses, (0.5, 0.5, 0.5))
    assert (found.passed, found.decision) == (False, "not promoted")
    for part in ("red zone", "does not overlap 0.8 to 1.25", "coverage is rejected", "Z2"):
        assert part in found.reason


def test_a_shortfall_that_is_too_small_is_refused_although_value_at_risk_is_right(
    losses: NDArray[np.float64],
) -> None:
    # The gate of before looked at value-at-risk alone, and promoted a model with a Z2 of -2.
    found = headline(losses, (1.0, 1.0, 0.8))
    assert found.verdict.passed
    assert not found.passed
    assert "expected shortfall is too small" in found.reason
    assert "exceed the expected shortfall" in found.reason


def test_the_simpler_models_are_judged_alike_and_stay_benchmarks(losses: NDArray[np.float64]) -> None:
    made = np.repeat(RIGHT[:, np.newaxis], losses.size, axis=1)
    found = verdicts_of(losses, np.stack([0.5 * made] * 3 + [made]))
    assert {each.decision for model, each in found.items() if model != HEADLINE} == {"benchmark"}
    assert [each.passed for each in found.values()] == [False, False, False, True]
    # The law of a model without a window knows its quantile; the others estimate it.
    assert [each.law.window for each in found.values()] == [2000, 0, 2000, 2000]


def test_a_red_zone_refuses_and_a_yellow_one_is_said() -> None:
    recent = scattered(10, 3000)
    recent[-250:-150:10] = True
    passed, reason = decide(verdict(recent, 0.99), CALM, TERMS)
    assert not passed
    assert "red zone: 10 exceptions in the last 250 days" in reason
    yellow = scattered(20, 3000)
    yellow[-250:-190:10] = True
    passed, reason = decide(verdict(yellow, 0.99), CALM, TERMS)
    assert passed
    assert "yellow zone: 6 exceptions in the last 250 days" in reason


def test_a_rate_that_cannot_lie_in_the_tolerance_refuses_and_one_that_can_does_not() -> None:
    found = verdict(scattered(30, 3000), 0.99)
    assert decide(found, replace(CALM, rate=(1.26, 2.0)), TERMS)[0] is False
    assert decide(found, replace(CALM, rate=(0.3, 0.79)), TERMS)[0] is False
    assert decide(found, replace(CALM, rate=(1.24, 2.0)), TERMS)[0] is True
    assert decide(found, replace(CALM, rate=(0.3, 0.81)), TERMS)[0] is True


def test_all_tests_share_one_level() -> None:
    found = verdict(scattered(30, 3000), 0.99)
    # A p-value of 0.03 alone would reject; beside three others it is no surprise.
    assert decide(found, replace(CALM, z2_p=0.03), TERMS)[0] is True
    passed, reason = decide(found, replace(CALM, z2_p=0.012), TERMS)
    assert not passed
    assert "p 0.048 after Holm" in reason
    # What cannot be tested takes no part of the level.
    fewer = replace(CALM, z2_p=0.016, residual_p=np.nan)
    assert decide(found, fewer, TERMS)[0] is False


def test_too_few_days_are_not_a_pass_even_without_exceptions() -> None:
    short = verdict(np.zeros(249, dtype=bool), 0.99)
    assert decide(short, CALM, TERMS) == (
        False,
        "249 out-of-sample days are too few to test; 250 are needed",
    )
    assert decide(verdict(scattered(2, 250 + 600)[:250], 0.99), CALM, TERMS)[0]


def test_one_exception_is_no_plural() -> None:
    once = np.arange(250) == 100
    passed, reason = decide(verdict(once, 0.99), CALM, TERMS)
    assert passed
    assert reason.startswith("1 exception in 250 days agrees with the 2.5 expected (rate ")
    passed, reason = decide(verdict(once, 0.99), replace(CALM, rate=(0.3, 0.79)), TERMS)
    assert not passed
    assert reason.startswith("1 exception in 250 days is fewer than the 2.5 expected: ")


@pytest.mark.parametrize("days", [2, 5, 12, 13, 40])
def test_a_record_of_some_days_is_too_short_and_never_a_traceback(days: int) -> None:
    found = headline(np.random.default_rng(9).standard_normal(days), (1.0, 1.0, 1.0))
    assert found.reason == f"{days} out-of-sample days are too few to test; 250 are needed"
