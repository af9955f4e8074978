import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from acceleray.quant import null_path
from acceleray.quant.forecasts import forecast_expected_shortfall, forecast_value_at_risk
from acceleray.quant.null_path import follow
from acceleray.quant.null_record import (
    BATCH,
    NullLaw,
    NullRecords,
    lower_p,
    records_of,
    simulate_records,
    two_sided_p,
    upper_p,
)
from acceleray.quant.streams import Purpose, uniforms
from acceleray.quant.student_tail import quantiles, shortfall

RECORDS = 2000


def records(
    days: int, window: int, nu: float, count: int = RECORDS, before: int | None = None
) -> NullRecords:
    law = NullLaw(days, window, window if before is None else before, nu, 0.99, 0.975)
    seen = np.linspace(1.0, 2.0, days)
    return simulate_records(count, law, seen, 11)


@pytest.mark.parametrize(("days", "critical", "near"), [(250, -0.70, 0.03), (7312, -0.12, 0.01)])
def test_critical_values_of_z2_with_known_normal_quantiles_are_those_known(days, critical, near):
    # 250 days: Acerbi & Szekely 2014. 7,312: simulated once with 200,000 paths, outside this package.
    assert np.quantile(records(days, 0, math.inf).z2, 0.05) == pytest.approx(critical, abs=near)


def test_the_critical_value_of_z2_in_a_heavy_tail_is_that_which_mathworks_publishes():
    # Risk Management Toolbox, esbacktest.unconditionalT: losses of t with three degrees of freedom, 1,966
    # days, test level 99 %: critical value -0.42986, and a p-value of 0.018566 at -0.38265.
    null = records(1966, 0, 3.0, 10_000).z2
    assert np.quantile(null, 0.01) == pytest.approx(-0.42986, abs=0.02)
    assert lower_p(-0.38265, null) == pytest.approx(0.018566, abs=0.004)


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
    # Written out for some records: losses, the window before each refresh, exceptions and exceedances.
    law = NullLaw(230, 100, 100, 4.0, 0.99, 0.975)
    found = simulate_records(3, law, np.ones(230), 3)
    for record in range(3):
        losses = quantiles(uniforms(3, record, Purpose.NULL_RECORD, 330), 4.0)
        count, excess = 0, 0.0
        for first in range(100, 330, 50):
            past, some = losses[first - 100 : first], losses[first : min(first + 50, 330)]
            var = np.quantile(past, 0.99, method="weibull")
            count += int(np.sum(some > var))
            threshold, mean = forecast_value_at_risk(past, 0.975), forecast_expected_shortfall(past, 0.975)
            excess += float(np.sum(some[some > threshold] / mean))
        assert found.exceptions[record] == count
        assert found.z2[record] == pytest.approx(1.0 - excess / (230 * 0.025), rel=1e-8)


def test_a_record_belongs_to_its_number_and_seed():
    law = NullLaw(300, 0, 0, 5.0, 0.99, 0.975)
    seen = np.ones(300)
    whole, fewer, other = (simulate_records(count, law, seen, seed) for count, seed in FEW_AND_MANY)
    for name in ("exceptions", "z2", "residual", "dynamic_quantile"):
        np.testing.assert_array_equal(getattr(fewer, name), getattr(whole, name)[:7])
    assert not np.array_equal(other.z2, fewer.z2)


FEW_AND_MANY = ((BATCH + 3, 1), (7, 1), (7, 2))


@pytest.mark.parametrize("window", [0, 500])
def test_a_record_of_one_day_more_begins_with_that_of_a_day_less(window):
    law = NullLaw(1040, window, 450, 5.0, 0.99, 0.975)
    paths = {}
    counts = []
    for days in range(1040, 1056):
        each = replace(law, days=days)
        paths[each.begun] = paths.get(each.begun) or follow((each.begun, 0), 4)
        found = records_of([paths[each.begun]], BATCH, each, [np.ones(days)], 4)[0]
        anew = simulate_records(BATCH, each, np.ones(days), 4)
        for name in ("exceptions", "z2", "residual", "dynamic_quantile"):
            np.testing.assert_array_equal(getattr(found, name), getattr(anew, name))
        counts.append(found.exceptions)
    # Two refreshes are enough for sixteen mornings.
    assert len(paths) == 2
    steps = np.diff(counts, axis=0)
    assert set(np.unique(steps)) == {0.0, 1.0}
    assert steps.mean() == pytest.approx(0.01, abs=0.006)


def test_a_tail_that_holds_too_little_of_a_window_is_made_larger(monkeypatch):
    law = NullLaw(300, 100, 100, 4.0, 0.99, 0.975)
    expected = simulate_records(BATCH, law, np.ones(300), 3)
    null_path._ranked.cache_clear()
    monkeypatch.setattr(null_path, "_SPARE", 0.0)
    found = simulate_records(BATCH, law, np.ones(300), 3)
    null_path._ranked.cache_clear()
    np.testing.assert_array_equal(found.exceptions, expected.exceptions)
    np.testing.assert_allclose(found.z2, expected.z2, rtol=1e-7)


def test_p_values_count_the_record_itself_and_its_equals():
    null = np.array([1.0, 2.0, 3.0, np.nan])
    assert upper_p(2.0, null) == pytest.approx(3 / 4)
    assert lower_p(2.0, null) == pytest.approx(3 / 4)
    assert two_sided_p(2.0, null) == 1.0
    assert upper_p(9.0, null) == pytest.approx(1 / 4)
    assert math.isnan(upper_p(math.nan, null))


def test_at_low_levels_a_right_model_has_the_exceptions_it_promises_too():
    law = NullLaw(1000, 500, 500, 5.0, 0.9, 0.75)
    found = simulate_records(500, law, np.linspace(1.0, 2.0, 1000), 11)
    assert found.exceptions.mean() == pytest.approx(100.0, rel=0.03)
    assert found.z2.mean() == pytest.approx(0.0, abs=0.03)
