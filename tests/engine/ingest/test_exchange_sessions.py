"""Sessions of named exchanges, and the days that a calendar does not know."""

from __future__ import annotations

import exchange_calendars
import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.calendar import sessions


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def test_days_up_to_the_ends_of_what_a_calendar_knows_have_their_sessions() -> None:
    # Tokyo is known from 1997 on, and opens on 6 January.
    assert sessions("XTKS", day("1997-01-01"), day("1997-01-08")).tolist() == [
        day("1997-01-06"),
        day("1997-01-07"),
        day("1997-01-08"),
    ]
    # Holidays of Mumbai are recorded some months ahead at most.
    last = day(str(exchange_calendars.get_calendar("XBOM").bound_max().date()))
    found = sessions("XBOM", last - 30, last)
    assert 15 <= found.size <= 23
    assert found[0] >= last - 30
    assert found[-1] <= last


@pytest.mark.parametrize(
    ("name", "first", "last", "said"),
    [
        ("XTKS", "1990-01-04", "2022-12-30", "known from 1997-01-01 on, and the prices begin on 1990-01-04"),
        ("XBOM", "2015-01-01", "2199-01-01", "known up to 20..-12-31, and the prices end on 2199-01-01"),
    ],
)
def test_days_that_a_calendar_does_not_know_are_refused_in_one_line(
    name: str, first: str, last: str, said: str
) -> None:
    with pytest.raises(PortfolioError, match=f"market_data.calendar is '{name}', whose sessions are {said}"):
        sessions(name, day(first), day(last))
