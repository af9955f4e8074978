"""The arithmetic by which choices of the risk model are measured: scores, errors, estimators."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from acceleray.quant.copula import t_copula
from acceleray.quant.correlation import fit_copula_nu
from acceleray.quant.evaluation import newey_west_p
from acceleray.quant.factor_model import regress
from choices_betas import MONTHLY, WEEKLY, Data, explained, least_squares, period_changes, period_of
from choices_dependence import Residuals, Task, listed_later, ranks_within, residuals_around, simulated
from choices_dependence_estimators import (
    FILLED_PEARSON,
    FILLED_SCORES,
    degrees_of_freedom,
    estimated,
    kendall,
    pair_by_pair,
    pearson,
    positive_definite,
)
from choices_recalibration import Forecasts, compared
from choices_scores import difference, fissler_ziegel, quantile_loss, three_measures
from render import ROOT

DRAWS = np.random.default_rng(7)


def test_the_joint_loss_is_least_for_the_true_value_at_risk_and_shortfall_of_a_normal_loss() -> None:
    losses = np.random.default_rng(1).normal(size=400_000)
    var, shortfall = norm.ppf(0.975), norm.pdf(norm.ppf(0.975)) / 0.025

    def loss(v: float, e: float) -> float:
        return float(fissler_ziegel(losses, np.full(losses.size, v), np.full(losses.size, e), 0.975).mean())

    # At the truth the loss is ln ES: the other terms cancel, because 1{x >= V} x averages (1 - c) ES.
    assert loss(var, shortfall) == pytest.approx(math.log(shortfall), abs=0.01)
    others = [(var + a, shortfall + b) for a in (-0.15, 0.0, 0.15) for b in (-0.15, 0.0, 0.15) if a or b]
    assert all(loss(v, e) > loss(var, shortfall) for v, e in others)


def test_the_joint_loss_is_the_papers_with_signs_turned() -> None:
    # Patton, Ziegel & Chen 2019, equation 6, for a return y with v = -2, e = -2.5 and alpha = 2.5 %.
    for y in (-3.0, -1.0):
        v, e, alpha = -2.0, -2.5, 0.025
        paper = -(y <= v) * (v - y) / (alpha * e) + v / e + math.log(-e) - 1.0
        found = fissler_ziegel(np.array([-y]), np.array([-v]), np.array([-e]), 1.0 - alpha)
        assert found[0] == pytest.approx(paper)


def test_the_quantile_loss_weighs_a_loss_beyond_by_the_confidence_and_one_within_by_the_rest() -> None:
    found = quantile_loss(np.array([5.0, 1.0]), np.array([3.0, 3.0]), 0.99)
    np.testing.assert_allclose(found, [0.99 * 2.0, 0.01 * 2.0])


def test_an_interval_leaves_zero_out_exactly_where_the_p_value_is_below_its_level() -> None:
    gains = DRAWS.normal(size=900)
    seen = set()
    for shift in np.linspace(-0.2, 0.2, 41):
        found = difference(gains + shift)
        assert (found.better or found.worse) == (found.p < 0.05)
        assert found.mean == pytest.approx((found.low + found.high) / 2.0)
        seen.add((found.better, found.worse))
    assert seen == {(True, False), (False, False), (False, True)}
    assert math.isnan(newey_west_p(math.nan, 900, 39, 1))


def test_an_interval_of_independent_and_of_dependent_gains_misses_the_truth_about_one_time_in_twenty() -> (
    None
):
    generator = np.random.default_rng(3)
    for reach in (1, 5):
        draws = generator.normal(size=(600, 1500 + reach - 1))
        means = np.lib.stride_tricks.sliding_window_view(draws, reach, axis=1).mean(axis=2)
        missed = np.mean([not one.low <= 0.0 <= one.high for one in map(difference, means)])
        assert 0.03 <= missed <= 0.08


def test_kendalls_tau_of_normal_and_of_heavy_tailed_pairs_gives_back_their_correlation() -> None:
    root = np.linalg.cholesky(np.array([[1.0, 0.6], [0.6, 1.0]]))
    normal = DRAWS.normal(size=(20_000, 2)) @ root.T
    heavy = normal / np.sqrt(DRAWS.chisquare(3, size=(20_000, 1)) / 3.0)
    assert kendall(*normal.T) == pytest.approx(0.6, abs=0.015)
    assert kendall(*heavy.T) == pytest.approx(0.6, abs=0.02)
    assert kendall(np.arange(9.0), -np.arange(9.0)) == pytest.approx(-1.0)


def test_a_pair_is_estimated_on_the_days_on_which_both_are_observed() -> None:
    residuals = DRAWS.normal(size=(300, 3)) + DRAWS.normal(size=(300, 1))
    gapped = residuals.copy()
    gapped[:200, 2] = np.nan
    found = pair_by_pair(gapped, pearson)
    assert found[0, 1] == pytest.approx(np.corrcoef(residuals[:, 0], residuals[:, 1])[0, 1])
    assert (
        found[0, 2] == found[2, 0] == pytest.approx(np.corrcoef(residuals[200:, 0], residuals[200:, 2])[0, 1])
    )


def test_a_matrix_of_pairs_that_no_days_can_have_becomes_the_nearby_correlation() -> None:
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    found = positive_definite(impossible)
    assert np.linalg.eigvalsh(impossible)[0] < -0.7
    assert np.linalg.eigvalsh(found)[0] > 0.0
    np.testing.assert_allclose(np.diag(found), 1.0)
    # Rebonato and Jaeckel's method leaves this matrix, whose eigenvalues are 1.9, 1.9 and -0.8, with halves.
    np.testing.assert_allclose(found[np.triu_indices(3, 1)], [0.5, -0.5, 0.5], atol=1e-5)
    possible = np.array([[1.0, 0.3], [0.3, 1.0]])
    assert positive_definite(possible) is possible


def test_degrees_of_freedom_without_gaps_are_those_of_the_engine_and_with_gaps_near_the_truth() -> None:
    root = np.linalg.cholesky(np.full((6, 6), 0.4) + 0.6 * np.eye(6))
    drawn = DRAWS.normal(size=(1500, 6)) @ root.T / np.sqrt(DRAWS.chisquare(5, size=(1500, 1)) / 5.0)
    correlation = root @ root.T
    assert degrees_of_freedom(drawn, correlation) == pytest.approx(fit_copula_nu(drawn, correlation).nu)
    assert degrees_of_freedom(listed_later(drawn), correlation) == pytest.approx(5.0, abs=1.0)


def test_normal_scores_find_the_correlation_that_the_shape_of_the_margins_hides_from_pearson() -> None:
    root = np.linalg.cholesky(np.full((4, 4), 0.5) + 0.5 * np.eye(4))
    wild = np.sinh(1.5 * DRAWS.normal(size=(4000, 4)) @ root.T)
    upper = np.triu_indices(4, 1)
    scores, _ = estimated(FILLED_SCORES, wild, wild)
    assert scores[upper].mean() == pytest.approx(0.5, abs=0.02)
    assert estimated(FILLED_PEARSON, wild, wild)[0][upper].mean() < 0.4


def test_residuals_before_a_task_and_its_first_forecast_know_nothing_of_its_days() -> None:
    returns = 0.01 * np.random.default_rng(11).standard_t(6, size=(900, 3))
    known = residuals_around(Task(800, 900, returns))
    moved = returns.copy()
    moved[800:] *= 9.0
    other = residuals_around(Task(800, 900, moved))
    np.testing.assert_array_equal(known.past, other.past)
    np.testing.assert_array_equal(known.sigma[0], other.sigma[0])
    assert (known.sigma[2:] <= other.sigma[2:]).all()
    assert (known.sigma[2:] < other.sigma[2:]).any()
    np.testing.assert_allclose(known.coming * known.sigma + known.means, returns[800:])


def test_the_simulated_portfolio_of_independent_nearly_normal_names_has_a_normal_value_at_risk() -> None:
    one, many = np.ones((2, 4)), np.full(4, 400.0)
    sigma = np.array([[0.01] * 4, [0.02] * 4])
    residuals = Residuals(one, one, sigma, one, np.full(4, 0.001), many)
    found = simulated(residuals, t_copula(np.eye(4), 100.0, many))
    expected = sigma[:, :1] / 2.0 * np.array([2.326, 1.960, 2.338]) - 0.001
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_a_third_of_the_names_is_listed_later_each_from_another_day_and_the_rest_is_as_it_was() -> None:
    residuals = DRAWS.normal(size=(1000, 7))
    later = listed_later(residuals)
    known = np.isfinite(later)
    assert known.sum(axis=0).tolist() == [250, 1000, 1000, 500, 1000, 1000, 750]
    assert (np.diff(known.astype(int), axis=0) >= 0).all()
    np.testing.assert_array_equal(later[known], residuals[known])
    assert np.isfinite(residuals).all()


def test_a_coming_residual_is_ranked_among_the_observed_past_alone() -> None:
    past = np.array([[np.nan, 1.0], [2.0, 2.0], [1.0, 3.0]])
    found = ranks_within(past, np.array([[1.5, 2.0], [9.0, -9.0]]))
    np.testing.assert_allclose(found, [[1.5 / 3.0, 2.0 / 4.0], [2.5 / 3.0, 0.5 / 4.0]])


def test_forecasts_take_the_interpolated_rank() -> None:
    losses = DRAWS.normal(size=2000)
    expected = np.quantile(losses, [0.99, 0.975], method="weibull")
    found = three_measures(losses, 0.99)
    np.testing.assert_allclose(found[:2], expected)
    assert found[2] > found[1]


def test_schedules_are_compared_on_days_on_which_both_hold_the_same_names() -> None:
    days = 400
    losses = DRAWS.normal(size=(days, 3))
    good = np.tile(np.array([2.326, 1.96, 2.338]), (days, 3, 1))
    held = np.ones((days, 2), dtype=bool)
    fewer = held.copy()
    fewer[:50, 1] = False
    lines = compared(Forecasts(losses, good, fewer), Forecasts(losses, 1.5 * good, held))
    assert lines[0].startswith("350 days")
    decides = next(line for line in lines if "decides" in line)
    # The second says half as much risk again as there is, so its loss is larger and the gain negative.
    assert "gain -" in decides
    assert decides.endswith("350 days")


def planted(kind: str) -> tuple[Data, NDArray[np.float64]]:
    """Return twenty years of forty names on weekdays whose betas hold in months alone, or in all periods."""
    generator = np.random.default_rng(5)
    dates = np.arange(np.datetime64("1990-01-01"), np.datetime64("2010-01-01"))
    dates = dates[np.is_busday(dates)]
    betas = np.linspace(0.5, 1.5, 40)
    moves = 0.01 * generator.normal(size=dates.size)
    returns = moves[:, None] * betas + 0.03 * generator.normal(size=(dates.size, 40))
    if kind == MONTHLY:
        # What the index does in a week is in the prices of the next one: weeks see no beta, months do.
        returns[5:] = returns[:-5].copy()
    return Data(dates, returns.cumsum(axis=0), {"equity": moves.cumsum()}), betas


def test_weeks_win_where_betas_are_the_same_in_weeks_and_lose_where_prices_lag_by_a_week() -> None:
    data, betas = planted(WEEKLY)
    found = explained(data, ("equity",), None)
    assert found.weekly > found.monthly > 0.05
    assert found.gain.better
    assert found.mean_betas[1] == pytest.approx(betas.mean(), abs=0.05)
    lagging, _ = planted(MONTHLY)
    assert explained(lagging, ("equity",), None).gain.mean < 0.0


def test_nothing_of_the_year_that_is_judged_is_in_its_betas() -> None:
    data, _ = planted(WEEKLY)
    last = data.dates >= np.datetime64("2009-01-01")
    turned = data.instruments.copy()
    turned[last] = turned[last][:, ::-1]
    found = explained(Data(data.dates, turned, data.factors), ("equity",), None)
    assert found.mean_betas == explained(data, ("equity",), None).mean_betas


def test_a_week_ends_on_friday_and_a_change_on_the_last_day_there_is() -> None:
    days = np.array(
        ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-09", "2020-01-13"], dtype="datetime64[D]"
    )
    weeks = period_of(days, WEEKLY)
    assert np.diff(weeks).tolist() == [0, 1, 0, 1]
    rows, changes = period_changes(weeks, np.array([1.0, 2.0, 5.0, 7.0, 8.0]))
    assert (rows.tolist(), changes.tolist()) == ([3, 4], [5.0, 1.0])
    assert np.diff(period_of(np.array(["2019-12-31", "2020-01-01"], dtype="datetime64[D]"), MONTHLY)) == [1]


def test_slopes_are_those_of_the_engines_regression() -> None:
    changes = DRAWS.normal(size=(60, 2))
    returns = 0.3 + changes @ np.array([[0.5], [-0.2]]) + 0.1 * DRAWS.normal(size=(60, 1))
    expected = regress(returns[:, 0], changes, 24).betas
    np.testing.assert_allclose(least_squares(returns, changes)[:, 0], expected)


@pytest.mark.parametrize("choice", ["recalibration", "dependence", "betas", "all"])
def test_each_choice_has_help(choice: str) -> None:
    command = [sys.executable, str(ROOT / "scripts/choices.py"), choice, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: choices.py " + choice)
