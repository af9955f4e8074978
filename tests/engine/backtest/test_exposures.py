import numpy as np
import pytest

from acceleray.quant.forecasts import calibrated_moves, means_of
from acceleray.quant.garch import GjrFit, GjrParameters
from acceleray.quant.past import Past
from acceleray.quant.replay import TILE, Replay
from acceleray.stages.backtest.exposures import replayed
from acceleray.stages.backtest.positions import replayed_losses
from acceleray.stages.book.lines import CURRENCY, PRICE, Line, Lines

DAYS, FIRST, LAST, LONGEST = 1300, 1100, 1300, 600
NAMES = ("A", "B", "C", "EUR", "GBP")
PARAMETERS = GjrParameters(0.0003, 2e-6, 0.04, 0.06, 0.90, 5.0)
FIT = GjrFit("calibrated", "", 1000, PARAMETERS, PARAMETERS, 0.0, True, "", 1e-4, 0.01)
LINES = Lines(
    NAMES,
    (
        Line("A", CURRENCY, "EUR", 0, ((3, -1),)),
        Line("B", CURRENCY, "GBP", 1, ((3, 1), (4, -1))),
        Line("D", PRICE, "", 2, beta=0.7),
        Line("CASH.EUR", CURRENCY, "USD", -1, ((3, 1),)),
        Line("D", CURRENCY, "EUR", 2, ((3, -1),), 0.7),
    ),
)
WEIGHTS = np.array(
    [
        [0.4, 0.3, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.6, 0.5, -0.3, 0.0, 0.0, 0.6, 0.5, 0.2, 0.1, 0.2],
        [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
)


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    generator = np.random.default_rng(81)
    found = 0.008 * (generator.standard_t(5, (DAYS, 5)) + generator.standard_t(5, (DAYS, 1)))
    found[:200, 2] = np.nan
    return found


def by_replaying(returns, arithmetic=None, window=LONGEST, last=LAST):
    """Return the losses of each portfolio on each day, from the moves of all instruments on it."""
    fits = (FIT,) * len(NAMES)
    moves = calibrated_moves(returns, np.arange(5), FIRST, last, fits, window, 1, arithmetic=arithmetic)
    return [replayed_losses(LINES.of(moved), WEIGHTS) for moved in moves]


def by_tiles(returns, arithmetic=None, window=LONGEST, last=LAST):
    fits, columns = (FIT,) * len(NAMES), np.arange(5)
    past = Past.of(returns, columns, FIRST, last, fits, window, 1)
    replay = Replay(past, means_of(fits, columns, "fitted"), window, arithmetic)
    found = np.empty((last - FIRST, len(WEIGHTS), window))
    for days, place, losses in replayed(replay, LINES, WEIGHTS):
        found[days, place] = losses
    return found, replay.known


def assert_the_same(found, known, expected, near=1e-15):
    for each, count, losses in zip(found, known, expected, strict=True):
        np.testing.assert_allclose(each[:, each.shape[1] - count :], losses, rtol=0.0, atol=near)
        assert (each[:, : each.shape[1] - count] == -np.inf).all()


@pytest.mark.parametrize("window", [LONGEST, 1150])
def test_losses_are_those_of_the_moves_of_every_instrument(returns, window):
    # The longer window is longer than the history for half of the days.
    found, known = by_tiles(returns, window=window)
    assert_the_same(found, known, by_replaying(returns, window=window))


def test_nothing_loses_more_than_everything_but_what_is_arithmetic(returns):
    wild = returns.copy()
    wild[1000, :3] = [-0.9, -0.95, -0.9]
    wild[FIRST + 90 : FIRST + 93, :3] = [[0.5, -0.6, 0.7], [-0.8, 0.6, -0.9], [0.4, 0.5, -0.4]]
    for arithmetic in (None, np.array([False, True, False, False, False])):
        expected = by_replaying(wild, arithmetic)
        assert max(losses[2].max() for losses in expected) == 1.0
        found, known = by_tiles(wild, arithmetic)
        # Single moves are of the size of one.
        assert_the_same(found, known, expected, 1e-14)


def test_a_day_has_the_same_bits_however_many_days_come_after_it(returns):
    found, _ = by_tiles(returns)
    for last in (FIRST + 1, FIRST + TILE, FIRST + TILE + 7):
        fewer, _ = by_tiles(returns, last=last)
        np.testing.assert_array_equal(fewer, found[: last - FIRST])


def test_no_day_sees_itself_or_a_later_one(returns):
    changed = returns.copy()
    changed[FIRST + 70 :] = -0.1
    (before, _), (after, _) = by_tiles(returns), by_tiles(changed)
    np.testing.assert_array_equal(after[:71], before[:71])
    assert (after[72:] != before[72:]).any(axis=(1, 2)).all()
