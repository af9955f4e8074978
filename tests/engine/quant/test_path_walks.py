"""Compiled walks, margins and tails find what NumPy finds, to the bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER, load
from acceleray.quant.copula import draw_shocks, t_copula
from acceleray.quant.garch import GjrParameters
from acceleray.quant.path_walks import DAYS, machine_code
from acceleray.quant.scenarios import (
    ParameterArrays,
    compounded_returns,
    draw_days,
    filtered_historical_returns,
    stack_parameters,
)

LINES, PAST = 7, 300
# Seven in ten days of the last instrument lose more than everything.
SIGMA = np.array([0.01, 0.02, 0.005, 0.03, 0.01, 0.2, 2.0])


@pytest.fixture(scope="module")
def parameters() -> ParameterArrays:
    each = GjrParameters(mu=3e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.91, nu=6.0)
    other = replace(each, mu=-1e-3, gamma=-0.02)
    adding = np.array([False, True, False, False, False, False, False])
    return stack_parameters([each, other, *[each] * (LINES - 2)], adding)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.tobytes() == expected.tobytes()


def test_there_is_machine_code_here() -> None:
    assert load(DAYS, DEFAULT_FOLDER)


@pytest.mark.parametrize("horizon_d", [1, 10])
def test_a_walk_over_past_days_has_the_bits_of_numpy(parameters: ParameterArrays, horizon_d: int) -> None:
    residuals = np.random.default_rng(1).standard_t(4, (PAST, LINES))
    days = draw_days(1, 0, 500, horizon_d, PAST)
    expected = filtered_historical_returns(days, residuals, parameters, SIGMA)
    same(filtered_historical_returns(days, residuals, parameters, SIGMA, DEFAULT_FOLDER), expected)
    assert expected.min() == -1.0
    plain = replace(parameters, arithmetic=None)
    same(
        filtered_historical_returns(days, residuals, plain, SIGMA, DEFAULT_FOLDER),
        filtered_historical_returns(days, residuals, plain, SIGMA),
    )


def test_a_day_that_is_not_there_is_refused(parameters: ParameterArrays) -> None:
    residuals = np.ones((PAST, LINES))
    with pytest.raises(ValueError, match="numbered from 0 to 299"):
        filtered_historical_returns(np.array([[PAST]]), residuals, parameters, SIGMA, DEFAULT_FOLDER)


def test_shocks_of_a_copula_and_their_walk_have_the_bits_of_numpy(parameters: ParameterArrays) -> None:
    copula = t_copula(np.full((LINES, LINES), 0.3) + 0.7 * np.eye(LINES), 5.0, np.linspace(2.5, 30.0, LINES))
    for some, expected in zip(
        draw_shocks(copula, 3, 0, 900, 10, DEFAULT_FOLDER), draw_shocks(copula, 3, 0, 900, 10), strict=True
    ):
        same(some, expected)
        walked = compounded_returns(expected, parameters, SIGMA)
        same(compounded_returns(expected, parameters, SIGMA, DEFAULT_FOLDER), walked)
        # A part of the days is not in one piece.
        few = compounded_returns(expected[:, :4], parameters, SIGMA)
        same(compounded_returns(expected[:, :4], parameters, SIGMA, DEFAULT_FOLDER), few)


def test_where_nothing_can_be_kept_numpy_does_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert machine_code(DAYS, tmp_path / "file", kept=True) is None
    assert machine_code(DAYS, None) is None
