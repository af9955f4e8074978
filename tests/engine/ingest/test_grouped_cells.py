"""Cells that stay together: packed and unpacked unchanged, and looked at once, however batches are cut."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from acceleray.quant.price_findings.market import binned, market_of
from acceleray.stages.ingest import survey as surveying
from acceleray.stages.ingest.delivered import delivered
from acceleray.stages.ingest.grouped import Here, cells_of, neighbours, pack, unpacked
from acceleray.stages.ingest.quality import judge_series
from acceleray.stages.ingest.reading.delivery import CELLS
from acceleray.stages.ingest.survey import Survey, survey_of, totals

FIRST = date(2024, 1, 1)


def days(count: int) -> pa.Array:
    return pa.array([FIRST + timedelta(days=place) for place in range(count)])


def judged(names: list[str], count: int = 60) -> pa.Table:
    """Return judged cells of seven-day series, one of them with an unusable cell."""
    generator = np.random.default_rng(8)
    found = []
    for name in names:
        texts = [f"{price:.2f}" for price in 50.0 * np.exp(0.02 * generator.standard_normal(count).cumsum())]
        texts[3] = texts[2] if name == names[0] else texts[3]
        texts[5] = "-1" if name == names[-1] else texts[5]
        found.append(judge_series(cells_of(name, days(count), pa.array(texts)), 20))
    return pa.concat_tables(found)


def cut(rows: pa.Table, at: list[int]) -> list[pa.RecordBatch]:
    rows = rows.combine_chunks()
    ends = [*at, len(rows)]
    return [
        batch
        for begin, end in zip([0, *at], ends, strict=True)
        for batch in rows.slice(begin, end - begin).to_batches()
    ]


@pytest.mark.parametrize("other", [None, ["1.5", None, "7"]])
@pytest.mark.parametrize("numbers", [["1", "2", "3"], ["1", "2000", "3"]])
def test_cells_come_out_as_they_went_in(numbers: list[str], other: list[str] | None) -> None:
    columns = [["A"] * 3, days(3), ["1", "2 000", "3"], numbers, pa.array(other or [None] * 3, pa.string())]
    cells = pa.table(columns, schema=CELLS)
    batch = pack([("A", cells), ("B", cells_of("B", days(2), pa.array(["4", "5"])))])
    first, second = unpacked([batch])
    assert first.equals(cells)
    assert second["number_text"].to_pylist() == ["4", "5"]


def test_rows_of_an_instrument_are_found_whatever_the_batches() -> None:
    rows = judged(["A", "B", "C"])
    for at in ([], [10], [60], [59, 61, 120], list(range(1, 180, 7))):
        found = list(neighbours(cut(rows, at)))
        assert [each["instrument_id"][0].as_py() for each in found] == ["A", "B", "C"]
        assert pa.concat_tables(found).combine_chunks().equals(rows.combine_chunks())


def test_rows_that_are_no_neighbours_are_no_series() -> None:
    rows = judged(["A", "B"])
    mixed = pa.concat_tables([rows.slice(0, 10), rows.slice(60), rows.slice(10, 50)])
    with pytest.raises(RuntimeError, match="the rows of A are not neighbours"):
        list(neighbours(cut(mixed, [])))


def test_what_was_delivered_has_the_last_closes_up_to_the_as_of_date() -> None:
    rows = judged(["A", "B", "C"])
    as_of = FIRST + timedelta(days=5)
    # The cell of C on the as-of date is no price; D begins only after it, and E is no price at all.
    later = judge_series(cells_of("D", pa.array([FIRST + timedelta(days=9)]), pa.array(["4"])), 20)
    none = judge_series(cells_of("E", days(1), pa.array(["-"])), 20)
    shuffled = [rows.filter(pc.equal(rows["instrument_id"], name)) for name in "CAB"]
    found = delivered(
        Here((*(one.take(pa.array(range(59, -1, -1))) for one in shuffled), later, none)), as_of
    )
    assert (found.as_of, found.instruments) == (as_of, ("A", "B", "C", "D"))
    assert found.closes["date"].to_pylist() == [as_of, as_of, as_of - timedelta(days=1)]
    expected = rows.filter(pc.is_in(rows["date"], pa.array([as_of, as_of - timedelta(days=1)])))
    known = {(row["instrument_id"], row["date"]): row["price"] for row in expected.to_pylist()}
    for row in found.closes.to_pylist():
        assert row["price"] == known[row["instrument_id"], row["date"]]


def looked(rows: pa.Table, arithmetic: tuple[str, ...] = ()) -> Survey:
    return totals(pa.Table.from_batches(survey_of(frozenset(arithmetic))(neighbours(cut(rows, [13, 77])))))


def test_one_look_finds_what_each_series_and_each_day_is() -> None:
    rows = judged(["A", "B", "C"])
    found = looked(rows)
    assert found.series["instrument_id"].to_pylist() == ["A", "B", "C"]
    assert found.series["prices"].to_pylist() == [60, 60, 59]
    assert found.series["quarantined"].to_pylist() == [0, 0, 1]
    assert found.series["trades_at_weekends"].to_pylist() == [True, True, True]
    assert all(found.series["digest"].to_pylist())
    assert (found.series["first_date"][2].as_py(), found.series["last_date"][2].as_py()) == (
        FIRST, FIRST + timedelta(days=59),
    )  # fmt: skip
    kept = rows.filter(rows["price"].is_valid())
    dates, bins, moves = [], [], []
    for each in neighbours(cut(kept, [])):
        prices = each["adjusted_price"].to_numpy()
        dates.append(each["date"].to_numpy().astype("datetime64[D]"))
        bins.append(np.concatenate(([0], binned(np.diff(np.log(prices))))))
        moves.append(np.concatenate(([0], np.ones(prices.size - 1, np.int64))))
    expected = market_of(*(np.concatenate(each) for each in (dates, bins, moves)))
    for name in ("days", "listed", "unchanged", "middle", "without_lowest", "without_highest"):
        np.testing.assert_array_equal(getattr(found.market, name), getattr(expected, name))
    every, priced, at_weekends = found.by_day()
    assert (every.size, priced.sum(), at_weekends.sum()) == (60, 0, 179)


def test_an_instrument_without_logarithms_moves_no_market_and_has_its_days() -> None:
    found = looked(judged(["A", "B", "C"]), ("B",))
    assert found.market.listed.max() == 2
    assert found.by_day()[2].sum() == 179


def test_a_tally_does_not_depend_on_when_it_is_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = judged([f"I{number:02d}" for number in range(9)])
    whole = looked(rows)
    monkeypatch.setattr(surveying, "_TOGETHER", 100)
    assert looked(rows).days.equals(whole.days)


def test_the_content_of_a_day_is_that_of_its_accepted_prices_in_whatever_order_they_are_looked_at() -> None:
    rows = judged(["A", "B", "C"])
    whole = looked(rows).contents()
    assert len(whole) == 60
    assert all(len(one) == 16 for one in whole.values())
    parts = [rows.filter(pc.equal(rows["instrument_id"], name)) for name in ("C", "A", "B")]
    again = pa.concat_tables([looked(part).days for part in parts])
    assert Survey(rows, again).contents() == whole
    # C's sixth price is none: the day is what the other two give it.
    sixth = np.datetime64(FIRST + timedelta(days=5))
    others = Survey(rows, pa.concat_tables([looked(part).days for part in parts[1:]])).contents()
    assert [day for day in whole if others[day] == whole[day]] == [sixth]


def test_a_moved_price_moves_its_day_and_no_other() -> None:
    rows = judged(["A", "B", "C"])
    whole = looked(rows).contents()
    for name in ("price", "adjusted_price"):
        moved = np.array(rows[name])
        moved[70] = np.nextafter(moved[70], 1e9)
        at = rows.schema.get_field_index(name)
        other = looked(rows.set_column(at, name, pa.array(moved, mask=~np.isfinite(moved)))).contents()
        assert [day for day in whole if other[day] != whole[day]] == [np.datetime64(rows["date"][70].as_py())]
