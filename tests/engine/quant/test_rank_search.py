import numpy as np
import pytest
from scipy import stats

from acceleray.quant import risk
from acceleray.quant.rank_search import BINS, Level, brackets_over, counted, improved, pilot_bounds, placed


@pytest.fixture(scope="module")
def losses() -> np.ndarray:
    """Return losses of shape (portfolios, scenarios)."""
    return np.random.default_rng(3).standard_t(4, (5, 200_000))


def everything(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(len(losses)), losses.shape[1]), losses.ravel()


@pytest.mark.parametrize("scenarios", [1, 10, 50, 333, 1000, 4096, 1_000_000])
@pytest.mark.parametrize("confidence", [0.5, 0.975, 0.99])
def test_the_ranks_of_a_level_are_those_that_the_measures_read(scenarios, confidence):
    level = Level(scenarios, confidence)
    ranked = np.arange(float(scenarios), 0.0, -1.0)  # rank 0 is the largest; rank r loses scenarios - r
    edge, upper, lower, first, last = level.ranks
    assert float(risk.value_at_risk(ranked, confidence)) == ranked[edge]
    error = (ranked[upper] - ranked[lower]) * level.deviation / max(lower - upper, 1)
    assert float(risk.value_at_risk_error(ranked, confidence)) == pytest.approx(error, rel=1e-12)
    assert 0 <= first <= edge <= last < scenarios


@pytest.mark.parametrize("scenarios", [100_000, 1_000_000, 4_000_000])
@pytest.mark.parametrize("share", [0.016, 0.25, 0.9, 0.999])
def test_ranks_of_the_first_scenarios_miss_less_often_than_in_ten_million(scenarios, share):
    level, first = Level(scenarios, 0.975), int(share * scenarios)
    upper, lower = level.pilot_ranks(first)
    # Of so many largest, how many are among the first: the known distribution.
    least = stats.hypergeom(scenarios, min(level.ranks), first)
    most = stats.hypergeom(scenarios, max(level.ranks) + 1, first)
    assert least.cdf(upper) < 1e-7
    assert most.sf(lower) < 1e-7
    # No wider than it must be, so that little is kept.
    assert least.mean() - upper < 6.0 * least.std() + 8.0
    assert lower - most.mean() < 6.0 * most.std() + 8.0


def test_ranks_of_a_pilot_lie_around_those_of_all_scenarios():
    level = Level(1_000_000, 0.99)
    upper, lower = level.pilot_ranks(16_384)
    # 163.8 scenarios of the pilot belong to the tail, give or take a standard deviation of 12.7.
    assert 163.8 - 7.0 * 12.7 < upper < 163.8 - 5.0 * 12.7
    assert 163.8 + 5.0 * 12.7 < lower < 163.8 + 7.0 * 12.7 + 6.0
    assert Level(1_000_000, 0.9999).pilot_ranks(16_384)[0] == -1
    whole = Level(16_384, 0.99)
    assert whole.pilot_ranks(16_384) == (min(whole.ranks), max(whole.ranks))


def test_bins_rise_with_losses_and_count_every_one_above(losses):
    [bounds] = pilot_bounds(losses[:, :16_384].copy(), [Level(200_000, 0.99)])
    brackets = brackets_over(bounds)
    ordered = np.sort(losses[0])
    bins = brackets.bins(np.zeros(ordered.size, dtype=np.int64), ordered)
    assert (np.diff(bins) >= 0).all()
    assert bins[0] == -1
    assert bins[-1] == BINS
    counts = counted(brackets, *everything(losses))
    assert counts.shape == (5, BINS + 1)
    np.testing.assert_array_equal(counts.sum(axis=1), (losses >= brackets.low[:, np.newaxis]).sum(axis=1))


def test_a_bracket_holds_the_bounds_it_was_made_for_even_if_they_are_equal():
    bounds = np.array([[0.0, 1.0, -2.0, 5.0], [0.0, 3.0, -2.0, np.nextafter(5.0, 6.0)]])
    brackets = brackets_over(bounds)
    rows = np.arange(4)
    for edge in bounds:
        assert (brackets.bins(rows, edge) >= 0).all()
        assert (brackets.bins(rows, edge) < BINS).all()
    assert (brackets.width > 0.0).all()


def test_every_rank_is_found_in_the_bin_of_the_loss_that_has_it(losses):
    level = Level(200_000, 0.975)
    [bounds] = pilot_bounds(losses[:, :16_384].copy(), [level])
    brackets = brackets_over(bounds)
    places = placed(level, counted(brackets, *everything(losses)))
    assert improved(brackets, places, narrow=True) is None
    ordered = -np.sort(-losses, axis=1)
    for column, rank in enumerate(level.ranks):
        np.testing.assert_array_equal(places.bins[:, column], brackets.bins(np.arange(5), ordered[:, rank]))
    np.testing.assert_array_equal(
        places.above,
        [(brackets.bins(np.full(200_000, at), losses[at]) > places.bins[at, 0]).sum() for at in range(5)],
    )


@pytest.mark.parametrize("shift", [-50.0, 50.0])
def test_a_bracket_that_misses_a_rank_grows_towards_it_and_the_others_stay(losses, shift):
    level = Level(200_000, 0.99)
    [bounds] = pilot_bounds(losses[:, :16_384].copy(), [level])
    bounds[:, 2] += shift
    brackets = brackets_over(bounds)
    better = improved(brackets, placed(level, counted(brackets, *everything(losses))), narrow=True)
    assert better is not None
    changed = better.width != brackets.width
    assert changed.tolist() == [False, False, True, False, False]
    places = placed(level, counted(better, *everything(losses)))
    assert places.bins.min() >= 0
    assert places.bins.max() < BINS


def test_a_crowded_bracket_shrinks_where_that_helps_and_not_where_losses_tie(losses):
    level = Level(200_000, 0.99)
    drawn = losses.copy()
    drawn[3] = 0.25
    # All losses lie in a few of the bins; those that tie leave no room to start with.
    top = np.where(np.ptp(drawn, axis=1) > 0.0, 1000.0, 0.25)
    brackets = brackets_over(np.stack((drawn.min(axis=1), top)))
    places = placed(level, counted(brackets, *everything(drawn)))
    assert improved(brackets, places, narrow=False) is None
    better = improved(brackets, places, narrow=True)
    assert better is not None
    narrower = better.width < 0.1 * brackets.width
    assert narrower[[0, 1, 2, 4]].all()
    assert not narrower[3]
    again = placed(level, counted(better, *everything(drawn)))
    assert again.bins.min() >= 0
    assert again.bins.max() < BINS
