"""Measure `acceleray new` and `preview`: median, fastest and slowest of some runs, each a new process.

`make bench-new` prints seconds by the clock and processor seconds of the process and its children (Git).
The template is this one as a repository with two versions; the project has all defaults and an edited file.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from releases import git
from render import ROOT, copy_template

OLD, NEW = "1.0.0", "1.0.1"
# Changed by the second version, and edited in the project, at different ends.
FILE = "README.md"


def commands(scratch: Path, runs: int) -> Iterator[list[str]]:
    """Yield the same two commands for each run: generate a project, and look for an update of another."""
    template = _template(scratch / "template")
    new = ("--template", str(template), "--at", OLD, "--defaults")
    project = scratch / "project"
    timed(["new", str(project), *new])
    readme = project / FILE
    readme.write_text(f"Ours.\n\n{readme.read_text(encoding='utf-8')}", encoding="utf-8")
    _commit(project)
    for number in range(runs):
        yield ["new", str(scratch / f"project {number}"), *new]
        yield ["preview", str(project)]


def timed(arguments: Sequence[str]) -> tuple[float, float]:
    """Return elapsed and processor seconds of a command in a separate process."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    began, before = time.perf_counter(), _processor_s()
    command = [sys.executable, "-m", "acceleray_cli", *arguments]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return time.perf_counter() - began, _processor_s() - before


def _template(folder: Path) -> Path:
    copy_template(folder)
    _commit(folder)
    git(folder, "tag", OLD)
    with (folder / f"template/{FILE}.jinja").open("a", encoding="utf-8") as readme:
        readme.write("\nNew.\n")
    _commit(folder)
    git(folder, "tag", NEW)
    return folder


def _commit(folder: Path) -> None:
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a state")


def _processor_s() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def told(kind: str, seconds: Sequence[float]) -> str:
    """Return one line of the result."""
    return f"{kind:<18} median {median(seconds):5.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s"


def main() -> None:
    """Print the result of so many runs; a run before them compiles the modules and is not counted."""
    parser = ArgumentParser(description="Measure how long `acceleray new` and `acceleray preview` take.")
    parser.add_argument("--runs", type=int, default=10, help="runs that count, 10 by default")
    runs = parser.parse_args().runs
    if runs < 1:
        parser.error(f"argument --runs: {runs} is below 1; give 1 or more")
    found: dict[str, list[tuple[float, float]]] = {"new": [], "preview": []}
    with tempfile.TemporaryDirectory() as scratch:
        for command in commands(Path(scratch), runs + 1):
            found[command[0]].append(timed(command))
    where = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    sys.stdout.write(f"acceleray new and preview: {runs} runs, {where}\n")
    for name, pairs in found.items():
        for kind, seconds in zip(("elapsed", "processor"), zip(*pairs[1:], strict=True), strict=True):
            sys.stdout.write(f"{told(f'{name} {kind}', seconds)}\n")


if __name__ == "__main__":
    main()
