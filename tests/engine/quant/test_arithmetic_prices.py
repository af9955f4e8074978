"""Prices that may be zero or negative: a position loses the whole change, nothing compounds."""

from __future__ import annotations

import numpy as np
import pytest

from acceleray.quant import forecasts
from acceleray.quant.cash_like import cash_like_so_far
from acceleray.quant.garch import GjrFit, GjrParameters
from acceleray.quant.months import monthly_log_returns, months_between
from acceleray.quant.price_findings.arithmetic import declared_only
from acceleray.quant.price_findings.finding import Series
from acceleray.quant.price_findings.judging import digest_of, judge_series, lead_lag_grid
from acceleray.quant.scenarios import (
    compounded_returns,
    draw_days,
    filtered_historical_returns,
    stack_parameters,
)
from acceleray.quant.spans import forward, spans
from acceleray.quant.stress import as_logs, compounded, from_logs, split
from quant.finding_helpers import market_of_all, series_of

# Settlements of the May contract of West Texas Intermediate, and of June once it had expired.
DAYS = np.array(["2020-04-16", "2020-04-17", "2020-04-20", "2020-04-21", "2020-04-22"], dtype="datetime64[D]")
OIL = np.array([19.87, 18.27, -37.63, 10.01, 13.78])
LEVEL = 100.0
MASK = np.array([True, False])


def test_a_position_in_oil_loses_the_full_change_and_earns_it_back() -> None:
    found = spans(DAYS, DAYS, OIL, 10, LEVEL)
    np.testing.assert_allclose(found.simple[1:], np.diff(OIL) / LEVEL, rtol=1e-15)
    assert found.simple[2] == pytest.approx(-0.5590)
    two = forward(DAYS, DAYS, OIL, 2, LEVEL)
    np.testing.assert_allclose(two[:3], found.simple[1:4] + np.append(found.simple[2:4], found.simple[4]))


def test_a_missing_day_loses_no_change() -> None:
    kept = np.array([0, 1, 3, 4])
    found = spans(DAYS, DAYS[kept], OIL[kept], 10, LEVEL)
    assert found.simple[1:].sum() == pytest.approx((OIL[-1] - OIL[0]) / LEVEL)
    assert found.span_d.tolist() == [1, 1, 0, 2, 1]


def test_only_a_declared_price_may_fall_to_zero_or_below() -> None:
    market = market_of_all([series_of("A", DAYS, np.array([5.0, 5.1, 5.2, 5.1, 5.0]))])
    undeclared = series_of("WTI", DAYS, OIL)
    assert [one.kind for one in judge_series(undeclared, market, 10)] == ["not_positive"]
    declared = Series("WTI", DAYS, OIL, OIL, DAYS[:0], level=LEVEL)
    (one,) = judge_series(declared, market, 10)
    assert (one.kind, one.severity, one.count) == ("arithmetic", "info", 1)
    assert "100 is a return of 1" in one.text
    assert "the lowest -37.63 on 2020-04-20; the largest change is -55.9 on 2020-04-20" in one.text
    assert one.value == pytest.approx(-0.559)
    assert digest_of(declared, lead_lag_grid(market), True) is None


def test_a_name_that_is_declared_and_not_delivered_is_said() -> None:
    one = declared_only("TYPO", DAYS[0])
    assert (one.severity, one.instrument) == ("warning", "TYPO")
    assert "has no prices" in one.text


def test_cash_is_told_by_changes_over_the_level() -> None:
    assert cash_like_so_far(np.array([0.0, 0.01, 0.0, -0.01]), LEVEL).all()
    assert not cash_like_so_far(OIL, LEVEL)[2:].any()


def test_a_replay_adds_arithmetic_returns_and_compounds_the_others() -> None:
    daily = np.column_stack([np.diff(OIL) / LEVEL, [0.1, np.nan, -0.1, 0.1]])
    simple, missing = compounded(daily, MASK)
    np.testing.assert_allclose(simple, [(OIL[-1] - OIL[0]) / LEVEL, 1.1 * 0.9 * 1.1 - 1.0], rtol=1e-12)
    assert missing.tolist() == [0.0, 0.25]


def test_a_change_below_all_of_the_level_has_parts_that_add_up() -> None:
    simple, explained = np.array([-1.4, -0.4]), np.array([-0.3, -0.3])
    parts = split(simple, explained, MASK)
    np.testing.assert_allclose(np.sum(parts, axis=0), simple, rtol=1e-12)
    assert parts[2][0] == 0.0
    np.testing.assert_allclose(from_logs(as_logs(simple, MASK), MASK), simple, rtol=1e-12)
    assert from_logs(np.array([-2.0, -2.0]), MASK)[0] == -2.0


def test_a_month_of_arithmetic_returns_is_their_sum() -> None:
    days = np.arange("2020-03-02", "2020-05-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    daily = np.full((days.size, 2), 0.01)
    daily[np.flatnonzero(days == np.datetime64("2020-04-20")), 0] = -1.559
    found = monthly_log_returns(days, daily, months_between(days[0], days[-1]), MASK)
    count = int(np.sum(days >= np.datetime64("2020-04-01")))
    np.testing.assert_allclose(found[1], [0.01 * (count - 1) - 1.559, count * np.log(1.01)], rtol=1e-12)


def test_simulated_changes_add_up_and_may_lose_more_than_everything() -> None:
    still = GjrParameters(mu=0.0, omega=0.0, alpha=0.0, gamma=0.0, beta=1.0, nu=8.0)
    residuals = np.array([[-6.0, -6.0], [1.0, 1.0]])
    sigma = np.array([0.25, 0.25])
    days = draw_days(3, 0, 400, 3, 2)
    parameters = stack_parameters([still] * 2, MASK)
    found = filtered_historical_returns(days, residuals, parameters, sigma)
    daily = 0.25 * residuals[days][:, :, 0]
    np.testing.assert_allclose(found[:, 0], daily.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], np.prod(np.maximum(1.0 + daily, 0.0), axis=1) - 1.0, atol=1e-12)
    assert found[:, 0].min() < -1.0 <= found[:, 1].min()
    np.testing.assert_array_equal(compounded_returns(residuals[days], parameters, sigma), found)


def test_a_forecast_replays_a_loss_of_more_than_everything() -> None:
    returns = np.random.default_rng(1).standard_normal((400, 2)) * 0.2
    returns[::20] = -1.5
    still = GjrParameters(mu=0.0, omega=0.04, alpha=0.0, gamma=0.0, beta=0.0, nu=8.0)
    fit = GjrFit("calibrated", "", 350, still, None, 0.0, True, "", 0.04, 0.2)

    def var(asset: int) -> float:
        weights = np.eye(2)[asset]
        found = forecasts.filtered_historical_calibrated(
            returns, weights, 390, 395, [fit, fit], arithmetic=MASK
        )
        return float(found[0])

    assert var(0) == pytest.approx(1.5)
    assert var(1) == 1.0
