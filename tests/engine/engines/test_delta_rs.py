"""Commits by delta-rs: what Delta promises holds, and what delta-rs would pass over it is not asked for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from acceleray.engines.delta import delta_rs
from acceleray.engines.delta.content import EMPTY
from acceleray.engines.delta.delta_rs import (
    NotHereError,
    OvertakenError,
    commit_here,
    condition,
    content_here,
    content_there,
    create,
    rows_there,
)
from acceleray.tables import PRICES, RETURNS
from acceleray.tables.contract import Column, Table, source_column
from acceleray.tables.stored import properties

ODD = 'it\'s `odd` \\ "very"; -- é€'
TABLE = Table(
    "silver",
    "amounts",
    'It\'s "odd"',
    "source",
    ("source", "n"),
    (
        source_column(),
        Column("n", "long", "Number"),
        Column("amount", "double", "Amount", "%", nullable=True),
        Column("at", "timestamp", "When", nullable=True),
    ),
    checks=(("amount_is_positive", "amount > 0"),),
)


def rows(numbers: range, amount: float | None = 1.0, source: str = "one") -> pa.Table:
    some = [{"source": source, "n": n, "amount": amount, "at": n} for n in numbers]
    return pa.Table.from_pylist(some, schema=TABLE.arrow_schema)


def commit(folder: Path, some: pa.Table, where: str | None = None, scope: str = "one") -> int:
    return commit_here(folder, TABLE, some, condition(TABLE, scope, where), "mine")


def numbers(folder: Path, source: str = "one") -> list[int]:
    found = DeltaTable(str(folder)).to_pyarrow_table(filters=[("source", "=", source)])
    return sorted(found.column("n").to_pylist())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a table with rows of two sources."""
    folder = tmp_path / "t"
    create(folder, TABLE, properties(TABLE))
    commit(folder, rows(range(5)))
    commit(folder, rows(range(5), source=ODD), scope=ODD)
    return folder


def parts_of(*some: pa.Table) -> delta_rs.Parts:
    return lambda: iter(some)


def test_of_many_rows_files_are_larger_so_that_they_are_some_dozens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta_rs, "_STREAMED_FILE_BYTES", 1000)
    every = rows(range(60_000))
    many = parts_of(*(every.slice(first, 500) for first in range(0, 60_000, 500)))
    commit_here(folder, TABLE, many, condition(TABLE, "one", None), "")
    files = len(DeltaTable(str(folder)).file_uris())
    # Each part could have a file of its own.
    assert 2 < files <= 50
    assert numbers(folder) == list(range(60_000))
    # Rows of a run are replaced together: they need no files of their own for a day.
    assert delta_rs._file_bytes(replace(TABLE, scope="run_id"), 10**9) is None


def test_parts_are_one_commit_of_all_their_rows(folder: Path) -> None:
    before, whole = DeltaTable(str(folder)).version(), rows(range(3, 9))
    some = parts_of(whole.slice(0, 1), whole.slice(1, 2), whole.slice(3))
    assert content_here(TABLE, some) == content_here(TABLE, whole)
    assert commit_here(folder, TABLE, some, condition(TABLE, "one", None), "mine") == before + 1
    assert (numbers(folder), numbers(folder, ODD)) == ([3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4])


def test_a_part_that_breaks_a_check_or_does_not_come_commits_nothing(folder: Path) -> None:
    def broken() -> Iterator[pa.Table]:
        yield rows(range(7))
        raise ValueError("planted")

    dear = parts_of(rows(range(7)), rows(range(7, 9), -1.0))
    for some, error in ((dear, NotHereError), (broken, ValueError)):
        with pytest.raises(error):
            commit_here(folder, TABLE, some, condition(TABLE, "one", None), "mine")
        assert numbers(folder) == [0, 1, 2, 3, 4]


def test_a_number_of_a_later_part_that_would_mislead_spark_has_no_extremes(folder: Path) -> None:
    free = replace(TABLE, checks=())
    create(folder.parent / "free", free, properties(free))
    some = parts_of(rows(range(2)), rows(range(2, 4), -0.0))
    commit_here(folder.parent / "free", free, some, None, "")
    (written,) = (folder.parent / "free").glob("*.parquet")
    column = pq.ParquetFile(written).metadata.row_group(0).column(2)
    assert (column.path_in_schema, column.is_stats_set) == ("amount", False)


