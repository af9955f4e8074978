"""The same commands on tables that Spark has written, and where only Spark can read them."""

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acceleray.engines.delta.files import ConditionError, FilesReader
from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import UnreadableLogError
from acceleray.engines.delta.reader import Reader, records
from acceleray.engines.delta.spark_reader import SparkReader
from acceleray.errors import PortfolioError
from acceleray.settings import Settings, load
from acceleray.tables import CALIBRATION, RUNS, Column
from cli.test_reading import filled

pytestmark = pytest.mark.spark

_folders = itertools.count(1)


@pytest.fixture
def lake(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return the tables of a new project; its readers use the session that tests share."""
    from acceleray.engines.spark import session as module

    @contextmanager
    def shared(settings: Settings) -> Iterator[Any]:
        yield spark

    monkeypatch.setattr(module, "spark_session", shared)
    return Lake(spark, project(tmp_path / "project"))


def project(folder: Path) -> Settings:
    (folder / "conf").mkdir(parents=True)
    names = {layer: f"{layer}_by_{os.getpid()}_{next(_folders)}" for layer in ("bronze", "silver", "gold")}
    (folder / "conf" / "base.yml").write_text(f"project: {{name: P, customer: C}}\ncatalog: {names}\n")
    (folder / "conf" / "local.yml").write_text("")
    return load(folder)


def fill(lake: Lake) -> None:
    for number, run_id in enumerate(("run-1", "run-2"), start=1):
        rows = [
            {"run_id": run_id, "instrument_id": name, "mu": mu, "observations": number, "next_sigma": 1 / 3}
            for name, mu in (("ÄÖ", 0.1), ("B", -0.0), ("it's", None), ("a\\b/c", float(number)))
        ]
        lake.commit(CALIBRATION, filled(CALIBRATION, rows), run_id)


def test_files_and_spark_agree_on_rows_conditions_versions_and_order(lake: Lake) -> None:
    fill(lake)
    files, by_spark = FilesReader(lake.settings), SparkReader(lake)
    ours, theirs = files.overview(CALIBRATION), by_spark.overview(CALIBRATION)
    assert (ours.rows, ours.version) == (theirs.rows, theirs.version) == (8, 2)
    assert ours.committed is not None
    assert theirs.committed is not None
    assert abs((ours.committed - theirs.committed).total_seconds()) < 60
    whole = files.rows(CALIBRATION)
    assert records(whole) == records(by_spark.rows(CALIBRATION))
    assert whole.schema.names == list(CALIBRATION.column_names)
    assert [field.type for field in whole.schema] == [field.type for field in CALIBRATION.arrow_schema]
    told = {}
    for where in CONDITIONS:
        found = records(files.rows(CALIBRATION, where=where))
        assert found == records(by_spark.rows(CALIBRATION, where=where)), where
        assert files.count(CALIBRATION, where) == by_spark.count(CALIBRATION, where) == len(found), where
        told[where] = len(found)
    # Else none of them would say anything.
    assert all(0 < number < 8 for number in told.values()), told
    some = files.rows(CALIBRATION, ["run_id"], "mu IS NULL", limit=1, distinct=True)
    assert records(some) == [{"run_id": "run-1"}]


CONDITIONS = (
    "observations / 2 = 0.5",
    "2 * observations / 4 < 1 AND 'a/b' = 'a/b'",
    "`run_id` = 'run-1'",
    'run_id = "run-1"',
    "RUN_ID <=> 'run-1'",
    "run_id == 'run-1' AND NOT instrument_id IN ('B', 'C')",
    "instrument_id LIKE 'Ä%'",
    "instrument_id = 'it\\'s'",
    "instrument_id = 'a\\\\b/c'",
    "as_of = date'2020-01-02' AND as_of < '2020-01-03' AND mu > 0",
    "mu BETWEEN 0 AND 0.2",
    "mu = 0",
    "abs(mu - 0.1) < 1e-9",
    "mu IS NULL",
    "observations % 2 = 1",
    "CASE WHEN mu > 0.05 THEN true ELSE false END",
)


REFUSED = ("nope = 1", "a(", "mu", "1 % 0 = 1")


@pytest.mark.parametrize(
    "where",
    ["run_id = 'x'; DROP TABLE x", *(pytest.param(one, marks=pytest.mark.nightly) for one in REFUSED)],
)
def test_what_one_refuses_the_other_refuses_in_one_line(lake: Lake, where: str) -> None:
    fill(lake)
    for source in (FilesReader(lake.settings), SparkReader(lake)):
        with pytest.raises(ConditionError) as caught:
            source.count(CALIBRATION, where)
        assert "\n" not in str(caught.value)


@pytest.mark.nightly
def test_rows_that_are_marked_as_deleted_are_not_counted(lake: Lake) -> None:
    fill(lake)
    name = lake.identifier(CALIBRATION)
    lake.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    lake.spark.sql(f"DELETE FROM {name} WHERE instrument_id = 'B'")
    assert FilesReader(lake.settings).overview(CALIBRATION).rows is None
    with ExitStack() as stack:
        reader = Reader(lake.settings, stack)
        assert reader.overview(CALIBRATION).rows == 6
        assert reader.rows(CALIBRATION).num_rows == 6
        assert reader.count(CALIBRATION, "mu IS NULL") == 2


def test_a_feature_that_delta_rs_does_not_know_leads_to_spark_with_one_line(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(lake)
    name = lake.identifier(CALIBRATION)
    lake.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.feature.typeWidening' = 'supported')")
    with ExitStack() as stack:
        reader = Reader(lake.settings, stack)
        assert reader.overview(CALIBRATION).rows == 8
        assert capsys.readouterr().err == "", "the log says it"
        assert reader.count(CALIBRATION, "mu IS NULL") == 2
        with pytest.raises(ConditionError):
            reader.count(CALIBRATION, "nope = 1")
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("gold.calibration is read by Spark, because it cannot be without: ")
    assert "TypeWidening" in line


@pytest.mark.nightly
def test_a_path_that_delta_rs_would_misread_leads_to_spark_with_one_line(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Lake(lake.spark, project(tmp_path / "50%20 x"))
    other.commit(RUNS, filled(RUNS, [{"run_id": "a"}]), "a")
    with ExitStack() as stack:
        reader = Reader(other.settings, stack)
        assert (reader.overview(RUNS).rows, reader.rows(RUNS).num_rows) == (1, 1)
    [line] = capsys.readouterr().err.splitlines()
    assert re.match(r"gold\.runs is read by Spark, because it cannot be without: .*percent sign", line)


@pytest.mark.nightly
def test_a_column_that_an_older_contract_did_not_have_is_empty_and_nothing_is_changed(lake: Lake) -> None:
    fill(lake)
    before = FilesReader(lake.settings).overview(CALIBRATION)
    now = replace(CALIBRATION, columns=(*CALIBRATION.columns, Column("new", "double", "New", nullable=True)))
    rows = FilesReader(lake.settings).rows(now, where="new IS NULL AND mu > 0")
    assert set(rows.column("new").to_pylist()) == {None}
    assert FilesReader(lake.settings).overview(CALIBRATION) == before


@pytest.mark.nightly
def test_a_table_of_a_newer_contract_is_refused_as_spark_refuses_it(lake: Lake) -> None:
    fill(lake)
    name = lake.identifier(CALIBRATION)
    lake.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('portfolio.contract_version' = '99')")
    lines = []
    for source in (FilesReader(lake.settings), SparkReader(Lake(lake.spark, lake.settings))):
        with pytest.raises(PortfolioError) as caught:
            source.rows(CALIBRATION)
        lines.append(str(caught.value))
    assert lines[0] == lines[1]


def test_a_log_that_is_damaged_is_not_taken_for_an_empty_table(lake: Lake) -> None:
    fill(lake)
    folder = lake.location(CALIBRATION)
    assert folder is not None
    (folder / "_delta_log" / f"{2:020d}.json").write_text("{", encoding="utf-8")
    for ask in (FilesReader(lake.settings).overview, FilesReader(lake.settings).rows):
        with pytest.raises(UnreadableLogError):
            ask(CALIBRATION)
