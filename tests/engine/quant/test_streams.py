import numpy as np
import pytest
from scipy.stats import kstest

from acceleray.quant.streams import Purpose, Stream, integers, uniforms

WORD = 2**64 - 1


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox 4x64 with ten rounds as in Salmon et al. 2011, in plain Python and independent of NumPy."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = x0 * 0xD2E7470EE14C6C93, x2 * 0xCA5A826395121157
        x0, x1 = (second >> 64) ^ x1 ^ k0, second & WORD
        x2, x3 = (first >> 64) ^ x3 ^ k1, first & WORD
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & WORD, (k1 + 0xBB67AE8584CAA73B) & WORD
    return [x0, x1, x2, x3]


def test_the_reference_generator_gives_the_known_answer_of_its_authors():
    # Random123, kat_vectors: philox4x64 10 with counter and key zero.
    known = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox([0, 0, 0, 0], [0, 0]) == known


@pytest.mark.parametrize("purpose", Purpose)
def test_a_stream_is_philox_with_seed_and_index_as_key_and_the_purpose_in_the_counter(purpose):
    raw = philox([1, 0, 0, purpose], [42, 7]) + philox([2, 0, 0, purpose], [42, 7])
    expected = [(word >> 11) / 2.0**53 for word in raw]
    assert uniforms(42, 7, purpose, 8).tolist() == expected


def test_a_longer_draw_starts_with_the_shorter_one():
    long = uniforms(5, 3, Purpose.SCENARIO_DAYS, 1000)
    np.testing.assert_array_equal(long[:37], uniforms(5, 3, Purpose.SCENARIO_DAYS, 37))


@pytest.mark.parametrize("size", [1, 3, 4, 250])
def test_a_stream_drawn_in_parts_is_the_stream(size):
    stream = Stream(5, 3, Purpose.COPULA_NORMALS)
    parts = np.concatenate([stream.uniforms(size) for _ in range(1000 // size)])
    np.testing.assert_array_equal(parts, uniforms(5, 3, Purpose.COPULA_NORMALS, parts.size))


def test_seed_index_and_purpose_each_make_another_stream():
    streams = [
        tuple(uniforms(seed, index, purpose, 4)) for seed in (0, 1) for index in (0, 1) for purpose in Purpose
    ]
    assert len(set(streams)) == 4 * len(Purpose)


def test_the_numbers_are_uniform():
    drawn = uniforms(11, 0, Purpose.SCENARIO_DAYS, 50_000)
    assert 0.0 <= drawn.min() < drawn.max() < 1.0
    assert kstest(drawn, "uniform").pvalue > 0.01


def test_whole_numbers_cover_the_range_and_nothing_else():
    drawn = integers(1, 2, Purpose.SCENARIO_DAYS, 10_000, 7)
    assert set(drawn.tolist()) == set(range(7))
    assert np.bincount(drawn).min() > 1300


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1), (2**64, 0)])
def test_a_key_that_does_not_fit_is_refused(seed, index):
    with pytest.raises(ValueError, match="64"):
        uniforms(seed, index, Purpose.SCENARIO_DAYS, 1)


@pytest.mark.parametrize("skipped", [0, 1, 3, 4, 1003])
def test_a_stream_may_begin_behind_its_first_numbers(skipped):
    whole = uniforms(42, 7, Purpose.NULL_RECORD, skipped + 9)
    later = Stream(42, 7, Purpose.NULL_RECORD, skipped).uniforms(9)
    np.testing.assert_array_equal(later, whole[skipped:])
