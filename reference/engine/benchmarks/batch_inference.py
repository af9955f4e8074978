"""Measure how time and memory of batch scoring grow with instrument rows and with portfolios.

Runs the real workload `batch_inference` in a project of its own, a process at a time: on a simulated universe
for each number of rows, on the sample for each number of portfolios. Prints seconds and the peak memory of
the whole process tree (driver, Java, Ray), for the run and for the stages that this is about.
Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/batch_inference.py --rows 200000`.

The champion is fitted on made-up features: what it says does not matter here, how fast does.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa

from acceleray.governance.champion import features_contract
from acceleray.governance.registry import Dossier, register_model
from acceleray.quant import boosting
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload, execute
from acceleray.settings import Model, load
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.tables import MODEL_DECISIONS

# Before the first price of any source that is measured.
LONG_AGO = date(1980, 1, 1)
# Each instrument is calibrated once: what repeated calibration costs is no part of scoring.
ONCE = ("calibration.refit_every_d=100000",)
ENDED = re.compile(r"^  (\S.*?)\s+(\d+\.\d) s$")
# Stages by the beginning of their title.
STAGES = ("Build returns", "Simulate", "Score", "Write")


@dataclass
class Spent:
    """The cost of one run: seconds in all, and for each stage its seconds and largest memory, in MB."""

    seconds: float = 0.0
    stages: dict[str, tuple[float, float]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def peak_mb(self) -> float:
        """Return the largest memory of the run."""
        return max((peak for _, peak in self.stages.values()), default=0.0)

    def stage(self, title: str) -> tuple[float, float]:
        """Return seconds and largest memory of the stage whose title begins so, zero if it did not run."""
        return next((found for name, found in self.stages.items() if name.startswith(title)), (0.0, 0.0))


def main() -> None:
    """Measure each size and print one line for each."""
    options = parsed()
    folder = Path(tempfile.mkdtemp(prefix="score-", dir=options.folder))
    try:
        print(f"Memory is {memory_kind()}, in MB; seconds are wall-clock.")
        if options.rows:
            days = -(-max(options.rows) // options.instruments) + 20
            universe = (
                "market_data.source=simulated",
                f"universe.instruments={options.instruments}",
                f"universe.days={max(days, 1100)}",
                "book.portfolios=100",
                "simulation.scenarios=10000",
                "simulation.horizons_d=[1]",
            )
            settings = (*ONCE, f"calibration.first_fit_d={max(days, 1100) - 1}", *universe, *options.set)
            project = made_project(folder / "rows", settings)
            heading("rows", f"{options.instruments} instruments, the last rows of the same universe")
            for rows in options.rows:
                history = f"score.history_d={-(-rows // options.instruments)}"
                print_line(rows, measured(project, (*settings, history)))
        if options.portfolios:
            horizons = ",".join(str(one) for one in options.horizons)
            settings = (*ONCE, "calibration.first_fit_d=8000", f"simulation.scenarios={options.scenarios}")
            settings = (*settings, f"simulation.horizons_d=[{horizons}]", *options.set)
            project = made_project(folder / "portfolios", settings)
            heading("portfolios", f"the sample, {options.scenarios:,} scenarios over {horizons} days")
            for portfolios in options.portfolios:
                print_line(portfolios, measured(project, (*settings, f"book.portfolios={portfolios}")))
    finally:
        if options.keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure how time and memory of batch scoring grow with rows and with portfolios.",
        epilog="Memory counts every process of the tree: driver, Java, Ray's own, and workers.",
    )
    add = parser.add_argument
    add("--rows", type=int, nargs="*", default=[200_000, 2_000_000], help="rows to score, ascending")
    add("--instruments", type=int, default=800, help="of the simulated universe (default: %(default)s)")
    add("--portfolios", type=int, nargs="*", default=[1_000, 100_000], help="sizes of the book, ascending")
    add("--scenarios", type=int, default=20_000, help="with --portfolios (default: %(default)s)")
    add("--horizons", type=int, nargs="+", default=[1, 10], help="with --portfolios, in trading days")
    add("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="any other setting")
    add("--folder", type=Path, help="where the temporary folder goes (default: the system's)")
    add("--keep", action="store_true", help="keep that folder, with tables, logs and reports")
    return parser.parse_args()


def made_project(folder: Path, settings: Sequence[str]) -> Path:
    """Return a new project with a champion for the price source of the settings."""
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "base.yml").write_text("project: {name: score, customer: Benchmark}\n", "utf-8")
    (folder / "conf" / "local.yml").write_text("profile: local\n", "utf-8")
    workload = Workload("champion", "Register a champion", "ray", (), (MODEL_DECISIONS,), crowned)
    execute(workload, load(folder, overrides=settings), Reporter(quiet=True))
    return folder


def crowned(run: Run) -> Conclusion:
    """Register a model of a hundred trees over made-up features, and decide that it is champion."""
    draws = np.random.default_rng(20_240_229).uniform(-0.5, 0.5, (20_000, len(FEATURE_NAMES)))
    booster = boosting.fit(draws, draws[:, 0] * draws[:, 1], FEATURE_NAMES, Model(), run.settings.seed)
    content = boosting.saved(booster)
    run.identify("made up", LONG_AGO)
    with run.stage("champion", "Register"):
        example = pd.DataFrame(draws[:3], columns=list(FEATURE_NAMES))
        dossier = Dossier(example, {}, {}, {})
        identity = run.identity
        model = register_model(run.settings, run.tracker, identity.run_id, run.source, content, dossier)
        decision = {
            "source": run.source,
            "model_name": model.name,
            "model_version": model.version,
            "model_uri": model.uri,
            "decision": "promoted",
            "effective_from": LONG_AGO,
            "features_contract": features_contract(FEATURE_NAMES, run.settings.features.horizon_d),
            "reason": "made up for a benchmark",
            "decided_at": datetime.now(UTC),
        }
        schema = MODEL_DECISIONS.arrow_schema
        names = [name for name in schema.names if name not in ("run_id", "as_of")]
        run.commit(
            MODEL_DECISIONS, pa.Table.from_pylist([decision], pa.schema([schema.field(n) for n in names]))
        )
    return Conclusion((), "", None)


def measured(project: Path, settings: Sequence[str]) -> Spent:
    """Return what one run of the workload took, in a separate process."""
    command = [sys.executable, "-m", "portfolio", "run", "batch_inference", "--project", str(project)]
    command += [part for setting in settings for part in ("--set", setting)]
    spent, peak, started = Spent(), Peak(), time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        stop = threading.Event()
        watcher = threading.Thread(target=watch, args=(psutil.Process(process.pid), peak, stop), daemon=True)
        watcher.start()
        for line in process.stderr:
            spent.said.append(line.rstrip())
            if found := ENDED.match(line.rstrip()):
                spent.stages[found[1]] = (float(found[2]), peak.taken())
        spent.said += process.stdout.read().splitlines()
        stop.set()
        watcher.join()
    spent.seconds = time.monotonic() - started
    if process.returncode:
        sys.exit("\n".join(spent.said[-20:]))
    return spent


class Peak:
    """The largest memory of a process tree since it was last asked for."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock, self._largest = threading.Lock(), 0.0

    def see(self, value: float) -> None:
        """Take one sample in."""
        with self._lock:
            self._largest = max(self._largest, value)

    def taken(self) -> float:
        """Return the largest sample since the last call."""
        with self._lock:
            largest, self._largest = self._largest, 0.0
            return largest


