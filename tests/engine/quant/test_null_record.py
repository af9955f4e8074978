import math

import numpy as np
import pytest
from scipy.stats import binom

from acceleray.quant.null_record import (
    BATCH,
    NullLaw,
    NullRecords,
    batches,
    lower_p,
    simulate_records,
    two_sided_p,
    upper_p,
)
from acceleray.quant.student_tail import quantiles, shortfall

RECORDS = 2000


def records(
    days: int, window: int, nu: float, count: int = RECORDS, before: int | None = None
) -> NullRecords:
    law = NullLaw(days, window, window if before is None else before, nu, 0.99, 0.975)
    seen = np.linspace(1.0, 2.0, days)
    return NullRecords.joined([simulate_records(batch, law, seen, 11) for batch in batches(count)])


@pytest.mark.parametrize(("days", "critical", "near"), [(250, -0.70, 0.03), (7312, -0.12, 0.01)])
def test_critical_values_of_z2_with_known_normal_quantiles_are_those_known(days, critical, near):
    # 250 days: Acerbi & Szekely 2014. 7,312: simulated once with 200,000 paths, outside this package.
    assert np.quantile(records(days, 0, math.inf).z2, 0.05) == pytest.approx(critical, abs=near)


@pytest.mark.nightly
@pytest.mark.parametrize("nu", [math.inf, 5.0])
@pytest.mark.parametrize("days", [250, 7312])
def test_critical_values_of_z2_are_those_of_200_000_paths_drawn_day_by_day(days, nu):
    generator = np.random.default_rng(77)
    edge, mean = float(quantiles(np.array([0.975]), nu)[0]), shortfall(nu, 0.975)
    z2 = []
    for _ in range(200):
        size = (1000, days)
        losses = generator.standard_normal(size) if math.isinf(nu) else generator.standard_t(nu, size)
        z2.append(1.0 - np.where(losses > edge, losses / mean, 0.0).sum(axis=1) / (0.025 * days))
    found = np.quantile(records(days, 0, nu, 20_000).z2, 0.05)
    assert found == pytest.approx(np.quantile(np.concatenate(z2), 0.05), rel=0.02)


def test_without_a_window_exceptions_are_binomial():
    found = records(1000, 0, 5.0).exceptions
    for count in (5, 10, 15):
        assert np.mean(found <= count) == pytest.approx(binom.cdf(count, 1000, 0.01), abs=0.03)


def test_with_a_window_a_right_model_has_the_exceptions_it_promises():
    for before in (500, 203):
        found = records(1500, 500, 5.0, before=before)
        assert found.exceptions.mean() == pytest.approx(15.0, rel=0.03)
        assert found.z2.mean() == pytest.approx(0.0, abs=0.03)


def test_a_window_is_the_estimate_of_the_days_before_and_of_no_later_one():
    # Written out for one record: losses, the ranks of the window before each refresh, exceptions.
    law = NullLaw(200, 100, 100, 4.0, 0.99, 0.975)
    found = simulate_records((0, 1), law, np.ones(200), 3)
    from acceleray.quant.streams import Purpose, uniforms

    losses = quantiles(uniforms(3, 0, Purpose.NULL_RECORD, 300), 4.0)
    count = 0
    for first in range(100, 300, 50):
        var = np.quantile(losses[first - 100 : first], 0.99, method="weibull")
        count += int(np.sum(losses[first : first + 50] > var))
    assert found.exceptions[0] == count


def test_records_belong_to_their_batch_and_seed():
    law = NullLaw(300, 0, 0, 5.0, 0.99, 0.975)
    seen = np.ones(300)
    whole = simulate_records((1, BATCH), law, seen, 1)
    np.testing.assert_array_equal(simulate_records((1, BATCH), law, seen, 1).z2, whole.z2)
    assert not np.array_equal(simulate_records((0, BATCH), law, seen, 1).z2, whole.z2)
    assert batches(600) == [(0, 250), (1, 250), (2, 100)]


def test_p_values_count_the_record_itself_and_its_equals():
    null = np.array([1.0, 2.0, 3.0, np.nan])
    assert upper_p(2.0, null) == pytest.approx(3 / 4)
    assert lower_p(2.0, null) == pytest.approx(3 / 4)
    assert two_sided_p(2.0, null) == 1.0
    assert upper_p(9.0, null) == pytest.approx(1 / 4)
    assert math.isnan(upper_p(math.nan, null))


def test_at_low_levels_a_right_model_has_the_exceptions_it_promises_too():
    law = NullLaw(1000, 500, 500, 5.0, 0.9, 0.75)
    found = NullRecords.joined(
        [simulate_records(batch, law, np.linspace(1.0, 2.0, 1000), 11) for batch in batches(500)]
    )
    assert found.exceptions.mean() == pytest.approx(100.0, rel=0.03)
    assert found.z2.mean() == pytest.approx(0.0, abs=0.03)
