import numpy as np
import pytest

from acceleray.quant.multiple_testing import benjamini_hochberg, benjamini_yekutieli, bonferroni, holm

# Benjamini & Hochberg 1995, section 3: fifteen hypotheses of a study of myocardial infarction.
PUBLISHED = np.array(
    [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459),
        *(0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
)


def test_the_fifteen_p_values_of_benjamini_and_hochberg_reject_four_and_bonferroni_three() -> None:
    assert (benjamini_hochberg(PUBLISHED) <= 0.05).sum() == 4
    assert (bonferroni(PUBLISHED) <= 0.05).sum() == 3


def test_under_any_dependence_the_price_is_the_harmonic_sum_of_the_tests() -> None:
    harmonic = sum(1.0 / count for count in range(1, 16))
    expected = np.minimum(benjamini_hochberg(PUBLISHED) * harmonic, 1.0)
    # Where the plain value was cut at one, so is this one.
    np.testing.assert_allclose(benjamini_yekutieli(PUBLISHED), expected, rtol=1e-12)
    assert (benjamini_yekutieli(PUBLISHED) <= 0.05).sum() == 3


def test_the_step_up_procedure_of_the_paper_rejects_the_same_at_every_rate() -> None:
    generator = np.random.default_rng(71)
    for _ in range(50):
        p_values = generator.random(40) ** 3
        adjusted = benjamini_hochberg(p_values)
        for rate in (0.01, 0.05, 0.2):
            ordered = np.sort(p_values)
            below = np.flatnonzero(ordered <= rate * np.arange(1, 41) / 40)
            largest = ordered[below[-1]] if below.size else -1.0
            np.testing.assert_array_equal(adjusted <= rate, p_values <= largest)


def test_a_test_that_could_not_be_made_does_not_count() -> None:
    with_gap = np.insert(PUBLISHED, 7, np.nan)
    for adjust in (benjamini_hochberg, benjamini_yekutieli, bonferroni):
        adjusted = adjust(with_gap)
        assert np.isnan(adjusted[7])
        np.testing.assert_array_equal(np.delete(adjusted, 7), adjust(PUBLISHED))
        assert np.isnan(adjust(np.full(3, np.nan))).all()


def test_a_p_value_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg(np.array([0.2, 1.2]))


def test_each_is_what_statsmodels_makes_of_it_to_the_bit() -> None:
    from statsmodels.stats.multitest import multipletests

    generator = np.random.default_rng(72)
    names = {"holm": holm, "fdr_bh": benjamini_hochberg, "fdr_by": benjamini_yekutieli}
    for name, adjust in {**names, "bonferroni": bonferroni}.items():
        for tests in (1, 2, 4, 37):
            p_values = np.round(generator.random(tests) ** 3, 3)
            np.testing.assert_array_equal(adjust(p_values), multipletests(p_values, method=name)[1])
