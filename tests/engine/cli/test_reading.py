"""Tables, rows and their lineage, on a real Spark."""

import csv
import errno
import itertools
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from acceleray.settings import Settings, load
from acceleray.tables import CALIBRATION, PRICES_RECEIVED, RUN_TABLES, RUNS, Table

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
Start = Callable[..., "subprocess.Popen[str]"]

_folders = itertools.count(1)


@pytest.fixture(scope="module")
def warehouse(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder with two runs, their calibration, and the prices they read."""
    from acceleray.engines.delta.lake import Lake

    folder = tmp_path_factory.mktemp("warehouse")
    (folder / "conf").mkdir()
    names = {layer: f"{layer}_cli_{os.getpid()}_{next(_folders)}" for layer in ("bronze", "silver", "gold")}
    (folder / "conf" / "base.yml").write_text(f"project: {{name: P, customer: C}}\ncatalog: {names}\n")
    (folder / "conf" / "local.yml").write_text("")
    settings = load(folder)
    lake = Lake(spark, settings)
    for number, run_id in enumerate(("run-1", "run-2"), start=1):
        one = {"run_id": run_id, "source": "sample", "load_id": "load-1", "seed": 4711, "settings_json": "{}"}
        when = datetime(2026, 1, number, tzinfo=UTC)
        fitted = {"run_id": run_id, "mu": 0.1, "next_sigma": 1 / 3}
        for declared, rows in (
            (RUNS, [one | {"workload": "end_to_end_pipeline", "finished_at": when}]),
            (RUN_TABLES, [{"run_id": run_id, "stage": "ingest", "direction": "wrote", "version": 12345}]),
            (CALIBRATION, [fitted | {"instrument_id": name} for name in ("ÄÖ", "B")]),
        ):
            lake.commit(declared, filled(declared, rows), run_id)
    prices = [{"source": "sample", "instrument_id": "B", "load_id": "load-1"}]
    lake.commit(PRICES_RECEIVED, filled(PRICES_RECEIVED, prices), "sample")
    return folder


@pytest.fixture
def reading(warehouse: Path, spark: Any, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """Return `portfolio` working on the warehouse, with the Spark session that tests share."""
    from acceleray.engines.spark import session as module

    @contextmanager
    def shared(settings: Settings) -> Iterator[Any]:
        yield spark

    monkeypatch.setattr(module, "spark_session", shared)
    monkeypatch.chdir(warehouse)
    return portfolio


def filled(declared: Table, rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows with something plausible in every column that they leave out."""
    plain = {
        "string": "calibrated" if declared is CALIBRATION else "x",
        "double": 0.5,
        "long": 1,
        "boolean": True,
        "date": date(2020, 1, 2),
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }
    defaults = {column.name: None if column.nullable else plain[column.type] for column in declared.columns}
    return pa.Table.from_pylist([defaults | row for row in rows], schema=declared.arrow_schema)


@pytest.mark.spark
def test_tables_lists_every_table_and_creates_none(reading: Portfolio, warehouse: Path) -> None:
    before = sorted(warehouse.glob("var/warehouse/*/*"))
    code, out, _ = reading("tables")
    assert (code, sorted(warehouse.glob("var/warehouse/*/*"))) == (0, before)
    lines = {line.split()[0]: line for line in out}
    assert re.match(
        r"gold\.calibration +4 +2 +20\d\d-\d\d-\d\d \d\d:\d\d +GJR-GARCH", lines["gold.calibration"]
    )
    assert "not created yet" in lines["gold.risk_measures"]


@pytest.mark.spark
def test_show_gives_rows_in_the_order_of_the_key(reading: Portfolio) -> None:
    code, out, err = reading("show", "calibration", "--where", "instrument_id = 'ÄÖ'", "--limit", "1")
    assert (code, len(out)) == (0, 2)
    assert out[1].split()[:3] == ["run-1", "2020-01-02", "ÄÖ"]
    assert err == ["gold.calibration: 1 of 2 rows; --limit N shows more, --csv FILE writes all of them"]


@pytest.mark.spark
@pytest.mark.parametrize("where", ["nope = 1", "a(", "mu", "1/0 = 1", "run_id = 'x'; DROP TABLE x"])
def test_a_condition_that_spark_does_not_understand_is_one_line(reading: Portfolio, where: str) -> None:
    code, out, err = reading("show", "gold.calibration", "--where", where)
    assert (code, out, len(err)) == (2, [], 1), err
    assert err[0].startswith("Error: --where ")
    assert "SQLSTATE" not in err[0]


@pytest.mark.spark
def test_show_of_nothing_says_so_with_exit_code_1(reading: Portfolio) -> None:
    assert reading("show", "gold.calibration", "--where", "mu > 9") == (
        1,
        [],
        ["gold.calibration: 0 of 0 rows"],
    )
    code, out, err = reading("show", "gold.positions")
    assert (code, out) == (1, [])
    assert err == ["gold.positions has not been created yet; run a workload that writes it."]


@pytest.mark.spark
def test_csv_holds_every_matching_row_exactly(reading: Portfolio, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before")
    code, out, _ = reading("show", "gold.calibration", "--csv", str(target))
    assert (code, out) == (0, [f"gold.calibration: 4 rows written to {target}"])
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["instrument_id"] for row in rows] == ["B", "ÄÖ", "B", "ÄÖ"]
    assert (rows[0]["mu"], rows[0]["omega"], rows[0]["as_of"]) == ("0.1", "", "2020-01-02")
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.spark
def test_a_csv_that_cannot_be_finished_leaves_the_old_file(
    reading: Portfolio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import csv as arrow_csv

    def full(rows: Any, path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(arrow_csv, "write_csv", full)
    target = tmp_path / "out.csv"
    target.write_text("before")
    code, _, err = reading("show", "gold.calibration", "--csv", str(target))
    assert (code, target.read_text(), list(tmp_path.glob(".*"))) == (1, "before", [])
    assert "The disk is full" in err[0]


@pytest.mark.spark
def test_lineage_leads_from_a_row_to_its_run(reading: Portfolio) -> None:
    code, out, _ = reading("lineage", "gold.calibration", "instrument_id=B", "run_id=run-2")
    assert (code, out[0]) == (0, "Run run-2")
    assert "  Seed           4711" in out
    assert any("12345" in line for line in out)
    assert not any("run-1" in line for line in out)


@pytest.mark.spark
def test_lineage_of_a_row_in_several_runs_lists_each_the_latest_first(reading: Portfolio) -> None:
    _, out, _ = reading("lineage", "gold.calibration", "instrument_id=B")
    assert [line for line in out if line.startswith("Run ")] == ["Run run-2", "Run run-1"]


@pytest.mark.spark
def test_lineage_finds_a_row_by_a_number_as_it_is_shown(
    reading: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "2000")
    _, out, _ = reading("show", "gold.calibration", "--where", "run_id = 'run-2' AND instrument_id = 'B'")
    assert "0.333333" in out[1].split()
    code, found, _ = reading("lineage", "gold.calibration", "next_sigma=0.333333", "run_id=run-2")
    assert (code, found[0]) == (0, "Run run-2")
    assert reading("lineage", "gold.calibration", "next_sigma=0.3333")[0] == 1


@pytest.mark.spark
def test_lineage_of_a_price_leads_to_its_load_and_every_run_that_read_it(reading: Portfolio) -> None:
    code, out, _ = reading("lineage", "prices_received", "instrument_id=B")
    assert (code, out[0]) == (0, "Load load-1")
    assert sum("end_to_end_pipeline" in line for line in out) == 2


@pytest.mark.spark
def test_lineage_of_no_row_is_one_line_and_exit_code_1(reading: Portfolio) -> None:
    code, out, err = reading("lineage", "gold.calibration", "instrument_id=nobody")
    assert (code, out, err) == (1, [], ["gold.calibration has no row with instrument_id=nobody."])
    code, out, err = reading("lineage", "gold.calibration", "instrument=B")
    assert (code, out, len(err)) == (2, [], 1)
    assert "did you mean instrument_id?" in err[0]


@pytest.mark.spark
def test_the_real_command_reads_a_table_and_ends_quietly(warehouse: Path, python: Start) -> None:
    process = python("-m", "portfolio", "show", "gold.runs", "--limit", "1", cwd=warehouse)
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0
    assert out.splitlines()[1].startswith("run-1 ")
    assert err.splitlines() == ["gold.runs: 1 of 2 rows; --limit N shows more, --csv FILE writes all of them"]
