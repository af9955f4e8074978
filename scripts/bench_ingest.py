"""Measure how long prices take to be read, judged and committed, and the memory of all processes meanwhile.

`make bench-ingest` makes 1,000 instruments x 5,000 days, as CSV and as Parquet, and runs a workload that only
ingests on a rendered project: real Spark and Delta, on this machine. With ARGS=--features it makes features
of the prices as well. The peak is the sum of proportional set sizes, so that pages which processes share
count once; Ray and MLflow, which the command starts too, are in it.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from render import ROOT

_WORKLOAD = '''"""Ingest prices and do nothing else."""

from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.ingest.stage import ingest


def run(run: Run) -> Conclusion:
    """Run the one stage."""
    with run.stage("ingest", "Ingest and judge prices (Spark)"):
        loaded = ingest(run)
        run.identify(loaded.load_id, loaded.as_of)
    return Conclusion((("Prices", f"{loaded.accepted:,}"),), "done", None, "Rows")


WORKLOAD = Workload(name="ingest_alone", title="Ingest prices", engine="spark", run=run)
'''
_FEATURES = """    with run.stage("features", "Make features (Spark)"):
        from acceleray.stages.features.stage import build_features

        build_features(run)
"""
_EVERY_S = 0.25


def write_prices(folder: Path, instruments: int, days: int) -> dict[str, Path]:
    """Write the same wide prices as CSV and as Parquet; return their paths by kind."""
    generator = np.random.default_rng(20)
    market = 0.008 * generator.standard_t(5, (days, 1))
    moves = market + 0.012 * generator.standard_t(5, (days, instruments))
    first = generator.uniform(5.0, 500.0, instruments)
    prices = np.round(first * np.exp(np.cumsum(moves - 0.0001, axis=0)), 4)
    dates = np.busday_offset(np.datetime64("2005-01-03"), np.arange(days))
    columns = {f"N{number:04d}": np.maximum(prices[:, number], 0.01) for number in range(instruments)}
    table = pa.table({"date": pa.array(dates), **columns})
    paths = {"csv": folder / "prices.csv", "parquet": folder / "prices.parquet"}
    csv.write_csv(table, paths["csv"])
    pq.write_table(table, paths["parquet"])
    return paths


def measured(project: Path, path: Path) -> tuple[dict[str, float], float, float]:
    """Return seconds of each stage, seconds of the whole command, and the peak of its memory in GB."""
    state = project / f"state {path.suffix[1:]}"
    wishes = ("market_data.source=csv", f"market_data.path={path}", f"paths.state={state}")
    command = [sys.executable, "-m", "portfolio", "run", "ingest_alone", "--project", str(project)]
    for wish in wishes:
        command += ["--set", wish]
    packages = os.pathsep.join([str(project / "src"), str(project / "engine")])
    environment = os.environ | {"PYTHONPATH": packages}
    began = time.perf_counter()
    out = subprocess.PIPE
    running = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True)
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(psutil.Process(running.pid), peak), daemon=True)
    watcher.start()
    said, _ = running.communicate()
    found = re.findall(r"^(ingest|features) +\d+ +([\d.]+)$", said, re.MULTILINE)
    if running.returncode or not found:
        raise SystemExit(f"The run failed: {said[-2000:]}")
    stages = {name: float(seconds) for name, seconds in found}
    return stages, time.perf_counter() - began, peak[0]


def _watch(process: psutil.Process, peak: list[float]) -> None:
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        total = 0
        try:
            for one in (process, *process.children(recursive=True)):
                try:
                    total += one.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
        except psutil.NoSuchProcess:
            return
        peak[0] = max(peak[0], total / 1e9)
        time.sleep(_EVERY_S)


def main() -> None:
    """Print seconds and memory for each kind of file."""
    parser = ArgumentParser(description="Measure how long prices take to be ingested and judged.")
    parser.add_argument("--instruments", type=int, default=1000)
    parser.add_argument("--days", type=int, default=5000)
    parser.add_argument("--features", action="store_true", help="make features of the prices as well")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        render = [sys.executable, str(ROOT / "scripts/render.py"), "answers/reference.yml", str(project)]
        subprocess.run(render, cwd=ROOT, check=True, capture_output=True)
        workload = project / "src/portfolio/workloads/ingest_alone.py"
        features = _FEATURES if wanted.features else ""
        content = _WORKLOAD.replace("    return Conclusion", f"{features}    return Conclusion")
        workload.write_text(content, encoding="utf-8")
        paths = write_prices(Path(scratch), wanted.instruments, wanted.days)
        where = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        sys.stdout.write(f"{wanted.instruments * wanted.days:,} prices, {where}\n")
        for kind, path in paths.items():
            stages, whole, peak = measured(project, path)
            each = ", ".join(f"{name} {seconds:6.1f} s" for name, seconds in stages.items())
            sys.stdout.write(f"{kind:<8} {each}, whole command {whole:6.1f} s, at most {peak:.2f} GB\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
