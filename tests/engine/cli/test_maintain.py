"""Table upkeep by command, on a real Spark in a separate process."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from acceleray.engines.processes.lock import run_lock
from acceleray.runtime.run import Run
from acceleray.tables import RUN_TABLES

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
Start = Callable[..., Any]
DAY = datetime(2024, 1, 2, tzinfo=UTC).date()


@pytest.mark.nightly
@pytest.mark.spark
def test_maintain_compacts_what_is_there_and_prints_its_table_alone(
    make_run: Callable[..., Run], python: Start
) -> None:
    run = make_run()
    for run_id in ("run-1", "run-2", "run-3"):
        row = {"run_id": run_id, "as_of": DAY, "stage": "ingest", "direction": "wrote", "table_name": "t"}
        row |= {"version": 1, "row_count": 2, "fingerprint": "0"}
        rows = pa.Table.from_pylist([row], schema=RUN_TABLES.arrow_schema)
        run.lake.commit(RUN_TABLES, rows, run_id)
    project, catalog = run.settings.project_dir, run.settings.catalog
    before = len(list(project.glob("var/warehouse/*/run_tables/*.parquet")))
    wanted = {
        "catalog.bronze": catalog.bronze,
        "catalog.silver": catalog.silver,
        "catalog.gold": catalog.gold,
        "maintenance.optimize_above_files": 2,
        "maintenance.vacuum_after_h": 0,
    }
    overrides = [part for name, value in wanted.items() for part in ("--set", f"{name}={value}")]
    out, err = python("-m", "portfolio", "maintain", *overrides, cwd=project).communicate()
    assert re.split(r"\s{2,}", out.splitlines()[0]) == [
        "table", "files before", "files after", "files deleted",
    ]  # fmt: skip
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["gold.run_tables", str(before), "1", str(before)]
    ]
    assert err.splitlines()[-1] == "Versions of the last 0 hours stay readable."
    assert len(list(project.glob("var/warehouse/*/run_tables/*.parquet"))) == 1


def test_maintain_leaves_the_tables_alone_while_a_run_is_at_work(project: Path, portfolio: Portfolio) -> None:
    with run_lock(project / "var"):
        code, out, err = portfolio("maintain")
    assert (code, out, len(err)) == (2, [], 1)
    assert "is active in" in err[0]
