import numpy as np
import pytest
from scipy.stats import binomtest

from acceleray.quant.backtest import kupiec
from acceleray.quant.coverage import coverage, origins


def hits(exceptions: int, windows: int) -> np.ndarray:
    return np.arange(windows) < exceptions


@pytest.mark.parametrize(("exceptions", "windows"), [(8, 731), (0, 200), (17, 1043), (3, 3)])
def test_one_offset_gives_kupiecs_test_and_the_exact_interval(exceptions, windows):
    found = coverage(hits(exceptions, windows), 0.99)
    exact = binomtest(exceptions, windows).proportion_ci(0.95, method="exact")
    assert (found.rate_low, found.rate_high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert found.kupiec_p == pytest.approx(kupiec(exceptions, windows, 0.99).p_value, rel=1e-12)
    assert (found.exceptions, found.windows, found.offsets) == (exceptions, windows, 1)
    assert found.expected == pytest.approx(0.01 * windows)


def test_17_exceptions_in_1043_windows_are_kupiecs_published_p_value():
    assert coverage(hits(17, 1043), 0.99).kupiec_p == pytest.approx(0.060933, abs=5e-7)


def test_several_offsets_count_as_the_average_one_and_not_as_ten_times_the_evidence():
    ten, one = coverage(hits(150, 7310), 0.99, 10), coverage(hits(15, 731), 0.99)
    assert (ten.exceptions, ten.windows, ten.expected) == (150, 7310, pytest.approx(73.1))
    assert (ten.kupiec_p, ten.rate_low, ten.rate_high) == pytest.approx(
        (one.kupiec_p, one.rate_low, one.rate_high), rel=1e-9
    )
    # Planted fault: as if all windows were independent.
    assert coverage(hits(150, 7310), 0.99).kupiec_p < 1e-6 < ten.kupiec_p


def test_a_rate_is_rejected_below_5_percent():
    assert coverage(hits(110, 7312), 0.99).rejected
    assert not coverage(hits(8, 731), 0.99).rejected


def test_windows_of_one_offset_follow_each_other_and_never_overlap():
    assert origins(100, 140, 10, 1).tolist() == [100, 110, 120, 130]
    assert origins(100, 121, 10, 2).tolist() == [100, 105, 110, 115, 120]
    assert origins(5, 25, 10, 10).tolist() == list(range(5, 25))
    assert origins(5, 5, 10, 1).size == 0


@pytest.mark.parametrize("offsets", [0, 11])
def test_offsets_that_a_window_does_not_have_are_refused(offsets):
    with pytest.raises(ValueError, match="1 to 10 offsets"):
        origins(0, 100, 10, offsets)


def test_no_window_is_refused():
    with pytest.raises(ValueError, match="at least one window"):
        coverage(hits(0, 0), 0.99)
