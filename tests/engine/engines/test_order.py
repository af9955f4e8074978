"""Columns are handed over in the order of the key, whatever the order in which each read returns rows."""

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff import order
from acceleray.engines.handoff.arrays import numbered

KEY = ("instrument_id", "date")
COLUMNS = ("date", "instrument_id", *(f"f{number}" for number in range(9)))


@pytest.mark.parametrize(("many", "reads"), [(10, 3), (1_000_000, 2)])
def test_each_read_is_sorted_by_itself(monkeypatch: pytest.MonkeyPatch, many: int, reads: int) -> None:
    monkeypatch.setattr(order, "_MANY_ROWS", many)
    random = np.random.default_rng(1)
    names = np.array(["B", "A10", "A9", "Ä", "a"])
    stored = pa.table(
        {
            "instrument_id": np.repeat(names, 10).tolist(),
            "date": pa.array(np.tile(np.arange(10, dtype=np.int32), 5), pa.date32()),
            **{f"f{number}": random.standard_normal(50) for number in range(9)},
        }
    )
    asked = []

    def read(needed: tuple[str, ...]) -> pa.Table:
        asked.append(needed)
        return stored.select(needed).take(pa.array(random.permutation(50)))

    found = order.in_order(read, KEY, COLUMNS)
    expected = stored.sort_by([(name, "ascending") for name in KEY]).select(COLUMNS)
    assert found.equals(expected)
    assert len(asked) == reads
    assert all(set(KEY) <= set(needed) for needed in asked)


def test_texts_are_numbered_in_the_order_of_numpy() -> None:
    values = ["B", "a", "A9", "Ä", "A10", "B", "a"]
    names, places = numbered(pa.table({"name": pa.chunked_array([values[:3], values[3:]])}), "name")
    expected, inverse = np.unique(np.array(values), return_inverse=True)
    assert names == tuple(expected.tolist())
    np.testing.assert_array_equal(places, inverse)
    assert places.dtype == np.int64
    nothing = numbered(pa.table({"name": pa.array([], pa.string())}), "name")
    assert nothing[0] == ()
    assert nothing[1].size == 0


@pytest.mark.parametrize(
    ("second", "kind"),
    [
        ([9, -700_000, 9, 3, 12_000, -1], pa.date32()),
        # No days, or some are missing: sorted by Arrow.
        ([9, -700_000, 9, 3, 12_000, -1], pa.int64()),
        ([9, None, 9, 3, 12_000, -1], pa.date32()),
    ],
)
@pytest.mark.parametrize("largest", [2**62, 3])
def test_numbers_order_rows_as_the_key_does(
    monkeypatch: pytest.MonkeyPatch, second: list[int | None], kind: pa.DataType, largest: int
) -> None:
    monkeypatch.setattr(order, "_LARGEST", largest)
    texts = pa.chunked_array([["Ä", "a\U0001f600"], ["Ä", "a", "B", "a\ue000"]])
    rows = pa.table({"text": texts, "day": pa.array(second, pa.int32() if kind == pa.date32() else kind)})
    rows = rows.set_column(1, "day", rows.column("day").cast(kind))
    found = rows.take(order._places(rows, ("text", "day")))
    assert found.equals(rows.sort_by([("text", "ascending"), ("day", "ascending")]))
    nothing = rows.slice(0, 0)
    assert len(order._places(nothing, ("text", "day"))) == 0
