"""Tables, rows and their lineage, without Spark: delta-rs has written the tables here, in milliseconds.

`test_reading_by_spark.py` reads what Spark has written.
"""

import csv
import errno
import json
import os
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from acceleray.engines.delta.log import table_folder
from acceleray.settings import load
from acceleray.tables import CALIBRATION, MODEL_DECISIONS, PRICES_RECEIVED, RUN_TABLES, RUNS, Table
from engines.living import PATIENCE_S
from portfolio import PROJECT

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
Start = Callable[..., "subprocess.Popen[str]"]

# Runs the command after it and prints which heavy libraries it loaded and which programs it started.
WATCHED = """
import json, sys
started = []
def hook(event, given):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork"):
        started.append(str(given[0]) if given else event)
sys.addaudithook(hook)
from portfolio.__main__ import main
code = main()
heavy = {"pyspark", "py4j", "ray", "mlflow", "pandas", "scipy", "matplotlib"} & set(sys.modules)
print(json.dumps([code, sorted(heavy), started]))
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder with two runs, their calibration, and the prices they read."""
    folder = tmp_path_factory.mktemp("warehouse")
    (folder / "conf").mkdir()
    (folder / "conf" / "base.yml").write_text("project: {name: P, customer: C}\n")
    (folder / "conf" / "local.yml").write_text("")
    for number, run_id in enumerate(("run-1", "run-2"), start=1):
        one = {"run_id": run_id, "source": "sample", "load_id": "load-1", "seed": 4711, "settings_json": "{}"}
        one |= {"code_version": PROJECT.code_version() if number == 2 else "0123-4567"}
        when = datetime(2026, 1, number, tzinfo=UTC)
        fitted = {"run_id": run_id, "mu": 0.1, "next_sigma": 1 / 3}
        add(folder, RUNS, one | {"workload": "end_to_end_pipeline", "finished_at": when})
        add(folder, RUN_TABLES, {"run_id": run_id, "stage": "ingest", "direction": "wrote", "version": 12345})
        add(folder, CALIBRATION, *[fitted | {"instrument_id": name} for name in ("ÄÖ", "B")])
    add(folder, PRICES_RECEIVED, {"source": "sample", "instrument_id": "B", "load_id": "load-1"})
    decided = {"source": "sample", "model_version": 1, "decision": "promoted"}
    add(folder, MODEL_DECISIONS, decided | {"effective_from": date(2020, 1, 2)})
    return folder


def add(folder: Path, declared: Table, *rows: dict[str, Any]) -> None:
    """Commit rows to a table of a project; the first commit is an empty table, as Spark makes one."""
    place = table_folder(load(folder), declared)
    if not place.exists():
        write_deltalake(str(place), declared.arrow_schema.empty_table())
    write_deltalake(str(place), filled(declared, list(rows)), mode="append")


