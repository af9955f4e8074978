"""Ways to run a workload: killed and resumed, as a notebook that loses a worker, on a cluster."""

from __future__ import annotations

import csv
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from skfolio.datasets import load_sp500_dataset

PROJECT = Path(__file__).parents[2]
COMMAND = ("-m", "portfolio")
IN_OTHER_BLOCKS = (str(Path(__file__).with_name("other_blocks.py")),)
DAYS = 1250
SMALL = (
    "market_data.source=csv",
    "market_data.minimum_history_d=800",
    "calibration.window_d=900",
    "calibration.first_fit_d=900",
    "calibration.refit_every_d=30",
    "simulation.residual_window_d=900",
    # Four blocks of scenarios: by two, sums that were made task by task would round differently.
    "stress.scenarios=50000",
    "book.portfolios=40",
)


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
    sample = load_sp500_dataset().iloc[-DAYS:][["AAPL", "JPM", "XOM", "WMT", "PFE"]]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *sample.columns])
        for row, (day, values) in enumerate(sample.iterrows()):
            cells = [repr(float(value)) for value in values]
            writer.writerow([str(day)[:10], *cells[:-1], cells[-1] if row >= DAYS - 300 else ""])
    return path


def in_other_blocks(workload: str, home: Path) -> Ran:
    """Return a run on one worker whose tasks take other numbers of things than everywhere else."""
    return finished(_in_other_blocks(workload, home), home / "one")


def killed_and_resumed(workload: str, home: Path) -> Ran:
    """Return a run on one worker and in other blocks that goes on where one that was killed stopped."""
    chosen = _in_other_blocks(workload, home)
    interrupted(chosen, "48 of 65 fits")
    return finished(chosen, home / "one")


def as_notebook(workload: str, home: Path) -> Ran:
    """Return a run of the notebook on two workers, one of which is killed."""
    chosen = settings(home, "two", 2)
    (notebook,) = (PROJECT / "notebooks").glob(f"*_{workload}.py")
    script = [sys.executable, str(notebook), f"project={PROJECT}", f"set={shlex.join(chosen)}"]
    return losing_a_worker(script, home / "two")


def on_four_workers(workload: str, home: Path) -> Ran:
    """Return a run on four workers."""
    return finished(command(workload, settings(home, "four", 4)), home / "four")


def on_a_cluster(workload: str, home: Path) -> Ran:
    """Return a run on a cluster whose Ray has four workers."""
    chosen = [*settings(home, "four", 2), "cluster.cores_per_worker=3", "ray.cpus_per_node=2"]
    return finished([*command(workload, chosen), "--profile", "cluster"], home / "four")


def _in_other_blocks(workload: str, home: Path) -> list[str]:
    chosen = [*settings(home, "one", 1), "spark.shuffle_partitions=3"]
    return command(workload, chosen, IN_OTHER_BLOCKS)


def table(spark: Any, state: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table straight from its Delta folder."""
    folder = state / "warehouse" / name.replace(".", "/")
    return [row.asDict() for row in spark.read.format("delta").load(str(folder)).collect()]


def written(spark: Any, state: Path, gold: str = "gold") -> dict[tuple[str, str], str]:
    """Return the fingerprint of every table that a run wrote, by stage and name."""
    rows = table(spark, state, f"{gold}.run_tables")
    return {(r["stage"], r["table_name"]): r["fingerprint"] for r in rows if r["direction"] == "wrote"}


def settings(home: Path, state: str, workers: int) -> list[str]:
    prices = home / "prices.csv"
    if not prices.exists():
        write_prices(prices)
    return [*SMALL, f"market_data.path={prices}", f"paths.state={home / state}", f"ray.workers={workers}"]


def base(verb: str, state: Path) -> list[str]:
    project = ["--project", str(PROJECT), "--set", f"paths.state={state}"]
    return [sys.executable, *COMMAND, verb, *project]


def command(workload: str, chosen: list[str], program: tuple[str, ...] = COMMAND) -> list[str]:
    options = [part for setting in chosen for part in ("--set", setting)]
    return [sys.executable, *program, "run", workload, "--project", str(PROJECT), *options]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(PROJECT / "src"), "PYTHONUNBUFFERED": "1"}


def finished(arguments: list[str], state: Path) -> Ran:
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=600, env=environment(), check=False
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


def losing_a_worker(arguments: list[str], state: Path) -> Ran:
    """Run a command and kill one Ray worker while it fits."""
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        said, killed = "", False
        assert process.stderr is not None
        for text in process.stderr:
            said += text
            if not killed and text.rstrip().endswith("fits"):
                killed = kill_one(process.pid)
        assert process.stdout is not None
        out = process.stdout.read()
        process.wait(timeout=600)
    assert killed, said
    return Ran(process.returncode, out, said, state)


def kill_one(parent: int) -> bool:
    """Kill a Ray worker that is at work below a process."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for one in psutil.Process(parent).children(recursive=True):
            # A process may end between being listed and being looked at.
            with suppress(psutil.Error):
                if "ray::fit_before" in " ".join(one.cmdline()):
                    one.send_signal(signal.SIGKILL)
                    return True
        time.sleep(0.02)
    return False
