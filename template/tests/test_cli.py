"""The command line: what it prints and how it ends; most of it with a stand-in where Spark would start."""

import csv
import errno
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest

from portfolio.cli import main
from portfolio.cli.text import cell, grid, table
from portfolio.settings import Settings, load
from portfolio.tables import CALIBRATION, PRICES_RECEIVED, RUN_TABLES, RUNS, Table

Said = tuple[int, list[str], list[str]]
Portfolio = Callable[..., Said]
SOURCE = [str(path) for path in sys.path if path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project folder, which is also the current one."""
    folder = tmp_path / "Mein Projekt ä"
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "base.yml").write_text("project: {name: P, customer: C}\n")
    (folder / "conf" / "local.yml").write_text("profile: local\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def portfolio(project: Path, capsys: pytest.CaptureFixture[str]) -> Portfolio:
    """Return a function that runs a command here and returns its exit code, output and errors."""

    def command(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return command


def in_another_process(*arguments: str, **named: Any) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(SOURCE), "PYTHONIOENCODING": "utf-8"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *arguments], env=environment, **streams, **named)  # type: ignore[call-overload,no-any-return]


# Help and bad input: nothing starts.


def test_help_is_instant_and_names_every_command() -> None:
    seconds = []
    for _ in range(2):
        started = time.monotonic()
        out, _ = in_another_process("-m", "portfolio", "--help").communicate()
        seconds.append(time.monotonic() - started)
    for name in ("run", "workloads", "tables", "show", "lineage", "doctor"):
        assert re.search(rf"^  {name} ", out, re.MULTILINE), name
    # The second time: the first one may have to compile the modules.
    assert min(seconds) < 2.0


def test_help_needs_none_of_the_heavy_libraries() -> None:
    script = "import sys; from portfolio.cli import main; main(['run', '--help']); print(*sys.modules)"
    out, _ = in_another_process("-c", script).communicate()
    assert not {"pyspark", "ray", "mlflow", "pandas", "numpy", "pyarrow"} & set(out.splitlines()[-1].split())


@pytest.mark.parametrize("command", ["run", "show", "lineage"])
def test_the_help_of_a_command_shows_how_it_is_called(portfolio: Portfolio, command: str) -> None:
    code, out, _ = portfolio(command, "--help")
    assert code == 0
    assert any(line.strip().startswith(f"portfolio {command} ") for line in out)


def test_the_version_is_one_line(portfolio: Portfolio) -> None:
    code, out, _ = portfolio("--version")
    assert (code, len(out)) == (0, 1)
    assert "Python 3." in out[0]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("rnu",), "No such command 'rnu'"),
        (("run",), "Missing argument 'WORKLOAD'"),
        (("show", "gold.runs", "--limit", "0"), "Invalid value for '--limit'"),
        (("tables", "--set", "ray.worker=1"), "Unknown setting 'ray.worker'; did you mean ray.workers?"),
        (("tables", "--set", "ray.workers"), "--set wants section.key=value, not 'ray.workers'."),
        (("tables", "--environment", "prod"), "No settings file"),
        (("tables", "--project", "/"), "/ has no conf/base.yml"),
        (("run", "x", "--as-of", "28.12.2022"), "--as-of wants a date like 2020-06-30, not '28.12.2022'."),
        (("run", "x", "--profile", "laptop"), "Setting profile = 'laptop' is not usable"),
        (("show", "gold.calibrations"), "Unknown table 'gold.calibrations'; did you mean gold.calibration?"),
        (("lineage", "risk_measure"), "Unknown table 'risk_measure'; did you mean gold.risk_measures?"),
        (("show", "runs", "--csv", "no/such/folder/x.csv"), "no/such/folder/x.csv cannot be written"),
    ],
)
def test_bad_input_is_one_plain_line_and_exit_code_2(
    portfolio: Portfolio, project: Path, arguments: tuple[str, ...], line: str
) -> None:
    code, out, err = portfolio(*arguments)
    assert (code, out, len(err)) == (2, [], 1), err
    assert err[0].startswith(f"Error: {line}")
    assert not (project / "var").exists()


def test_an_unknown_workload_names_the_nearest(portfolio: Portfolio) -> None:
    code, _, err = portfolio("run", "end_to_end_pipelin")
    assert (code, len(err)) == (2, 1)
    assert "Unknown workload 'end_to_end_pipelin'" in err[0]
    assert "end_to_end_pipeline" in err[0]


def test_outside_of_a_project_one_line_says_so(
    tmp_path: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = portfolio("tables")
    assert (code, len(err)) == (2, 1)
    assert "--project DIR" in err[0]


def test_a_project_is_found_from_a_folder_inside_it(
    project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "notebooks" / "deep")
    assert portfolio("doctor")[1][1].startswith("ok       Settings: ")


# What a run says at its end.


@pytest.mark.parametrize("columns", ["20", "200"])
def test_the_last_line_of_a_run_is_its_report_whatever_the_width(
    project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    from portfolio import workload, workloads

    seen: list[Settings] = []
    report = project / "var" / ("long-name-" * 15) / "ä b.html"
    ended = workload.Conclusion((("VaR 99 %, 1 day", "31,000 USD"),), "passed: 17 of 10.4", report)

    def execute(found: str, settings: Settings, reporter: Any) -> Any:
        seen.append(settings)
        return workload.Outcome("r1", (("ingest", 1200, 1.26), ("report", 0, 0.5)), ended)

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(workloads, "find", str)
    monkeypatch.setattr(workload, "execute", execute)
    code, out, _ = portfolio("run", "any", "--as-of", "2020-06-30", "--set", "seed=3", "--profile", "local")
    assert code == 0
    assert out[-1] == f"Report: {report}"
    assert out[:3] == ["stage   rows  seconds", "ingest  1200      1.3", "report     0      0.5"]
    assert "VaR 99 %, 1 day  31,000 USD" in out
    assert "Backtest         passed: 17 of 10.4" in out
    assert (seen[0].as_of, seen[0].seed, seen[0].profile) == (date(2020, 6, 30), 3, "local")


# What goes wrong inside.


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes `portfolio tables` raise."""
    from portfolio.cli import reading

    def fail_with(error: BaseException) -> None:
        def fail(settings: Settings) -> list[str]:
            raise error

        monkeypatch.setattr(reading, "list_tables", fail)

    return fail_with


def test_an_unexpected_failure_is_one_line_and_a_log_with_the_traceback(
    project: Path, portfolio: Portfolio, failing: Callable[[BaseException], None]
) -> None:
    failing(ZeroDivisionError("first line\nsecond line"))
    code, out, err = portfolio("tables")
    assert (code, out, len(err)) == (1, [], 1)
    [log] = (project / "var" / "logs").iterdir()
    assert err[0] == f"Error: Unexpected failure: ZeroDivisionError: first line (details in {log})"
    text = log.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "second line" in text


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("Job aborted.\njava.io.IOException: No space left on device"),
    ],
)
def test_a_full_disk_is_called_by_its_name(
    portfolio: Portfolio, failing: Callable[[BaseException], None], error: Exception
) -> None:
    wrapped = ValueError("something else")
    wrapped.__cause__ = error
    failing(wrapped)
    code, _, err = portfolio("tables")
    assert (code, len(err)) == (1, 1)
    assert re.match(
        r"Error: The disk is full \(\d+ MB free at .*\); no table was left half-written\.", err[0]
    )


