"""Measure `acceleray new` with all defaults: median, fastest and slowest of some runs, each a new process.

`make bench-new` prints seconds by the clock and processor seconds of the process and its children (Git).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from render import ROOT, copy_template


def timed(template: Path, project: Path) -> tuple[float, float]:
    """Return elapsed and processor seconds of generating a project in a separate process."""
    command = [sys.executable, "-m", "acceleray_cli", "new", str(project), "--template", str(template)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    began, before = time.perf_counter(), _processor_s()
    subprocess.run([*command, "--defaults"], env=environment, capture_output=True, check=True)
    return time.perf_counter() - began, _processor_s() - before


def _processor_s() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def told(kind: str, seconds: Sequence[float]) -> str:
    """Return one line of the result."""
    return f"{kind:<10} median {median(seconds):5.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s"


def main() -> None:
    """Print the result of so many runs; a run before them compiles the modules and is not counted."""
    parser = ArgumentParser(description="Measure how long `acceleray new` takes.")
    parser.add_argument("--runs", type=int, default=10, help="runs that count, 10 by default")
    runs = parser.parse_args().runs
    if runs < 1:
        parser.error(f"argument --runs: {runs} is below 1; give 1 or more")
    with tempfile.TemporaryDirectory() as scratch:
        template = copy_template(Path(scratch, "template"))
        found = [timed(template, Path(scratch, f"project {number}")) for number in range(runs + 1)][1:]
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    sys.stdout.write(f"acceleray new: {runs} runs, {where}\n")
    for kind, seconds in zip(("elapsed", "processor"), zip(*found, strict=True), strict=True):
        sys.stdout.write(f"{told(kind, seconds)}\n")


if __name__ == "__main__":
    main()