def watch(process: psutil.Process, peak: Peak, stop: threading.Event) -> None:
    """Sample the memory of a process tree four times a second until told to stop."""
    while not stop.wait(0.25):
        try:
            tree = [process, *process.children(recursive=True)]
        except psutil.Error:
            return
        peak.see(sum(memory_mb(one) for one in tree))


def memory_kind() -> str:
    """Return what is measured: shared pages counted once where the system tells, else for each process."""
    return "proportional (PSS)" if hasattr(psutil.Process().memory_full_info(), "pss") else "resident (RSS)"


def memory_mb(process: psutil.Process) -> float:
    """Return the memory of one process in MB; none if it has just ended."""
    try:
        found = process.memory_full_info()
        return float(getattr(found, "pss", found.rss)) / 1e6
    except psutil.Error:
        return 0.0


def heading(what: str, about: str) -> None:
    """Print what the next lines are about."""
    print(f"\n{what}: {about}")
    names = [f"{title.split()[0].lower()} {unit}" for title in STAGES for unit in ("s", "MB")]
    print(f"{what:>12}{'run s':>9}{'run MB':>9}" + "".join(f"{name:>11}" for name in names) + f"{'out':>8}")


def print_line(size: int, spent: Spent) -> None:
    """Print what one size took, stage by stage, and what the run said of its rows."""
    cells = "".join(f"{seconds:>11.1f}{peak:>11,.0f}" for seconds, peak in map(spent.stage, STAGES))
    verdict = next((line.split(":", 1)[1].strip() for line in spent.said if "rows in =" in line), "")
    print(f"{size:>12,}{spent.seconds:>9.1f}{spent.peak_mb:>9,.0f}{cells}  {verdict}", flush=True)


if __name__ == "__main__":
    main()
