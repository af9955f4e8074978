"""Forecasts over several days: from the past alone, of the right windows, and right where the model is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acceleray.quant.coverage import coverage, origins
from acceleray.quant.garch import GjrFit, GjrParameters, variance_path
from acceleray.settings import Risk, Settings
from acceleray.stages.backtest import horizons
from acceleray.stages.backtest.blocks import Block, forecast_block
from acceleray.stages.backtest.long_horizon import Answer, Question, forecast_windows
from acceleray.stages.backtest.positions import Positions
from acceleray.stages.book.lines import Lines
from acceleray.tables import BACKTEST_HORIZONS

FIRST, LAST, NAMES, HORIZON_D, DAYS = 700, 760, 3, 10, 800
TRUE = GjrParameters(mu=5e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.9, nu=6.0)
BOOK = ("REFERENCE",)
INITIAL = TRUE.unconditional_variance
QUESTIONS = (
    Question("filtered_historical", HORIZON_D, tuple(range(FIRST, LAST, HORIZON_D))),
    Question("t_copula", HORIZON_D, tuple(range(FIRST, LAST, HORIZON_D))),
    Question("t_copula", 1, tuple(range(FIRST, LAST))),
)


def true_fit() -> GjrFit:
    """Return a fit that has found the true parameters."""
    return GjrFit("calibrated", "", DAYS, TRUE, TRUE, 0.0, True, "", INITIAL, INITIAL**0.5)


def history(days: int, seed: int, tie: float = 0.5) -> NDArray[np.float64]:
    """Return returns (days, names) that follow the true model, shocks tied together by a common one."""
    generator = np.random.default_rng(seed)
    common, chi = generator.standard_normal((days, 1)), generator.chisquare(TRUE.nu, (days, 1))
    normal = np.sqrt(tie) * common + np.sqrt(1 - tie) * generator.standard_normal((days, NAMES))
    shocks = normal * np.sqrt((TRUE.nu - 2) / chi)
    variance, returns = np.full(NAMES, INITIAL), np.empty((days, NAMES))
    for day in range(days):
        moved = np.sqrt(variance) * shocks[day]
        returns[day] = TRUE.mu + moved
        reaction = TRUE.alpha + TRUE.gamma * (moved < 0)
        variance = TRUE.omega + reaction * moved * moved + TRUE.beta * variance
    return returns


def forecast(returns: NDArray[np.float64], block: Block, questions=QUESTIONS, **changed: Any) -> list[Answer]:
    terms: dict[str, Any] = {"residual_window": 600, "risk": Risk(), "seed": 3} | changed
    return forecast_windows(block, returns, np.isfinite(returns).astype(float), questions=questions, **terms)


@pytest.fixture(scope="module")
def returns() -> NDArray[np.float64]:
    return history(DAYS, 1)


@pytest.fixture(scope="module")
def block() -> Block:
    return Block(FIRST, LAST, (true_fit(),) * NAMES)


def test_no_forecast_knows_a_day_of_its_window_or_any_later_one(returns, block):
    honest = forecast(returns, block)
    for row in (FIRST, FIRST + 20, LAST - HORIZON_D):
        changed = returns.copy()
        changed[row:] = -0.4
        for question, before, after in zip(QUESTIONS, honest, forecast(changed, block), strict=True):
            until = int(np.searchsorted(question.rows, row, side="right"))
            np.testing.assert_array_equal(after.forecasts[:, :until], before.forecasts[:, :until])
            if until < len(question.rows):
                # What has happened is known to the next window: otherwise this test could not fail.
                assert (after.forecasts[0, until] > before.forecasts[0, until]).all()


def test_the_copula_is_fitted_on_days_before_the_block(returns, block):
    later = returns.copy()
    # Within the block everything moves as one: a copula that saw it would tie the names together.
    later[FIRST:] = later[FIRST:, :1]
    first = [replace(each, rows=(FIRST,)) for each in QUESTIONS]
    for before, after in zip(forecast(returns, block, first), forecast(later, block, first), strict=True):
        np.testing.assert_array_equal(after.forecasts, before.forecasts)


def test_a_loss_is_that_of_equal_weights_held_over_the_window_of_its_forecast(returns, block):
    for question, answer in zip(QUESTIONS, forecast(returns, block), strict=True):
        span = question.horizon_d
        expected = [1.0 - np.mean(np.prod(1.0 + returns[row : row + span], axis=0)) for row in question.rows]
        np.testing.assert_allclose(answer.losses[0], expected, rtol=1e-12)


def test_of_portfolios_that_no_model_covers_nothing_is_forecast(returns, block):
    names = returns.shape[1]
    unfitted = replace(block.fits[0], status="too short", parameters=None)
    new = replace(block, fits=(unfitted, *block.fits[1:]))
    weights = np.zeros((2, names))
    weights[0, 0], weights[1, 1] = 1.0, 1.0
    lines = Lines(tuple("ABCDEFGH"[:names]))
    both = Positions(lines, weights, np.zeros(2, dtype=bool))
    # Of the first portfolio nothing had a model; alone it is what it is next to the other.
    alone = forecast(returns, new, positions=both.at([0]))
    together = forecast(returns, new, positions=both)
    for one, two in zip(alone, together, strict=True):
        assert np.isnan(one.forecasts).all()
        assert np.isnan(one.losses).all()
        np.testing.assert_array_equal(one.forecasts, two.forecasts[:1])
        assert np.isfinite(two.losses[1]).all()


def test_a_name_that_ends_within_a_window_keeps_its_last_value_and_one_not_listed_is_not_held(block, returns):
    gaps = returns.copy()
    gaps[FIRST + 4 :, 0] = np.nan
    gaps[: FIRST + 12, 2] = np.nan
    [answer] = forecast(gaps, Block(FIRST, LAST, (true_fit(), true_fit(), true_fit())), QUESTIONS[:1])
    window = np.where(np.isfinite(gaps[FIRST : FIRST + 10, :2]), gaps[FIRST : FIRST + 10, :2], 0.0)
    assert answer.losses[0, 0] == pytest.approx(1.0 - np.mean(np.prod(1.0 + window, axis=0)))


def test_one_day_of_draws_is_the_one_day_forecast_but_for_their_noise(returns, block):
    one = (Question("filtered_historical", 1, tuple(range(FIRST, LAST))),)
    [answer] = forecast(returns, block, one)
    spans = np.isfinite(returns).astype(float)
    enumerated = forecast_block(block, returns, spans, windows=(600,), risk=Risk(), seed=3)
    exact = enumerated.forecasts[0, -1, 1]  # at 97.5 %, where 50 draws decide
    assert np.mean(answer.forecasts[0, :, 1] / exact) == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(answer.losses, enumerated.losses[:, : LAST - FIRST], rtol=1e-9, atol=1e-12)


def test_a_fits_mean_moves_the_forecast_by_its_size_over_the_horizon(returns, block):
    fitted = forecast(returns, block)
    zero = forecast(returns, block, drift="zero")
    for question, with_mean, without in zip(QUESTIONS, fitted, zero, strict=True):
        gap = np.mean(without.forecasts - with_mean.forecasts, axis=(0, 1))
        np.testing.assert_allclose(gap, question.horizon_d * TRUE.mu, rtol=0.1)


def test_the_one_day_backtest_takes_the_same_drift(returns, block):
    spans = np.isfinite(returns).astype(float)
    fitted, zero = (
        forecast_block(block, returns, spans, windows=(600,), risk=Risk(), seed=3, drift=drift).forecasts[0]
        for drift in ("fitted", "zero")
    )
    np.testing.assert_allclose(zero[-1] - fitted[-1], TRUE.mu, rtol=1e-9)
    np.testing.assert_array_equal(zero[:-1], fitted[:-1])


@pytest.mark.parametrize("method", ["filtered_historical", "t_copula"])
def test_with_true_parameters_the_coverage_is_right(method):
    days, first = 9000, 1000
    found = []
    for seed in (11, 12):
        returns = history(days, seed)
        rows = tuple(origins(first, days - HORIZON_D + 1, HORIZON_D, 1).tolist())
        block = Block(first, days, (true_fit(),) * NAMES)
        [answer] = forecast(returns, block, (Question(method, HORIZON_D, rows),), residual_window=2000)
        found.append(answer)
    losses = np.concatenate([each.losses[0] for each in found])
    forecasts = np.concatenate([each.forecasts[0] for each in found])
    assert len(losses) == 1600
    at, beyond = (
        coverage(losses > forecasts[:, place], confidence) for place, confidence in ((0, 0.99), (1, 0.975))
    )
    assert not at.rejected
    assert not beyond.rejected
    # Planted faults: ten days as one, and volatility that does not move along the path.
    assert coverage(losses > forecasts[:, 0] / np.sqrt(HORIZON_D), 0.99).kupiec_p < 1e-10
    assert coverage(losses > 0.75 * forecasts[:, 0], 0.99).kupiec_p < 0.05


def test_residuals_of_the_true_model_are_what_it_was_made_of(returns):
    # Guards the history above, on which the coverage rests.
    variance = variance_path(returns[:, 0], TRUE, INITIAL)[:-1]
    residuals = (returns[:, 0] - TRUE.mu) / np.sqrt(variance)
    assert residuals.std() == pytest.approx(1.0, abs=0.1)


def settings(**changed: Any) -> Settings:
    given = {"project": {"name": "tests", "customer": "Tests"}} | changed
    return Settings.model_validate(given)


def test_windows_follow_each_other_across_blocks_and_end_with_the_known_days():
    spans = [(1000, 1250), (1250, 1500), (1750, 1777)]
    ten, copula_one, copula_ten = horizons.asked(settings(), spans, 1777, True)
    assert (ten.method, ten.horizon_d) == ("filtered_historical", 10)
    assert (copula_one.method, copula_one.horizon_d) == ("t_copula", 1)
    assert len(copula_one.rows) == 250 + 250 + 27
    # None begins in the gap between blocks, none ends after the last day.
    assert ten.rows == (*range(1000, 1500, 10), 1750, 1760)
    assert copula_ten.rows == ten.rows
    assert [each.method for each in horizons.asked(settings(), spans, 1777, False)] == ["filtered_historical"]
    assert horizons.asked(settings(), [], 1777, True) == ()


def test_all_offsets_take_every_first_day():
    [ten] = horizons.asked(settings(backtest={"long_horizon_offsets": 10}), [(1000, 1100)], 1100, False)
    assert ten.rows == tuple(range(1000, 1091))


def answered(exceptions: int, windows: int) -> list[Answer]:
    losses = np.where(np.arange(windows) < exceptions, 2.0, 0.0)
    return [Answer(np.ones((1, windows, 3)), losses[np.newaxis])]


def test_what_is_found_is_told_in_one_line_and_kept_row_by_row():
    questions = horizons.asked(settings(), [(1000, 1100)], 1100, False)
    records = horizons.recorded(settings(), questions, [answered(8, 731)], BOOK)
    line = horizons.told(records, settings())
    assert line == ("10 days: 8 exceptions in 731 windows, 7.3 expected (p 0.8); t copula: not backtested")
    kept = horizons.rows(records, settings())
    cast = kept.cast(
        BACKTEST_HORIZONS.arrow_schema.empty_table().select(kept.column_names).schema
    ).to_pylist()
    assert [(row["method"], row["horizon_d"], row["offsets"], row["windows"]) for row in cast] == [
        ("filtered_historical", 10, 1, 731),
        ("t_copula", 1, 0, 0),
        ("t_copula", 10, 0, 0),
    ]
    assert [row["kupiec_p"] is None for row in cast] == [False, True, True]


def test_a_rate_that_is_no_luck_is_called_rejected():
    questions = horizons.asked(settings(), [(1000, 1100)], 1100, True)
    answers = [answered(8, 731), answered(110, 7312), answered(7, 731)]
    line = horizons.told(horizons.recorded(settings(), questions, answers, BOOK), settings())
    assert "t copula, 1 day: 110 exceptions in 7,312 windows, 73.1 expected (p 5.5e-05: rejected)" in line
    assert "t copula, 10 days: 7 exceptions in 731 windows, 7.3 expected (p 0.91)" in line
    answers[2] = answered(1, 731)
    line = horizons.told(horizons.recorded(settings(), questions, answers, BOOK), settings())
    assert "t copula, 10 days: 1 exception in 731 windows, 7.3 expected" in line


def test_without_a_window_out_of_sample_nothing_is_claimed():
    records = horizons.recorded(settings(), (), (), BOOK)
    assert horizons.told(records, settings()) == "10 days: not backtested; t copula: not backtested"
