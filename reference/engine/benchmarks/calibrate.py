"""Measure how time and memory of the calibration's schedule grow with the number of fits.

Fits GJR-GARCH-t models to a made-up market of short histories, the same one at each size but more often, and
commits them: the stage of the real workloads, each size in a separate process. Prints fits, seconds, the
peak resident memory of the driver's Python and Java and of the largest Ray worker, and the exponents fitted
to them: 0 is constant, 1 is proportional.
Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/calibrate.py --fits 500 5000 20000`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload, execute
from acceleray.settings import load
from acceleray.stages.calibrate.schedule import fit_schedule
from acceleray.tables import CALIBRATION_HISTORY
from arena.memory import Roles, sampled

# Days a fit sees: it then takes some ten-thousandths of a second, and the schedule itself shows.
WINDOW = 100


@dataclass
class Spent:
    """The cost of the stage: rows committed, wall-clock seconds, and the largest resident memory."""

    rows: int = 0
    seconds: float = 0.0
    memory: Roles = field(default_factory=Roles)


def main() -> None:
    """Calibrate at each size, print one line for each, and the exponents."""
    options = parsed()
    # The last day is always fitted, on schedule or not.
    days = max(options.fits) // options.instruments - 1
    print(
        f"{options.instruments} instruments x {WINDOW + days:,} days, {WINDOW} of them in each fit;", end=" "
    )
    print(f"the driver's Java heap is {options.heap}; memory is resident (RSS), in MB")
    names = ("fits", "seconds", "fits/s", "Python MB", "Java MB", "worker MB")
    print("".join(f"{name:>11}" for name in names), flush=True)
    found = []
    for fits in options.fits:
        # Of its own process each: what one size has taken from the system is not given back for the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as own:
            found.append(own.submit(measured, fits, days, options).result())
        print(line(found[-1]), flush=True)
    if len(found) > 1:
        growth = {
            "seconds": exponent([one.rows for one in found], [one.seconds for one in found]),
            "Python": exponent([one.rows for one in found], [one.memory.python_mb for one in found]),
            "Java": exponent([one.rows for one in found], [one.memory.java_mb for one in found]),
        }
        print("growth with fits: " + ", ".join(f"{name} ^{power:.3f}" for name, power in growth.items()))


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure how time and memory of the calibration's schedule grow with the number of fits.",
        epilog="The returns are the same at each size; a larger one fits them anew more often.",
    )
    add = parser.add_argument
    add("--fits", type=int, nargs="+", default=[500, 5_000, 20_000], help="sizes (default: %(default)s)")
    add("--instruments", type=int, default=20, help="(default: %(default)s)")
    add("--heap", default="1g", help="Java heap of the driver (default: 1g)")
    add("--workers", type=int, default=0, help="Ray workers (default: all processors)")
    add("--folder", type=Path, help="where the temporary folder goes (default: the system's)")
    return parser.parse_args()


def measured(fits: int, days: int, options: argparse.Namespace) -> Spent:
    """Return what about so many fits took, each instrument fitted anew on some of `days` days."""
    folder = Path(tempfile.mkdtemp(prefix="calibrate-", dir=options.folder))
    try:
        (folder / "conf").mkdir()
        (folder / "conf" / "base.yml").write_text("project: {name: fits, customer: Benchmark}\n", "utf-8")
        (folder / "conf" / "local.yml").write_text("profile: local\n", "utf-8")
        every = max(1, round(days * options.instruments / fits))
        overrides = (
            f"calibration.minimum_history_d={WINDOW}",
            f"calibration.window_d={WINDOW}",
            f"calibration.first_fit_d={WINDOW}",
            f"calibration.refit_every_d={every}",
            f"spark.driver_memory={options.heap}",
            f"ray.workers={options.workers}",
        )
        spent = Spent()
        work = partial(calibrated, returns=made_up(options.instruments, WINDOW + days), spent=spent)
        workload = Workload("schedule", "Fit on schedule", "ray", (), (CALIBRATION_HISTORY,), work)
        execute(workload, load(folder, overrides=overrides), Reporter(quiet=True))
        return spent
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def calibrated(run: Run, returns: Panel, spent: Spent) -> Conclusion:
    """Fit and commit, and fill in what it took."""
    run.identify("made up", returns.day(-1))
    started = time.monotonic()
    with run.stage("calibrate", "Fit"), sampled(spent.memory.look):
        fit_schedule(run, returns)
    spent.seconds = time.monotonic() - started
    spent.rows = sum(touch.rows for touch in run.touches if touch.table is CALIBRATION_HISTORY)
    return Conclusion((), "", None)


def made_up(instruments: int, days: int) -> Panel:
    """Return daily returns with the tails of shares."""
    values = 0.01 * np.random.default_rng(20_240_229).standard_t(5, (days, instruments))
    names = tuple(f"N{number:04d}" for number in range(instruments))
    return Panel(np.arange("2000-01-01", days, dtype="datetime64[D]"), names, values)


def line(spent: Spent) -> str:
    """Return what one size took."""
    held = spent.memory
    memory = f"{held.python_mb:>11,.0f}{held.java_mb:>11,.0f}{held.worker_mb:>11,.0f}"
    return f"{spent.rows:>11,}{spent.seconds:>11.1f}{spent.rows / spent.seconds:>11.1f}{memory}"


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Return b of the least-squares fit value = a * size^b."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


if __name__ == "__main__":
    main()
