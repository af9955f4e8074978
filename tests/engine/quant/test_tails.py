import numpy as np
import pytest

from acceleray.quant import risk
from acceleray.quant.rank_search import Level, brackets_over, counted, improved, pilot_bounds, placed
from acceleray.quant.tails import Above, Located, Pairs, Tail, Wanted, collected, joined, tail_at

MEASURES = ("value_at_risk", "expected_shortfall", "value_at_risk_error", "expected_shortfall_error")
CONFIDENCES = (0.975, 0.99)


def flat(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return portfolio and loss of every loss of a block (portfolios, scenarios)."""
    return np.repeat(np.arange(len(block)), block.shape[1]), block.ravel()


def tail_of(losses, *arguments, **named) -> Tail:
    """Return the measures alone; arguments as in `located`."""
    found = located(losses, *arguments, **named)
    return Tail({confidence: each.measures for confidence, each in found.items()})


def located(
    losses, confidences=CONFIDENCES, pilot=2048, block=1000, rounds=None, missing=None
) -> dict[float, Located]:
    """Go through the passes over losses (scenarios, portfolios), a block of scenarios at a time."""
    by_portfolio = np.ascontiguousarray(losses.T)
    portfolios, scenarios = by_portfolio.shape
    levels = [Level(scenarios, confidence) for confidence in confidences]
    blocks = [by_portfolio[:, first : first + block] for first in range(0, scenarios, block)]
    bounds = pilot_bounds(by_portfolio[:, :pilot].copy(), levels)
    found = {}
    for level, bound in zip(levels, bounds, strict=True):
        brackets, attempt = brackets_over(bound), 0
        while True:
            counts = sum(counted(brackets, *flat(each)) for each in blocks)
            places = placed(level, np.asarray(counts))
            better = improved(brackets, places, narrow=attempt < 2)
            if better is None:
                break
            brackets, attempt = better, attempt + 1
            assert attempt < 20
        wanted, pairs, above = Wanted.of(brackets, places), Pairs(), Above.none(portfolios)
        for number, each in enumerate(blocks):
            if number != missing:
                above = above + collected(wanted, *flat(each), pairs)
        found[level.confidence] = tail_at(level, wanted, places, pairs, above)
        if rounds is not None:
            rounds.append((attempt, len(pairs.sorted()[0])))
    return found


def assert_like_all_at_once(tail: Tail, losses: np.ndarray, confidences=CONFIDENCES) -> None:
    for confidence in confidences:
        for measure in MEASURES:
            got, expected = getattr(tail, measure)(confidence), getattr(risk, measure)(losses, confidence)
            # The error of a tail of equal losses is zero but for rounding of the losses themselves.
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15 * np.abs(losses).max())
        assert (tail.value_at_risk(confidence) == risk.value_at_risk(losses, confidence)).all()


@pytest.fixture(scope="module")
def losses() -> np.ndarray:
    return np.random.default_rng(21).standard_t(3, (30_001, 9))


def test_measures_are_those_of_all_losses_at_once(losses):
    assert_like_all_at_once(tail_of(losses), losses)
    assert_like_all_at_once(tail_of(0.01 * losses + 7.0), 0.01 * losses + 7.0)


@pytest.mark.parametrize("scenarios", [1, 2, 7, 39, 40, 41, 50, 99, 100, 101, 250, 1000, 1013])
def test_few_scenarios_are_enough_and_a_fraction_of_one_counts(losses, scenarios):
    assert_like_all_at_once(tail_of(losses[:scenarios]), losses[:scenarios])


def test_a_fractional_scenario_at_the_edge_counts_by_its_fraction():
    tail = tail_of(np.arange(250.0)[:, np.newaxis], (0.99,))
    assert float(tail.expected_shortfall(0.99)[0]) == pytest.approx((249.0 + 248.0 + 0.5 * 247.0) / 2.5)


@pytest.mark.parametrize("distinct", [2, 5, 60, 2000])
def test_losses_that_tie_do_no_harm(distinct):
    generator = np.random.default_rng(23)
    outcomes = generator.standard_t(3, (distinct, 6))
    tied = outcomes[generator.integers(0, distinct, 20_000)]
    assert_like_all_at_once(tail_of(tied), tied)


def test_portfolios_that_lose_the_same_in_every_scenario_or_nothing_at_all():
    same = np.tile([0.0, 0.1, -0.3, 1e-300, 5e5], (20_000, 1))
    tail = tail_of(same)
    for confidence in CONFIDENCES:
        np.testing.assert_array_equal(tail.value_at_risk(confidence), same[0])
        np.testing.assert_array_equal(tail.expected_shortfall(confidence), same[0])
        assert (tail.value_at_risk_error(confidence) == 0.0).all()
        assert (tail.expected_shortfall_error(confidence) == 0.0).all()


def test_losses_that_differ_in_their_last_bit_are_told_apart():
    nearly = np.where(np.random.default_rng(2).random((20_000, 2)) < 0.5, 0.1, np.nextafter(0.1, 1.0))
    assert_like_all_at_once(tail_of(nearly), nearly)


def test_a_pilot_that_says_nothing_about_the_rest_costs_passes_and_no_accuracy(losses):
    rising, rounds = np.sort(losses, axis=0), []
    assert_like_all_at_once(tail_of(rising, rounds=rounds), rising)
    falling = rising[::-1]
    assert_like_all_at_once(tail_of(falling, rounds=rounds), falling)
    silent = losses.copy()
    silent[:2048] = 0.0
    assert_like_all_at_once(tail_of(silent, rounds=rounds), silent)
    assert all(1 <= attempt < 20 for attempt, _ in rounds)


@pytest.mark.parametrize("confidence", [0.2, 0.5, 0.9, 0.9973, 0.9999, 0.99999])
def test_any_confidence_will_do(losses, confidence):
    assert_like_all_at_once(tail_of(losses, (confidence,)), losses, (confidence,))


def test_random_shapes_sizes_and_ties_give_the_measures_of_all_losses_at_once():
    generator = np.random.default_rng(77)
    for _ in range(60):
        scenarios, portfolios = int(generator.integers(1, 6000)), int(generator.integers(1, 5))
        drawn = generator.standard_t(generator.uniform(1.5, 8.0), (scenarios, portfolios))
        drawn = np.round(drawn, int(generator.integers(0, 4))) * 10.0 ** generator.integers(-6, 6)
        confidences = tuple(sorted(set(np.round(generator.uniform(0.6, 0.999, 2), 4).tolist())))
        pilot, block = int(generator.integers(1, 3000)), int(generator.integers(1, 6000))
        assert_like_all_at_once(
            tail_of(drawn, confidences, pilot=min(pilot, scenarios), block=max(block, 200)),
            drawn,
            confidences,
        )


@pytest.mark.parametrize("scenarios", [200_000, 2_000_000])
def test_what_is_kept_does_not_grow_with_the_scenarios(scenarios):
    drawn, rounds = np.random.default_rng(24).standard_t(4, (scenarios, 1)), []
    # A short pilot and a wide bracket crowd the bins, so that they have to be narrowed.
    assert_like_all_at_once(tail_of(drawn, pilot=500, block=500_000, rounds=rounds), drawn)
    assert all(kept < 1200 for _, kept in rounds)
    assert max(attempt for attempt, _ in rounds) == (1 if scenarios > 1_000_000 else 0)


def test_scenarios_missing_from_one_pass_are_noticed(losses):
    with pytest.raises(RuntimeError, match="did not see the same losses"):
        tail_of(losses, missing=7)
    # The largest ten lie above every bin that is collected: only their number says that they are missing.
    with pytest.raises(RuntimeError, match="did not see the same losses"):
        tail_of(-np.sort(-losses[:2000], axis=0), block=10, missing=0)


def test_equal_losses_take_no_room():
    pairs = Pairs()
    for _ in range(300):
        pairs.add(np.repeat(np.arange(4), 1000), np.tile([0.5, 0.25], 2000))
    rows, values, times = pairs.sorted()
    assert rows.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert values.tolist() == [0.5, 0.25] * 4
    assert times.tolist() == [150_000] * 8


def test_sums_of_blocks_are_kept_apart_so_that_their_order_can_be_kept():
    # 1e16 + 1 + 1 is another number than 1 + 1 + 1e16.
    sums = [Above(np.array([1]), np.array([value]), np.array([value])) for value in (1e16, 1.0, 1.0)]
    forward, backward = sums[0] + sums[1] + sums[2], sums[2] + sums[1] + sums[0]
    assert forward.total[0] != backward.total[0]
    assert forward.count[0] == backward.count[0] == 3


def test_the_tail_weighs_its_mass_and_the_window_its_ranks(losses):
    rounded = np.round(losses, 1)
    for confidence, at in located(rounded).items():
        level = Level(len(losses), confidence)
        rows, values = flat(rounded.T)
        for band in (at.tail, at.window):
            total = np.bincount(rows, band.weights(rows, values))
            np.testing.assert_allclose(total, band.total, rtol=1e-12)
        np.testing.assert_allclose(at.tail.total, level.mass)
        expected = risk.tail_weights(rounded, at.measures.value_at_risk, confidence)
        np.testing.assert_allclose(at.tail.weights(rows, values), expected.T.ravel(), rtol=1e-12)


def test_tails_of_groups_of_portfolios_are_joined_in_order(losses):
    whole = joined([tail_of(losses[:, :4]), tail_of(losses[:, 4:])])
    assert_like_all_at_once(whole, losses)
    assert whole.at(0.99).expected_shortfall.shape == (9,)


def test_a_level_that_was_not_asked_for_is_refused(losses):
    with pytest.raises(ValueError, match=r"known at \[0.975, 0.99\], not at 0.95"):
        tail_of(losses).value_at_risk(0.95)