def test_ctrl_c_is_one_line_and_130(portfolio: Portfolio, failing: Callable[[BaseException], None]) -> None:
    failing(KeyboardInterrupt())
    assert portfolio("tables") == (130, [], ["Error: Stopped; no table was left half-written."])


def test_a_reader_that_stops_reading_is_no_failure(project: Path) -> None:
    script = "import sys; from portfolio.cli import guard, text;"
    script += "sys.exit(guard.guarded(lambda: text.tell(map(str, range(100000))) or 0, guard.Place()))"
    with in_another_process("-c", script) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr.read() == ""


# Being told to stop.

CLEANS_UP = """
import subprocess, sys, time
from pathlib import Path
from portfolio.cli.guard import Place, guarded
def action():
    child = subprocess.Popen(["sleep", "60"])
    try:
        print(child.pid, flush=True)
        time.sleep(60)
    finally:
        time.sleep(float(sys.argv[1]))
        child.kill()
        child.wait()
        print("clean", flush=True)
    return 0
sys.exit(guarded(action, Place()))
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_run_told_to_stop_cleans_up_even_if_it_is_told_twice(number: int, code: int) -> None:
    with in_another_process("-c", CLEANS_UP, "1.0") as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.send_signal(number)
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "clean\n")
    assert err.splitlines()[-1] == "Error: Stopped; no table was left half-written."
    assert "Traceback" not in err
    assert not psutil.pid_exists(child)


def test_the_third_signal_ends_at_once_and_takes_the_children_along() -> None:
    with in_another_process("-c", CLEANS_UP, "60") as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert process.wait(timeout=10) == 130
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


QUERY = """
import sys
from pathlib import Path
from portfolio.cli.guard import Place, guarded
from portfolio.engines.spark import spark_session
from portfolio.settings import load
def action():
    with spark_session(load(Path(sys.argv[1]))) as spark:
        print("ready", flush=True)
        spark.range(10**13).selectExpr("max(hash(id))").collect()
