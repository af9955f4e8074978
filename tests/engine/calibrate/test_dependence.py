"""Residuals as scenarios see them, and the dependence between them: planted, found and committed."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import GjrFit, fit_gjr_garch_t, rejected, standardised_residuals
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.dependence import METHOD, Dependence, build_dependence
from acceleray.stages.calibrate.residuals import instrument_key, standardised
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import CORRELATIONS, DEPENDENCE

NAMES = ("A", "B", "C", "D", "E")
PLANTED_CORRELATION, PLANTED_NU = 0.5, 5.0
WINDOW, RESIDUALS = 1800, 1500


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
        return (function(task, *shared, **fixed) for task in tasks)


@pytest.fixture(scope="module")
def returns() -> Panel:
    """Return 2,000 weekdays of a t copula with t margins; C is listed late, and one day is empty."""
    generator = np.random.default_rng(23)
    every = np.arange(np.datetime64("2010-01-01"), np.datetime64("2020-01-01"))
    dates = every[np.is_busday(every)][:2000]
    target = np.full((5, 5), PLANTED_CORRELATION) + (1.0 - PLANTED_CORRELATION) * np.eye(5)
    normal = generator.normal(size=(2000, 5)) @ np.linalg.cholesky(target).T
    joint = normal / np.sqrt(generator.chisquare(PLANTED_NU, (2000, 1)) / PLANTED_NU)
    # Margins of another shape than the copula's.
    values = 0.01 * stats.t(8.0).ppf(stats.t(PLANTED_NU).cdf(joint))
    values[:700, 2] = np.nan
    values[1600] = np.nan
    return Panel(dates, NAMES, values)


def calibrated(returns: Panel, fits: Sequence[GjrFit]) -> Calibration:
    gate: Any = None
    return Calibration(returns, tuple(fits), gate)


@pytest.fixture(scope="module")
def calibration(returns: Panel) -> Calibration:
    fits = []
    for at, name in enumerate(NAMES):
        series = returns.values[-WINDOW:, at]
        fit = fit_gjr_garch_t(series[np.isfinite(series)], 500)
        assert fit.status == "calibrated"
        fits.append(rejected("for this test", 0) if name == "D" else fit)
    return calibrated(returns, fits)


def changed(calibration: Calibration, values: NDArray[np.float64]) -> Calibration:
    return calibrated(Panel(calibration.returns.dates, NAMES, values), calibration.fits)


def test_residuals_are_those_of_the_filter_over_the_window(calibration: Calibration) -> None:
    residuals, dates = standardised(calibration, WINDOW, RESIDUALS, seed=1)
    assert residuals.shape == (RESIDUALS - 1, 4), "a day on which nobody has a return cannot be drawn"
    assert dates.shape == (RESIDUALS - 1,)
    np.testing.assert_array_equal(calibration.usable, [0, 1, 2, 4])
    for place, at in enumerate(calibration.usable):
        fit = calibration.fits[at]
        assert fit.parameters is not None
        series = calibration.returns.values[-WINDOW:, at]
        known = series[np.isfinite(series)]
        expected = standardised_residuals(known, fit.parameters, fit.initial_variance)[-1000:]
        np.testing.assert_array_equal(residuals[-1000:, place], expected)
    assert dates[-1] == calibration.returns.dates[-1]
    assert calibration.returns.dates[1600] not in dates
    assert dates[0] == calibration.returns.dates[-RESIDUALS]


def test_a_gap_is_filled_with_the_key_of_the_instrument(calibration: Calibration) -> None:
    residuals, _ = standardised(calibration, WINDOW, RESIDUALS, seed=1)
    assert np.isfinite(residuals).all()
    again, _ = standardised(calibration, WINDOW, RESIDUALS, seed=1)
    np.testing.assert_array_equal(again, residuals)
    other, _ = standardised(calibration, WINDOW, RESIDUALS, seed=2)
    differ = (other != residuals).any(axis=0)
    np.testing.assert_array_equal(differ, [False, False, True, False])
    # What fills it goes with its name and not with its place.
    panel = calibration.returns
    turned = Panel(panel.dates, NAMES[::-1], panel.values[:, ::-1])
    other, _ = standardised(calibrated(turned, calibration.fits[::-1]), WINDOW, RESIDUALS, seed=1)
    np.testing.assert_array_equal(other[:, ::-1], residuals)


def test_nothing_before_the_window_counts(calibration: Calibration) -> None:
    values = calibration.returns.values.copy()
    values[: 2000 - WINDOW] *= 7.0
    expected, _ = standardised(calibration, WINDOW, RESIDUALS, seed=1)
    found, _ = standardised(changed(calibration, values), WINDOW, RESIDUALS, seed=1)
    np.testing.assert_array_equal(found, expected)
    # So large that it is felt until residuals begin.
    values[2000 - WINDOW] = 1e8
    found, _ = standardised(changed(calibration, values), WINDOW, RESIDUALS, seed=1)
    assert (found != expected).any()


def test_days_before_a_standstill_are_no_residuals_of_their_own(calibration: Calibration) -> None:
    values = calibration.returns.values.copy()
    values[600:640, 0] = 0.0
    found, _ = standardised(changed(calibration, values), WINDOW, RESIDUALS, seed=1)
    fit = calibration.fits[0]
    assert fit.parameters is not None
    after = values[640:, 0]
    expected = standardised_residuals(after[np.isfinite(after)], fit.parameters, fit.initial_variance)
    np.testing.assert_array_equal(found[-expected.size :, 0], expected)


def test_more_residuals_than_the_window_holds_are_all_there_are(calibration: Calibration) -> None:
    residuals, dates = standardised(calibration, 1000, 5000, seed=1)
    assert len(residuals) == len(dates) == 999
    assert dates[0] == calibration.returns.dates[-1000]


def test_an_instrument_keeps_its_key_and_no_two_share_one() -> None:
    names = [f"N{number}" for number in range(1000)]
    assert len({instrument_key(name) for name in names}) == 1000
    # Fixed for good: another key would fill gaps with other draws and so change published numbers.
    assert instrument_key("AAPL") == 2212478401631069419


@pytest.fixture(scope="module")
def built(new_project: Callable[[], Callable[..., Run]], calibration: Calibration) -> tuple[Run, Dependence]:
    window = (f"calibration.window_d={WINDOW}", f"simulation.residual_window_d={RESIDUALS}")
    run = new_project()(*window)
    fan_out: Any = Serial()
    run.fan_out = fan_out
    run.identify("a load", date(2017, 8, 31))
    return run, build_dependence(run, calibration)


def test_planted_correlation_and_tails_are_found_through_filter_and_margins(
    built: tuple[Run, Dependence],
) -> None:
    _, found = built
    assert found.correlation.shape == (4, 4)
    # A correlation of 0.5 over 1,500 days of such tails has a standard error of 0.03; C is part proxy.
    np.testing.assert_allclose(found.correlation[np.triu_indices(4, 1)], PLANTED_CORRELATION, atol=0.1)
    assert found.copula_nu == pytest.approx(PLANTED_NU, rel=0.35)
    assert 0.0 < found.shrinkage < 0.05


def test_the_tables_hold_each_pair_once_and_the_proof(built: tuple[Run, Dependence]) -> None:
    run, found = built
    rows = run.rows(CORRELATIONS).to_pylist()
    held = {(row["instrument_id"], row["other_instrument_id"]): row for row in rows}
    assert sorted(held) == [("A", "B"), ("A", "C"), ("A", "E"), ("B", "C"), ("B", "E"), ("C", "E")]
    assert held["B", "E"]["correlation"] == found.correlation[1, 3]
    assert held["B", "E"]["sample_correlation"] == pytest.approx(
        found.correlation[1, 3] / (1.0 - found.shrinkage), rel=1e-12
    )
    (row,) = run.rows(DEPENDENCE).to_pylist()
    assert (row["method"], row["days"], row["instruments"]) == (METHOD, RESIDUALS - 1, 4)
    assert row["shrinkage"] == found.shrinkage
    assert row["smallest_eigenvalue"] == found.smallest_eigenvalue
    assert row["smallest_eigenvalue"] > row["sample_smallest_eigenvalue"] > 0.0
    np.testing.assert_allclose(np.linalg.eigvalsh(found.correlation)[0], found.smallest_eigenvalue)
    assert row["copula_nu"] == found.copula_nu
    assert row["copula_nu_at_bound"] is False