@pytest.fixture
def reading(warehouse: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """Return `portfolio` working on the warehouse, where Spark cannot be started."""
    from acceleray.engines.delta.reader import Reader

    def refuse(reader: Reader) -> None:
        raise AssertionError("Spark was about to be started")

    monkeypatch.setattr(Reader, "_started", refuse)
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


def test_tables_lists_every_table_and_creates_none(reading: Portfolio, warehouse: Path) -> None:
    before = sorted(warehouse.glob("var/warehouse/*/*"))
    code, out, _ = reading("tables")
    assert (code, sorted(warehouse.glob("var/warehouse/*/*"))) == (0, before)
    lines = {line.split()[0]: line for line in out}
    assert re.match(
        r"gold\.calibration +4 +2 +20\d\d-\d\d-\d\d \d\d:\d\d +GJR-GARCH", lines["gold.calibration"]
    )
    assert "not created yet" in lines["gold.risk_measures"]


def test_show_gives_rows_in_the_order_of_the_key(reading: Portfolio) -> None:
    code, out, err = reading("show", "calibration", "--where", "instrument_id = 'ÄÖ'", "--limit", "1")
    assert (code, len(out)) == (0, 2)
    assert out[1].split()[:3] == ["run-1", "2020-01-02", "ÄÖ"]
    assert err == ["gold.calibration: 1 of 2 rows; --limit N shows more, --csv FILE writes all of them"]


@pytest.mark.parametrize(
    "where", ["nope = 1", "a(", "mu", "1 % 0 = 1", "run_id = 'x'; DROP TABLE x", "mu = 'abc'"]
)
def test_a_condition_that_does_not_fit_is_one_line(reading: Portfolio, where: str) -> None:
    code, out, err = reading("show", "gold.calibration", "--where", where)
    assert (code, out, len(err)) == (2, [], 1), err
    assert err[0].startswith("Error: --where ")
    assert "Line: 2" not in err[0]


def test_show_of_nothing_says_so_with_exit_code_1(reading: Portfolio) -> None:
    assert reading("show", "gold.calibration", "--where", "mu > 9") == (
        1,
        [],
        ["gold.calibration: 0 of 0 rows"],
    )
    code, out, err = reading("show", "gold.positions")
    assert (code, out) == (1, [])
    assert err == ["gold.positions has not been created yet; run a workload that writes it."]


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


def test_lineage_leads_from_a_row_to_its_run(reading: Portfolio) -> None:
    code, out, _ = reading("lineage", "gold.calibration", "instrument_id=B", "run_id=run-2")
    assert (code, out[0]) == (0, "Run run-2")
    assert "  Seed           4711" in out
    assert any("12345" in line for line in out)
    assert not any("run-1" in line for line in out)


def test_lineage_of_a_row_in_several_runs_tells_the_latest_and_lists_the_others(reading: Portfolio) -> None:
    code, out, err = reading("lineage", "gold.calibration", "instrument_id=B")
    assert (code, out[0], err) == (0, "Run run-2", [])
    [heading] = [number for number, line in enumerate(out) if line.startswith("1 other run has such a row")]
    told, listed = out[:heading], out[heading + 1 :]
    assert any("12345" in line for line in told)
    assert not any("run-1" in line for line in told)
    assert listed == ["  run-1  end_to_end_pipeline  as of 2020-01-02  finished 2026-01-01 00:00:00 UTC"]


def test_lineage_says_whether_the_code_here_is_that_of_the_run(reading: Portfolio) -> None:
    def code_line(run_id: str) -> str:
        _, out, _ = reading("lineage", "gold.calibration", f"run_id={run_id}")
        return next(line for line in out if "Code version" in line)

    assert code_line("run-2").endswith(f"{PROJECT.code_version()}  (the current code is the same)")
    engine = PROJECT.code_version().partition("-")[0]
    other = f"0123-4567  (the current engine is another, {engine}; src/portfolio differs too)"
    assert code_line("run-1").endswith(other)


def test_lineage_finds_a_row_by_a_number_as_it_is_shown(
    reading: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "2000")
    _, out, _ = reading("show", "gold.calibration", "--where", "run_id = 'run-2' AND instrument_id = 'B'")
    assert "0.333333" in out[1].split()
    code, found, _ = reading("lineage", "gold.calibration", "next_sigma=0.333333", "run_id=run-2")
    assert (code, found[0]) == (0, "Run run-2")
    assert reading("lineage", "gold.calibration", "next_sigma=0.3333")[0] == 1


def test_lineage_of_a_price_leads_to_its_load_and_every_run_that_read_it(reading: Portfolio) -> None:
    code, out, _ = reading("lineage", "prices_received", "instrument_id=B")
    assert (code, out[0]) == (0, "Load load-1")
    assert sum("end_to_end_pipeline" in line for line in out) == 2


def test_lineage_of_no_row_is_one_line_and_exit_code_1(reading: Portfolio) -> None:
    code, out, err = reading("lineage", "gold.calibration", "instrument_id=nobody")
    assert (code, out, err) == (1, [], ["gold.calibration has no row with instrument_id=nobody."])
    code, out, err = reading("lineage", "gold.calibration", "instrument=B")
    assert (code, out, len(err)) == (2, [], 1)
    assert "did you mean instrument_id?" in err[0]


@pytest.mark.parametrize(
    ("profile", "arguments"),
    [
        ("local", ("tables",)),
        ("local", ("show", "gold.runs", "--where", "seed / 2 > 1")),
        ("local", ("show", "gold.runs", "--csv", "out.csv")),
        ("local", ("lineage", "gold.calibration", "instrument_id=B")),
        ("local", ("lineage", "bronze.prices_received")),
        ("local", ("models",)),
        ("local", ("workloads",)),
        ("local", ("doctor",)),
        ("local", ("--version",)),
        ("local", ("--help",)),
        ("cluster", ("tables",)),
        ("cluster", ("show", "gold.calibration")),
        ("cluster", ("doctor",)),
    ],
)
def test_a_command_that_only_looks_loads_no_engine_and_starts_no_program(
    warehouse: Path, tmp_path: Path, python: Start, profile: str, arguments: tuple[str, ...]
) -> None:
    project = tmp_path / "project"
    (project / "conf").mkdir(parents=True)
    (project / "conf" / "base.yml").write_text("project: {name: P, customer: C}\n")
    (project / "conf" / "local.yml").write_text(f"profile: {profile}\n")
    (project / "var").symlink_to(warehouse / "var")
    java = tmp_path / "jdk" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    (tmp_path / "jdk" / "release").write_text('IMPLEMENTOR="X"\nJAVA_VERSION="17.0.9"\n')
    here = os.environ | {"JAVA_HOME": str(tmp_path / "jdk")}
    process = python("-c", WATCHED, *arguments, cwd=project, env=here)
    out, err = process.communicate(timeout=PATIENCE_S)
    code, heavy, started = json.loads(out.splitlines()[-1])
    # What the doctor finds missing is the machine's; here there is not even a pyproject.toml.
    assert (code, heavy, started) == (int(arguments == ("doctor",)), [], []), err


def test_the_real_command_reads_a_table_and_ends_quietly(warehouse: Path, python: Start) -> None:
    process = python("-m", "portfolio", "show", "gold.runs", "--limit", "1", cwd=warehouse)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert out.splitlines()[1].startswith("run-1 ")
    assert err.splitlines() == ["gold.runs: 1 of 2 rows; --limit N shows more, --csv FILE writes all of them"]
