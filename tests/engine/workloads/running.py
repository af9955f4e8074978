"""Commands about a workload as processes of their own, their prices, and the tables they leave."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

import rendered
from acceleray.stages.ingest.shipped import sample_prices

COMMAND = ("-m", "portfolio")
IN_OTHER_BLOCKS = (str(Path(__file__).with_name("other_blocks.py")),)
DAYS = 1250


@dataclass(frozen=True)
class Ran:
    """A finished command: what it said, and the state it left."""

    code: int
    out: str
    error: str
    state: Path

    @property
    def report(self) -> Path:
        """Return what the last line names."""
        last = self.out.strip().splitlines()[-1]
        assert last.startswith("Report: ")
        return Path(last.removeprefix("Report: "))


def write_prices(path: Path) -> Path:
    """Write real prices: five instruments, one of them listed late."""
    sample = sample_prices().iloc[-DAYS:][["AAPL", "JPM", "XOM", "WMT", "PFE"]]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *sample.columns])
        for row, (day, values) in enumerate(sample.iterrows()):
            cells = [repr(float(value)) for value in values]
            writer.writerow([str(day)[:10], *cells[:-1], cells[-1] if row >= DAYS - 300 else ""])
    return path


def table(spark: Any, state: Path, label: str, version: int | None = None) -> list[dict[str, Any]]:
    """Return the rows of a table such as gold.returns straight from its Delta folder, now or at a version."""
    layer, name = label.split(".")
    (folder,) = (state / "warehouse").glob(f"{layer}*/{name}")
    reader = spark.read.format("delta")
    reader = reader if version is None else reader.option("versionAsOf", version)
    return [row.asDict() for row in reader.load(str(folder)).collect()]


def read(state: Path, label: str) -> list[dict[str, Any]]:
    """Return the rows of a table such as gold.returns as they are now, without a Spark."""
    layer, name = label.split(".")
    (folder,) = (state / "warehouse").glob(f"{layer}*/{name}")
    rows: list[dict[str, Any]] = DeltaTable(str(folder)).to_pyarrow_table().to_pylist()
    return rows


def fingerprints(state: Path) -> dict[tuple[str, str], str]:
    """Return the fingerprint of every table that a run wrote, by stage and name, without a Spark."""
    rows = read(state, "gold.run_tables")
    return {(r["stage"], r["table_name"]): r["fingerprint"] for r in rows if r["direction"] == "wrote"}


def written(spark: Any, state: Path) -> dict[tuple[str, str], str]:
    """Return the fingerprint of every table that a run wrote, by stage and name."""
    rows = table(spark, state, "gold.run_tables")
    return {(r["stage"], r["table_name"]): r["fingerprint"] for r in rows if r["direction"] == "wrote"}


def commits(state: Path) -> list[str]:
    """Return every commit of every table: a run that finds other numbers than there are adds some."""
    return sorted(str(path) for path in (state / "warehouse").rglob("_delta_log/*.json"))


def schemas(home: Path) -> dict[str, str]:
    """Return the names of the three schemas: all projects of a test process share one catalog."""
    ending = f"{os.getpid()}_{sha256(str(home).encode()).hexdigest()[:8]}"
    return {layer: f"{layer}_{ending}" for layer in ("bronze", "silver", "gold")}


def base(verb: str, state: Path) -> list[str]:
    project = ["--project", str(rendered.project()), "--set", f"paths.state={state}"]
    return [sys.executable, *COMMAND, verb, *project]


def command(
    workload: str, chosen: Sequence[str], program: tuple[str, ...] = COMMAND, project: Path | None = None
) -> list[str]:
    options = [part for setting in chosen for part in ("--set", setting)]
    return [
        sys.executable,
        *program,
        "run",
        workload,
        "--project",
        str(project or rendered.project()),
        *options,
    ]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": rendered.python_path(), "PYTHONUNBUFFERED": "1"}


def finished(arguments: list[str], state: Path) -> Ran:
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=1800, env=environment(), check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr, state)


def interrupted(arguments: list[str], line: str) -> None:
    """Start a command and kill it, and only it, as soon as it reports that much progress."""
    with subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.rstrip().endswith(line):
                process.kill()
                break
