"""The promise of the false-discovery rate, kept or not: 1,000 panels in which the truth is known."""

from __future__ import annotations

import pytest

from signals.discoveries import RATES, realised, table

PANELS = 1000


@pytest.mark.benchmark
@pytest.mark.nightly
@pytest.mark.timeout(7200)
def test_over_a_thousand_panels_no_more_discoveries_are_false_than_the_rate_says() -> None:
    found = realised(PANELS)
    print("\n" + table(found))
    by = {(one.rule, one.rate): one for one in found}
    for rate in RATES:
        hochberg, yekutieli = (by[f"Benjamini-{name}", rate] for name in ("Hochberg", "Yekutieli"))
        assert hochberg.false_share <= rate
        assert yekutieli.false_share <= hochberg.false_share
        # Otherwise rejecting nothing would pass.
        assert yekutieli.found > 0.4
    # And the panels are hard enough: whoever does not correct is misled.
    assert by["alone", 0.05].false_share > 0.05


@pytest.mark.nightly
def test_over_a_few_panels_the_correction_keeps_what_is_true_and_drops_what_is_not() -> None:
    found = {(one.rule, one.rate): one for one in realised(12, workers=1)}
    assert found["Benjamini-Hochberg", 0.05].found > 0.4
    assert found["Benjamini-Hochberg", 0.2].false_share < found["alone", 0.2].false_share
