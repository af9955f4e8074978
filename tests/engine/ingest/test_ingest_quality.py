"""Cells become prices or get a reason; a price that stands still is judged by the past alone."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from acceleray.stages.ingest.quality import judge_series

FIRST = date(2024, 1, 1)


def judged(texts, stale_price_d=20, adjusted=None):
    cells = pa.table(
        {
            "instrument_id": ["A"] * len(texts),
            "date": pa.array([FIRST + timedelta(days=place) for place in range(len(texts))]),
            "price_text": texts,
            "number_text": texts,
            "adjusted_text": pa.array(adjusted or [None] * len(texts), pa.string()),
        }
    )
    return judge_series(cells, stale_price_d)


def left_out(texts, stale_price_d):
    """Return the positions of the prices that were not accepted."""
    reasons = judged(texts, stale_price_d)["reason"].to_pylist()
    return [place for place, reason in enumerate(reasons) if reason]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["5", "7", "7", "7", "7", "7", "7", "8"], [5, 6]),
        (["5", "7", "7", "7", "7", "8", "8", "8", "8"], []),
        (["5", "7", "7", "8", "7", "7", "8", "7", "7"], []),
        (["5", "7", "7.0", "7.00", "70e-1", "7", "+7", "7", "8"], [5, 6, 7]),
        # An unusable price neither breaks nor lengthens a run.
        (["5", "7", "7", "-1", "7", "7", "7", "7"], [3, 6, 7]),
    ],
)
def test_a_price_is_quarantined_once_it_has_repeated_for_too_long_and_not_before(texts, expected):
    assert left_out(texts, 3) == expected


def test_later_prices_change_no_judgement_on_earlier_ones():
    series = ["5", "7", "7", "7", "7", "7", "9", "9", "9", "9", "9"]
    whole = left_out(series, 2)
    assert whole == [4, 5, 9, 10]
    for length in range(1, len(series)):
        assert left_out(series[:length], 2) == [day for day in whole if day < length]


def test_cash_may_stand_still_for_ever_and_a_share_may_not():
    assert left_out(["1"] * 100, 20) == []
    assert left_out(["7.80", "7.81", *["7.80"] * 98], 20) == []
    assert left_out(["7.8", "7.9", *["7.8"] * 98], 20) == list(range(23, 100))


def test_the_close_is_kept_and_returns_are_taken_from_the_adjusted_close():
    found = judged(["10", "11", "12", "13"], adjusted=["5", "5.5", "0", "x"])
    assert found["price"].to_pylist() == [10.0, 11.0, None, None]
    assert found["adjusted_price"].to_pylist() == [5.0, 5.5, None, None]
    assert found["reason"].to_pylist() == [None, None, "adjusted price zero", "adjusted price not a number"]


def test_a_close_stands_for_its_adjusted_close_only_where_both_are_the_same():
    closes = ["10", "11", "12", "13", "14", "15"]
    found = judged(closes, adjusted=[None, "5.5", None, "6.5", None, "7.5"])
    assert found["price"].to_pylist() == [None, 11.0, None, 13.0, None, 15.0]
    assert [why for why in found["reason"].to_pylist() if why] == ["no adjusted price"] * 3
    # The last close of a download, which nothing has adjusted yet.
    found = judged(closes, adjusted=["9", "9.9", "12.000001", "13", "14", None])
    assert found["adjusted_price"].to_pylist() == [9.0, 9.9, 12.000001, 13.0, 14.0, 15.0]
    # Neither an adjusted price that is none nor a close that is none says anything about others.
    found = judged(["10", "x", "12", "13"], adjusted=["10", "11", "x", None])
    assert found["reason"].to_pylist() == [None, "not a number", "adjusted price not a number", None]
    assert judged(closes)["adjusted_price"].to_pylist() == [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]


def test_the_digest_depends_on_every_number_and_on_no_order():
    cells = ["1", "2", "3"]
    one = judged(cells)["digest"].to_pylist()
    assert one[1:] == [None, None]
    assert judged(["1", "2", "4"])["digest"][0].as_py() != one[0]
    assert judged(cells, adjusted=cells)["digest"][0].as_py() != one[0]


def test_a_number_beyond_what_a_double_holds_is_infinite():
    assert judged(["1", "1e999", "-1e999"])["reason"].to_pylist() == [None, "infinite", "infinite"]
