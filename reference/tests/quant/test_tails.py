import pickle

import numpy as np
import pytest

from portfolio.quant import risk
from portfolio.quant.tails import TailCollector

MEASURES = ("value_at_risk", "expected_shortfall", "value_at_risk_error", "expected_shortfall_error")


def assert_same_bits(collector: TailCollector, losses: np.ndarray, confidences=(0.975, 0.99, 0.9973)) -> None:
    for confidence in confidences:
        for measure in MEASURES:
            collected = getattr(collector, measure)(confidence)
            np.testing.assert_array_equal(collected, getattr(risk, measure)(losses, confidence), strict=True)


@pytest.fixture(scope="module")
def losses() -> np.ndarray:
    return np.random.default_rng(21).standard_t(3, (30_001, 9))


@pytest.mark.parametrize("size", [1, 777, 4096, 5000, 30_001])
def test_any_split_gives_the_bits_of_the_whole(losses, size):
    shortened = losses[:3001] if size == 1 else losses
    collector = TailCollector(9, len(shortened), 0.975)
    for first in range(0, len(shortened), size):
        collector.update(shortened[first : first + size])
    assert_same_bits(collector, shortened)


def test_any_number_of_workers_and_any_order_of_merging_give_the_same_bits(losses):
    generator = np.random.default_rng(22)
    for workers in (2, 3, 8):
        parts = []
        for rows in np.array_split(generator.permutation(len(losses)), workers):
            part = TailCollector(9, len(losses), 0.975)
            part.update(losses[rows])
            parts.append(pickle.loads(pickle.dumps(part)))
        generator.shuffle(parts)
        collector = TailCollector(9, len(losses), 0.975)
        for part in parts:
            collector.merge(part)
        assert_same_bits(collector, losses)


def test_losses_that_rise_all_the_time_are_kept_as_well(losses):
    for ordered in (np.sort(losses, axis=0), np.sort(losses, axis=0)[::-1]):
        collector = TailCollector(9, len(losses), 0.975)
        collector.update(ordered)
        assert_same_bits(collector, losses)


def test_a_late_loss_that_only_just_belongs_to_the_tail_is_kept():
    descending = np.arange(20_000, 0, -1)[:, np.newaxis] * 1e-9
    edge = risk.tail_depth(20_000, 0.975) - 1
    for late in (0, edge // 2, edge - 1, edge):
        collector = TailCollector(1, 20_000, 0.975)
        collector.update(np.delete(descending, late, axis=0))
        collector = pickle.loads(pickle.dumps(collector))
        collector.update(descending[[late]])
        assert_same_bits(collector, descending)


def test_equal_losses_do_no_harm():
    tied = np.random.default_rng(23).integers(0, 4, (9000, 3)).astype(float)
    collector = TailCollector(3, 9000, 0.975)
    for block in np.array_split(tied, 5):
        collector.update(block)
    assert_same_bits(collector, tied)


def test_portfolios_with_tails_at_different_times_are_kept_apart(losses):
    shifted = losses.copy()
    for portfolio in range(9):
        shifted[portfolio * 3000 : (portfolio + 1) * 3000, portfolio] += 50.0
    collector = TailCollector(9, len(losses), 0.95)
    for block in np.array_split(shifted, 13):
        collector.update(block)
    assert_same_bits(collector, shifted, (0.95, 0.99))


def test_a_merged_collector_leaves_its_source_as_it_was(losses):
    source = TailCollector(9, len(losses), 0.975)
    source.update(losses)
    target = TailCollector(9, len(losses), 0.975)
    target.merge(source)
    assert_same_bits(source, losses)
    assert_same_bits(target, losses)


def test_collecting_goes_on_after_pickling(losses):
    collector = TailCollector(9, len(losses), 0.975)
    collector.update(losses[:20_000])
    collector = pickle.loads(pickle.dumps(collector))
    collector.update(losses[20_000:])
    assert_same_bits(collector, losses)


def test_memory_is_bounded_by_the_tail_and_not_by_the_scenarios():
    scenarios, portfolios = 400_000, 4
    collector = TailCollector(portfolios, scenarios, 0.99)
    generator = np.random.default_rng(24)
    largest = 0
    for _ in range(100):
        collector.update(generator.standard_normal((4000, portfolios)))
        largest = max(largest, collector._losses.nbytes)
    assert largest < portfolios * (1.25 * (4000 + 100) + 4096 + 64) * 8
    assert len(pickle.dumps(collector)) < portfolios * 4100 * 8


def test_an_incomplete_or_overfull_collector_is_refused(losses):
    collector = TailCollector(9, 1000, 0.975)
    collector.update(losses[:999])
    with pytest.raises(ValueError, match="999 of 1000"):
        collector.value_at_risk(0.99)
    with pytest.raises(ValueError, match="1001 scenarios are more than the 1000"):
        collector.update(losses[:2])
    collector.update(losses[:1])
    with pytest.raises(ValueError, match=r"from confidence 0\.975"):
        collector.expected_shortfall(0.95)


def test_collectors_of_another_kind_or_losses_of_another_shape_are_refused(losses):
    collector = TailCollector(9, 1000, 0.975)
    with pytest.raises(ValueError, match="merged"):
        collector.merge(TailCollector(9, 1000, 0.99))
    with pytest.raises(ValueError, match="shape"):
        collector.update(losses[:10, :8])
    with pytest.raises(ValueError, match="finite"):
        collector.update(np.full((1, 9), np.nan))
    assert collector.seen == 0
