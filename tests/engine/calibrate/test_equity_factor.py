"""Which equity factor: the index of the data, or the mean of the instruments."""

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from acceleray.stages.calibrate.factor_model import Series, too_old


def test_an_index_that_ended_before_the_prices_began_is_no_equity_factor() -> None:
    days = np.arange("2010-01-01", "2022-12-31", dtype="datetime64[D]")
    index = Series(days, np.linspace(100.0, 200.0, days.size), "sample")
    later = np.arange("2023-01-02", "2027-01-01", dtype="datetime64[D]")
    across = np.arange("2020-01-01", "2027-01-01", dtype="datetime64[D]")
    prices, longer = (Panel(each, ("A",), np.zeros((each.size, 1))) for each in (later, across))
    assert too_old(index, prices, 36)
    # January 2020 to December 2022 are 35 changes.
    assert too_old(index, longer, 36)
    assert not too_old(index, longer, 35)
