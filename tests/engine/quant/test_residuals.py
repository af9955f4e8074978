import numpy as np
import pytest

from acceleray.quant.residuals import fill_missing

KEYS = [101, 7, 55, 3, 89, 12]


@pytest.fixture(scope="module")
def complete() -> np.ndarray:
    generator = np.random.default_rng(9)
    market = generator.standard_normal((3000, 1))
    own = generator.standard_normal((3000, 6))
    return np.sqrt(0.5) * market + np.sqrt(0.5) * own


@pytest.fixture(scope="module")
def ragged(complete) -> np.ndarray:
    ragged = complete.copy()
    ragged[:1500, 2] = np.nan
    ragged[:600, 4] = np.nan
    ragged[2000:2003, 0] = np.nan
    return ragged


def test_observed_residuals_stay_and_the_filled_share_is_counted(ragged):
    filled, share = fill_missing(ragged, seed=1, keys=KEYS)
    assert np.isfinite(filled).all()
    observed = np.isfinite(ragged)
    np.testing.assert_array_equal(filled[observed], ragged[observed])
    np.testing.assert_allclose(share, [0.001, 0, 0.5, 0, 0.2, 0])


def test_nothing_missing_means_nothing_changed(complete):
    filled, share = fill_missing(complete, seed=1, keys=KEYS)
    np.testing.assert_array_equal(filled, complete)
    assert not share.any()


def test_the_proxy_keeps_variance_and_most_of_the_dependence(complete, ragged):
    filled, _ = fill_missing(ragged, seed=1, keys=KEYS)
    proxied, true = filled[:1500, 2], complete[:1500, 2]
    assert proxied.var() == pytest.approx(1.0, abs=0.12)
    others = filled[:1500][:, [0, 1, 3, 5]].mean(axis=1)
    assert np.corrcoef(proxied, others)[0, 1] == pytest.approx(np.corrcoef(true, others)[0, 1], abs=0.08)


def test_a_value_depends_on_its_key_and_not_on_its_column(ragged):
    filled, share = fill_missing(ragged, seed=1, keys=KEYS)
    order = [4, 2, 0, 5, 1, 3]
    shuffled, shuffled_share = fill_missing(ragged[:, order], seed=1, keys=[KEYS[column] for column in order])
    np.testing.assert_array_equal(shuffled, filled[:, order])
    np.testing.assert_array_equal(shuffled_share, share[order])


def test_another_seed_draws_other_values(ragged):
    first, _ = fill_missing(ragged, seed=1, keys=KEYS)
    second, _ = fill_missing(ragged, seed=2, keys=KEYS)
    assert not np.array_equal(first[:600, 4], second[:600, 4])


def test_with_estimation_days_no_filled_value_knows_the_days_after_it(ragged):
    before, _ = fill_missing(ragged, seed=1, keys=KEYS, estimation_days=1900)
    changed = ragged.copy()
    changed[2003:] *= -5.0
    after, _ = fill_missing(changed, seed=1, keys=KEYS, estimation_days=1900)
    np.testing.assert_array_equal(before[:2003], after[:2003])
    unlimited, _ = fill_missing(changed, seed=1, keys=KEYS)
    assert not np.array_equal(before[:2003], unlimited[:2003])


def test_what_cannot_be_filled_is_refused(ragged):
    empty_day, empty_column = ragged.copy(), ragged.copy()
    empty_day[5] = np.nan
    empty_column[:, 2] = np.nan
    with pytest.raises(ValueError, match="no instrument has a residual"):
        fill_missing(empty_day, seed=1, keys=KEYS)
    with pytest.raises(ValueError, match="instrument 55 has no residual"):
        fill_missing(empty_column, seed=1, keys=KEYS)
    with pytest.raises(ValueError, match="no key twice"):
        fill_missing(ragged, seed=1, keys=[1, 1, 2, 3, 4, 5])