def test_a_table_is_created_as_declared(folder: Path) -> None:
    opened = DeltaTable(str(folder))
    assert opened.protocol().min_writer_version == 3
    assert opened.metadata().description == TABLE.comment
    assert properties(TABLE).items() <= opened.metadata().configuration.items()
    described = [(f.name, f.nullable, f.metadata["comment"]) for f in opened.schema().fields]
    assert described == [(c.name, c.nullable, c.description) for c in TABLE.columns]
    with pytest.raises(NotHereError):
        create(folder, TABLE, {})


def test_a_scope_or_a_part_of_it_is_replaced_and_nothing_else(folder: Path) -> None:
    assert commit(folder, rows(range(3, 7)), "n >= 3") == 3
    assert numbers(folder) == list(range(7))
    commit(folder, rows(range(2)))
    assert (numbers(folder), numbers(folder, ODD)) == ([0, 1], list(range(5)))
    commit(folder, rows(range(0)), scope=ODD)
    assert (numbers(folder), numbers(folder, ODD)) == ([0, 1], [])


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (rows(range(3), -1.0), None),
        (rows(range(3), source="two"), None),
        (rows(range(3)), "n > 1"),
        (rows(range(3)).set_column(1, "n", pa.nulls(3, pa.int64())), None),
    ],
    ids=["check", "scope", "part", "missing"],
)
def test_a_row_that_may_not_be_there_leaves_the_table_untouched(
    folder: Path, bad: pa.Table, where: str | None
) -> None:
    with pytest.raises(NotHereError):
        commit(folder, bad, where)
    assert DeltaTable(str(folder)).version() == 2
    assert numbers(folder) == list(range(5))


def test_a_writer_of_the_same_rows_is_overtaken_and_one_of_others_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = delta_rs._opened

    def overtaking(scope: str) -> None:
        def opened_before(*arguments: Any) -> Any:
            opened = real(*arguments)
            monkeypatch.setattr(delta_rs, "_opened", real)
            commit(folder, rows(range(9), source=scope), scope=scope)
            return opened

        monkeypatch.setattr(delta_rs, "_opened", opened_before)

    overtaking(ODD)
    assert commit(folder, rows(range(2))) == 4
    overtaking("one")
    with pytest.raises(OvertakenError):
        commit(folder, rows(range(2)))
    assert numbers(folder) == list(range(9))


def test_checks_that_delta_rs_would_pass_over_are_left_to_spark(tmp_path: Path) -> None:
    schema, known = pa.schema(TABLE.arrow_schema), properties(TABLE)
    DeltaTable.create(str(tmp_path), schema, configuration=known, raise_if_key_not_exists=False)
    assert DeltaTable(str(tmp_path)).protocol().min_writer_version < 3
    with pytest.raises(NotHereError, match="checks"):
        commit(tmp_path, rows(range(3), -1.0))


def test_a_table_with_features_is_left_to_spark(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), rows(range(3)), configuration={"delta.enableDeletionVectors": "true"})
    for ask in (lambda: commit(tmp_path, rows(range(3))), lambda: content_there(tmp_path, TABLE, 0, "true")):
        with pytest.raises(NotHereError, match="features of its own"):
            ask()


def test_columns_of_other_contracts_hold_null_and_the_order_does_not_matter(tmp_path: Path) -> None:
    there = rows(range(3)).select(["at", "n", "source", "amount"])
    there = there.append_column(pa.field("gone", pa.string()), pa.array(["x"] * 3))
    write_deltalake(str(tmp_path), there)
    commit(tmp_path, rows(range(2, 4)), "n >= 2")
    found = DeltaTable(str(tmp_path)).to_pyarrow_table().sort_by("n")
    assert found.column("gone").to_pylist() == ["x", "x", None, None]
    assert found.select(TABLE.column_names).cast(TABLE.arrow_schema).equals(rows(range(4)))


