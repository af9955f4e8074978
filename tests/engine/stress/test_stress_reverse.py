from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff.arrays import column
from acceleray.quant.stress import implied_factor_moves, mahalanobis
from acceleray.stages.book.book import Book
from acceleray.stages.stress import reverse
from stress.invented import INSTRUMENTS, book

USABLE = np.array([0, 1, 2])
CORRELATION = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]])
SIGMA = np.array([0.01, 0.02, 0.015])


def calibration() -> Any:
    fits = [SimpleNamespace(next_sigma=sigma) for sigma in SIGMA]
    return SimpleNamespace(fits=fits, usable=USABLE)


def covariance(horizon_d: int = 10) -> np.ndarray:
    dependence: Any = SimpleNamespace(correlation=CORRELATION)
    return reverse.horizon_covariance(calibration(), dependence, horizon_d)


def test_the_covariance_is_correlation_times_volatilities_times_days() -> None:
    found = covariance(10)
    np.testing.assert_allclose(np.sqrt(np.diag(found)), SIGMA * np.sqrt(10.0), rtol=1e-12)
    assert found[0, 1] == pytest.approx(0.5 * 0.01 * 0.02 * 10, rel=1e-12)


def test_every_portfolio_and_target_has_its_distance_and_the_reference_its_shocks() -> None:
    found, shocks = reverse.linear(book(), USABLE, covariance(), (0.1, 0.07), 10)
    weights = book().weights
    sigma = np.sqrt(np.diag(weights @ covariance() @ weights.T))
    expected = np.concatenate([0.1 / sigma, 0.07 / sigma])
    np.testing.assert_allclose(column(found, "distance_sigma"), expected, rtol=1e-12)
    assert np.isnan(column(found, "factor_distance")).all()
    assert column(found, "target_loss_pct_nav").tolist() == [10.0, 10.0, 7.0, 7.0]
    assert column(found, "loss_pct_nav").tolist() == [10.0, 10.0, 7.0, 7.0]
    assert set(column(found, "method")) == {"linear"}
    assert set(column(found, "horizon_d")) == {10}
    moves = column(shocks, "return").reshape(2, 3)
    np.testing.assert_allclose(moves @ weights[0], [-0.1, -0.07], rtol=1e-12)
    assert column(shocks, "instrument_id").tolist() == [*INSTRUMENTS] * 2
    assert set(column(shocks, "portfolio_id")) == {"REFERENCE"}


def test_a_short_position_moves_against_the_portfolio() -> None:
    one = Book.plain(("ONLY",), INSTRUMENTS, np.array([[0.0, -1.0, 0.0]]), 1.0, "USD")
    _, shocks = reverse.linear(one, USABLE, covariance(), (0.1,), 10)
    assert column(shocks, "return")[1] == pytest.approx(0.1, rel=1e-12)


def test_a_portfolio_of_nothing_that_was_modelled_has_no_distance() -> None:
    empty = Book.plain(("ONLY",), INSTRUMENTS, np.array([[0.0, 0.0, 1.0]]), 1.0, "USD")
    found, shocks = reverse.linear(empty, np.array([0, 1]), covariance()[:2, :2], (0.1,), 10)
    assert np.isnan(column(found, "distance_sigma")).all()
    assert np.isnan(column(found, "loss_pct_nav")).all()
    assert shocks.num_rows == 0


def test_the_distance_in_factors_is_that_of_the_moves_that_the_closed_form_implies() -> None:
    betas = np.array([[1.0, 0.1], [1.5, -0.2], [0.8, 0.3]])
    implied = implied_factor_moves(betas, np.array([0.05, 0.06, 0.04]))
    found, shocks = reverse.linear(book(), USABLE, covariance(), (0.1,), 10, implied)
    moves = column(shocks, "return") @ implied
    expected = mahalanobis(implied.T @ covariance() @ implied, moves)
    assert column(found, "factor_distance")[0] == pytest.approx(expected, rel=1e-9)
    assert (column(found, "factor_distance") < column(found, "distance_sigma")).all()


def simulated(inside: list[list[int]]) -> Any:
    numbers = np.array(inside)
    return SimpleNamespace(
        method="t_copula",
        horizon_d=10,
        volatility=np.array([0.04, 0.05]),
        reverse=SimpleNamespace(
            targets=(0.1, 0.3),
            reaching=np.where(numbers > 0, 7, 0),
            inside=numbers,
            loss=np.where(numbers > 0, 0.12, np.nan),
            factor_distance=np.where(numbers > 0, 2.5, np.nan),
            reference_returns=np.array([[-0.1, -0.2, -0.06], [np.nan] * 3]),
        ),
    )


def committed(inside: list[list[int]]) -> tuple[pa.Table, pa.Table]:
    horizon = simulated(inside)
    return reverse.simulated(book(), USABLE, horizon, horizon.reverse)


def test_the_simulated_tail_is_kept_as_it_was_found() -> None:
    found, shocks = committed([[42, 0], [43, 44]])
    rows = {(row["portfolio_id"], row["target_loss_pct_nav"]): row for row in found.to_pylist()}
    first = rows["REFERENCE", 10.0]
    assert (first["averaged"], first["reaching"], first["method"]) == (42, 7, "t_copula")
    assert first["loss_pct_nav"] == pytest.approx(12.0)
    assert first["distance_sigma"] == pytest.approx(3.0)
    assert first["factor_distance"] == 2.5
    assert column(shocks, "return").tolist() == [-0.1, -0.2, -0.06]


def test_a_loss_about_which_no_scenario_loses_is_a_row_that_says_so() -> None:
    found, _ = committed([[42, 0], [43, 44]])
    never = found.to_pylist()[2]
    assert (never["portfolio_id"], never["target_loss_pct_nav"]) == ("REFERENCE", 30.0)
    assert (never["averaged"], never["reaching"]) == (0, 0)
    assert np.isnan([never["loss_pct_nav"], never["factor_distance"], never["distance_sigma"]]).all()
