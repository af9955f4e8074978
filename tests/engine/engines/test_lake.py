from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrameWriterV2

from acceleray.engines.delta.delta_rs import OvertakenError
from acceleray.engines.delta.lake import Commit, Lake
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.tables.contract import CONTRACT_VERSION, Column, Table, source_column
from acceleray.tables.stored import CONTRACT_PROPERTY

NOTES = Table(
    layer="bronze",
    name="notes",
    comment='A table for tests; it\'s here to be "odd".',
    scope="source",
    key=("source", "name"),
    columns=(
        source_column(),
        Column("name", "string", "What isn't `plain`"),
        Column("amount", "double", "Amount", "%", nullable=True),
        Column("written_at", "timestamp", "When", "UTC", volatile=True),
    ),
    checks=(("amount_is_positive", "amount > 0"),),
)
ODD = 'it\'s `odd` \\ "very"; -- é€'


def notes(source: str, hour: int = 0, **amounts: float | None) -> pa.Table:
    written = datetime(2024, 1, 1, hour, tzinfo=UTC)
    rows = [
        {"source": source, "name": name, "amount": amount, "written_at": written}
        for name, amount in amounts.items()
    ]
    return pa.Table.from_pylist(rows, schema=NOTES.arrow_schema)


def content(lake: Lake, source: str | None = None) -> dict[tuple[str, str], float | None]:
    rows = lake.read(NOTES, source).collect()
    assert len(rows) == len({(row["source"], row["name"]) for row in rows})
    return {(row["source"], row["name"]): row["amount"] for row in rows}


@pytest.fixture(scope="module")
def runs(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    """One project with two sources in its table, for tests that leave it as they found it."""
    make = new_project()
    lake = make().lake
    lake.commit(NOTES, notes("one", a=1.0, b=2.0), "one")
    lake.commit(NOTES, notes(ODD, a=3.0), ODD)
    return make


@pytest.fixture
def lake(runs: Callable[..., Run]) -> Lake:
    return runs().lake


def test_replacing_one_source_leaves_the_other_source_alone(make_run: Callable[..., Run]) -> None:
    lake = make_run().lake
    lake.commit(NOTES, notes("one", a=1.0, b=2.0), "one")
    lake.commit(NOTES, notes("two", a=9.0), "two")
    commit = lake.commit(NOTES, notes("one", c=5.0), "one")
    assert (commit.rows, commit.changed) == (1, True)
    assert content(lake) == {("one", "c"): 5.0, ("two", "a"): 9.0}
    assert content(lake, "two") == {("two", "a"): 9.0}
    # What was there before can still be read by its version.
    assert lake.read(NOTES, "one", version=commit.version - 1).count() == 2


def test_the_same_rows_again_write_no_version_in_any_order_and_at_any_time(lake: Lake) -> None:
    before = lake.version(NOTES)
    commit = lake.commit(NOTES, notes("one", hour=7, b=2.0, a=1.0), "one")
    assert commit == Commit(NOTES, before, 2, commit.fingerprint, changed=False)
    assert lake.version(NOTES) == before


def test_a_name_full_of_quotes_is_a_name_and_nothing_else(lake: Lake) -> None:
    assert content(lake, ODD) == {(ODD, "a"): 3.0}
    assert content(lake, "x' OR '1' = '1") == {}
    before = lake.version(NOTES)
    assert not lake.commit(NOTES, notes(ODD, a=3.0), ODD).changed
    assert lake.version(NOTES) == before


def test_a_row_that_breaks_a_constraint_leaves_the_table_untouched(lake: Lake) -> None:
    before, rows = lake.version(NOTES), content(lake)
    with pytest.raises(Exception, match="amount_is_positive"):
        lake.commit(NOTES, notes("one", a=1.0, b=-2.0), "one")
    assert (lake.version(NOTES), content(lake)) == (before, rows)


def test_a_missing_value_in_a_required_column_leaves_the_table_untouched(lake: Lake) -> None:
    before, rows = lake.version(NOTES), content(lake)
    nothing: Any = None
    with pytest.raises(Exception, match=r"(?i)null"):
        lake.commit(NOTES, notes(nothing, a=1.0), "one")
    assert (lake.version(NOTES), content(lake)) == (before, rows)


def test_rows_of_another_source_cannot_be_written_under_this_one(lake: Lake) -> None:
    before, rows = lake.version(NOTES), content(lake)
    with pytest.raises(Exception, match=r"(?i)replaceWhere|does not conform|DELTA_"):
        lake.commit(NOTES, notes("two", a=1.0), "one")
    assert (lake.version(NOTES), content(lake)) == (before, rows)


def test_a_second_process_finds_the_tables_of_the_first(runs: Callable[..., Run], spark: Any) -> None:
    first = runs().lake
    spark.sql(f"DROP TABLE {first.identifier(NOTES)}")  # the session forgets, the files stay
    assert content(runs().lake, "one") == {("one", "a"): 1.0, ("one", "b"): 2.0}


def test_a_table_of_an_older_contract_gets_the_columns_it_lacks(
    make_run: Callable[..., Run], spark: Any
) -> None:
    older = replace(
        NOTES, columns=tuple(column for column in NOTES.columns if column.name != "amount"), checks=()
    )
    make_run().lake.commit(older, notes("one", a=1.0).drop_columns("amount"), "one")
    lake = make_run().lake
    make_run().lake.open(older)
    spark.sql(f"ALTER TABLE {lake.identifier(NOTES)} SET TBLPROPERTIES ('{CONTRACT_PROPERTY}' = '1')")
    lake.commit(NOTES, notes("two", b=2.0), "two")
    assert content(lake) == {("one", "a"): None, ("two", "b"): 2.0}
    again = make_run().lake
    before = again.version(NOTES)
    again.open(NOTES)
    assert make_run().lake.version(NOTES) == before, "adding columns is done once"


def test_a_table_of_a_newer_contract_is_refused_in_one_line(make_run: Callable[..., Run], spark: Any) -> None:
    lake = make_run().lake
    lake.open(NOTES)
    newer = CONTRACT_VERSION + 1
    spark.sql(f"ALTER TABLE {lake.identifier(NOTES)} SET TBLPROPERTIES ('{CONTRACT_PROPERTY}' = '{newer}')")
    later = make_run().lake
    before = spark.sql(f"DESCRIBE HISTORY {lake.identifier(NOTES)}").count()
    with pytest.raises(PortfolioError, match=rf"bronze.notes was written by contract {newer}") as refused:
        later.commit(NOTES, notes("one", a=1.0), "one")
    assert "\n" not in str(refused.value)
    assert spark.sql(f"DESCRIBE HISTORY {lake.identifier(NOTES)}").count() == before


def test_units_and_comments_of_the_declaration_reach_the_table(lake: Lake, spark: Any) -> None:
    rows = spark.sql(f"DESCRIBE {lake.identifier(NOTES)}").collect()
    described = {row["col_name"]: row["comment"] for row in rows}
    assert described["amount"] == "Amount [%]"
    assert described["name"] == "What isn't `plain`"


@pytest.mark.nightly
@pytest.mark.parametrize("by_spark", [True, False])
def test_two_writers_of_one_table_both_commit_everything(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, by_spark: bool
) -> None:
    make_run().lake.open(NOTES)
    waits: list[float] = []
    monkeypatch.setattr("acceleray.engines.delta.retrying.sleep", waits.append)
    lakes, turns = {name: make_run().lake for name in ("a", "b")}, 0
    # Spark's, until they did meet, so that at least one commit was tried again; delta-rs sees for itself that
    # the other's rows are other rows.
    while (by_spark and not waits) or turns < (3 if by_spark else 40):
        assert turns < 41, "they never met"
        turns += 1
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, lakes.values(), lakes, [turns] * 2, [by_spark] * 2))
    assert content(make_run().lake) == {(n, str(turn)): 5.0 for n in ("a", "b") for turn in range(turns)}