sys.exit(guarded(action, Place()))
"""


@pytest.mark.spark
def test_a_run_told_to_stop_in_the_middle_of_a_query_leaves_no_java_behind(project: Path) -> None:
    with in_another_process("-c", QUERY, str(project)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(2.0)
        children = psutil.Process(process.pid).children(recursive=True)
        assert any("java" in child.name() for child in children)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "Error: Stopped; no table was left half-written.\n")
    assert not psutil.wait_procs(children, timeout=10)[1]


# Tables, on a real Spark.

_folders = itertools.count(1)


@pytest.fixture(scope="module")
def warehouse(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project folder with two runs, their calibration, and the prices they read."""
    from portfolio.engines.lake import Lake

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
        for declared, rows in (
            (RUNS, [one | {"workload": "end_to_end_pipeline", "finished_at": when}]),
            (RUN_TABLES, [{"run_id": run_id, "stage": "ingest", "direction": "wrote", "version": 12345}]),
            (CALIBRATION, [{"run_id": run_id, "instrument_id": name, "mu": 0.1} for name in ("ÄÖ", "B")]),
        ):
            lake.commit(declared, filled(declared, rows), run_id)
    prices = [{"source": "sample", "instrument_id": "B", "load_id": "load-1"}]
    lake.commit(PRICES_RECEIVED, filled(PRICES_RECEIVED, prices), "sample")
    return folder


@pytest.fixture
def reading(warehouse: Path, spark: Any, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """Return `portfolio` working on the warehouse, with the Spark session that tests share."""
    from portfolio.engines import spark as module

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
def test_the_real_command_reads_a_table_and_ends_quietly(warehouse: Path) -> None:
    process = in_another_process("-m", "portfolio", "show", "gold.runs", "--limit", "1", cwd=warehouse)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert out.splitlines()[1].startswith("run-1 ")
    assert err.splitlines() == ["gold.runs: 1 of 2 rows; --limit N shows more, --csv FILE writes all of them"]


# Rows as text.


def test_a_grid_aligns_numbers_on_the_right_and_wide_letters_by_what_they_take() -> None:
    rows = [("日本", 1.5, None), ("b", 12.0, True)]
    assert grid(("name", "value", "ok"), rows) == ["name  value  ok", "日本    1.5", "b        12  yes"]


def test_what_is_wider_than_the_terminal_becomes_one_record_below_the_other() -> None:
    rows = [("a" * 30, 1), ("b", 2)]
    assert table(("name", "n"), rows, width=20) == [
        "row 1",
        f"  name  {'a' * 30}",
        "  n     1",
        "row 2",
        "  name  b",
        "  n     2",
    ]
    assert len(table(("name", "n"), rows, width=None)) == 3


def test_no_value_can_control_the_terminal() -> None:
    assert cell("a\x1b[31mb\nc") == "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}c"