def test_the_content_of_a_version_is_that_of_its_rows(folder: Path) -> None:
    commit(folder, rows(range(3, 7), 0.1), "n >= 3")
    whole = content_there(folder, TABLE, 3, condition(TABLE, "one", None))
    assert whole == content_here(TABLE, pa.concat_tables([rows(range(3)), rows(range(3, 7), 0.1)]))
    assert content_there(folder, TABLE, 2, condition(TABLE, ODD, "n < 2")) == content_here(
        TABLE, rows(range(2), source=ODD)
    )
    assert content_there(folder, TABLE, 2, condition(TABLE, "nobody", None)) == EMPTY


@pytest.mark.parametrize("where", ["`n` > 1", 'name = "a"', "name = 'it\\'s'"])
def test_sql_that_spark_reads_differently_is_left_to_spark(where: str) -> None:
    with pytest.raises(NotHereError, match="Spark's SQL"):
        condition(TABLE, "one", where)


def test_the_log_is_short_to_read_and_what_it_tells_is_there(folder: Path) -> None:
    for number in range(9):
        commit(folder, rows(range(number)))
    log = folder / "_delta_log"
    assert [path.name for path in log.glob("*.checkpoint.parquet")] == [f"{10:020d}.checkpoint.parquet"]
    for number in range(10):
        (log / f"{number:020d}.json").unlink()
    assert numbers(folder) == list(range(8))
    assert DeltaTable(str(folder)).history(1)[0]["userMetadata"] == "mine"


def test_rows_may_be_added_whatever_is_there(folder: Path) -> None:
    commit_here(folder, replace(TABLE, append_only=True), rows(range(2)), None, "")
    assert numbers(folder) == [0, 0, 1, 1, 2, 3, 4]


@pytest.mark.parametrize(("odd", "told"), [(-0.0, False), (float("nan"), False), (0.5, True)])
def test_values_that_spark_orders_otherwise_have_no_extremes_to_be_skipped_by(
    tmp_path: Path, odd: float, told: bool
) -> None:
    free = replace(TABLE, checks=())
    create(tmp_path / "t", free, properties(free))
    commit_here(tmp_path / "t", free, rows(range(3), odd), None, "")
    added = pa.table(DeltaTable(str(tmp_path / "t")).get_add_actions(flatten=True))
    assert ("min.amount" in added.column_names and added["min.amount"][0].as_py() is not None) is told
    assert added["min.n"].to_pylist() == [0]


def test_rows_that_meet_a_condition_are_read_with_the_columns_asked_for(folder: Path) -> None:
    found = rows_there(folder, TABLE, 2, ("n", "amount"), condition(TABLE, "one", "n >= 3"))
    assert (sorted(found["n"].to_pylist()), found.column_names) == ([3, 4], ["n", "amount"])
    assert rows_there(folder, TABLE, 2, ("n",), condition(TABLE, None, None)).num_rows == 10
    # Of an older version, whatever was committed since.
    assert rows_there(folder, TABLE, 1, ("n",), condition(TABLE, ODD, None)).num_rows == 0
    more = replace(TABLE, columns=(*TABLE.columns, Column("new", "long", "New", nullable=True)))
    with pytest.raises(NotHereError, match="columns that its files have not"):
        rows_there(folder, more, 2, ("new",), "true")


@pytest.mark.parametrize(("table", "name"), [(PRICES, "price"), (RETURNS, "return_1d")])
def test_numbers_that_are_not_finite_are_refused_and_others_written(
    table: Table, name: str, tmp_path: Path
) -> None:
    create(tmp_path / "t", table, properties(table))
    kinds = {"string": "x", "date": 0, "timestamp": 0}
    row = {one.name: kinds.get(one.type, 1) for one in table.columns}

    def written(value: float) -> int:
        some = pa.table(
            {n: pa.array([v], table.arrow_schema.field(n).type) for n, v in (row | {name: value}).items()}
        )
        return commit_here(tmp_path / "t", table, some, None, "")

    # Checks that delta-rs cannot work out would leave every commit of prices to Spark.
    assert written(1.5) == 1
    for value in (float("inf"), float("nan")):
        with pytest.raises(NotHereError, match="validation check"):
            written(value)