@pytest.mark.parametrize("by_spark", [True, False])
def test_a_table_that_is_always_busy_is_given_up_in_one_line(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, by_spark: bool
) -> None:
    lake = make_run().lake
    lake.open(NOTES)
    waits: list[float] = []

    def busy(*arguments: Any, **more: Any) -> None:
        if by_spark:
            raise RuntimeError("[DELTA_CONCURRENT_APPEND] Files were added by a concurrent update.")
        raise OvertakenError("a concurrent transaction added new data")

    monkeypatch.setattr("acceleray.engines.delta.retrying.sleep", waits.append)
    monkeypatch.setattr(DataFrameWriterV2, "overwrite", busy)
    monkeypatch.setattr("acceleray.engines.delta.lake.commit_here", busy)
    with pytest.raises(PortfolioError, match=r"^Other writers changed bronze.notes during each of 6 tries"):
        lake.commit(NOTES, given(lake, notes("one", a=1.0), by_spark), "one")
    assert len(waits) == 5
    assert waits[-1] > waits[0]


def test_a_commit_is_refused_if_rows_are_missing(lake: Lake) -> None:
    before = lake.version(NOTES)
    with pytest.raises(PortfolioError, match=r"was to be given 3 rows, but Spark read 2"):
        lake.commit(NOTES, notes("one", a=1.0, b=3.0), "one", rows_expected=3)
    assert lake.version(NOTES) == before


def given(lake: Lake, rows: pa.Table, by_spark: bool) -> Any:
    """Return rows as Spark has them, or as they are."""
    return lake.frame(NOTES, rows) if by_spark else rows


def write(lake: Lake, source: str, count: int, by_spark: bool) -> None:
    rows = notes(source, **{str(number): 5.0 for number in range(count)})
    commit = lake.commit(NOTES, given(lake, rows, by_spark), source)
    assert commit.rows == count
    assert lake.read(NOTES, source, commit.version).count() == count


def test_tables_lie_in_the_project_whatever_its_folder_is_called(
    make_run: Callable[..., Run], tmp_path: Path
) -> None:
    odd = tmp_path / "it's 100 %41 [x]{y,z} * ü # ?"
    odd.mkdir()
    run = make_run()
    settings = run.settings.model_copy(update={"project_dir": odd})
    assert Lake(run.lake.spark, settings).commit(NOTES, notes("one", a=1.0), "one").changed
    assert len(list((settings.state_dir / "warehouse").glob("bronze*/notes/_delta_log"))) == 1
    assert [folder.name for folder in tmp_path.iterdir()] == [odd.name]
    assert not Lake(run.lake.spark, settings).commit(NOTES, notes("one", a=1.0), "one").changed


def test_where_spark_has_other_machines_it_makes_every_commit(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = make_run().lake
    elsewhere = there.settings.model_copy(update={"profile": "cluster"})
    with monkeypatch.context() as patched:
        patched.setattr(
            "acceleray.engines.delta.lake.commit_here", lambda *_, **__: pytest.fail("by delta-rs")
        )
        made = Lake(there.spark, elsewhere).commit(NOTES, notes("one", a=1.0, b=2.0), "one")
    # What Spark committed and hashed is what one process alone would have.
    again = there.commit(NOTES, notes("one", a=1.0, b=2.0), "one")
    assert (again.changed, again.rows, again.fingerprint) == (False, made.rows, made.fingerprint)
