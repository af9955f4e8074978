"""Test the tests: each fault planted in a generated project must make that project's own tests fail.

A fault is a line that a person could get wrong: `faults.toml` lists one for every workload, and one for every
known answer and invariant of calibration and stress testing. Only tests without engines run. `make planted`
prints a line for each, and ends with an error if one was not noticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from faults import Fault, read
from render import ROOT

# Test files at once; each has a copy of the project.
AT_ONCE = 2


def run(project: Path, tests: str) -> tuple[bool, str]:
    """Return whether a file of tests passes in a project, and what it says; none starts an engine."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{tests}"),
            *("-m", "not spark and not ray and not cluster and not nightly"),
        ],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"tests/{tests} could not run: {done.stdout[-2000:]}")
    return done.returncode == 0, done.stdout


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of reference/ that may be damaged."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        left = shutil.ignore_patterns("var", ".venv", "__pycache__", ".*cache")
        shutil.copytree(ROOT / "reference", project, ignore=left)
        yield project


def noticed(project: Path, fault: Fault) -> bool:
    """Return whether tests that pass without it fail with the fault; the project is left as it was."""
    module = project / "src/portfolio" / fault.module
    before = module.read_text(encoding="utf-8")
    if before.count(fault.right) != 1:
        raise SystemExit(f"{fault.module} does not hold {fault.right!r} once; put the fault right.")
    try:
        module.write_text(before.replace(fault.right, fault.wrong), encoding="utf-8")
        return not run(project, fault.noticed_by)[0]
    finally:
        module.write_text(before, encoding="utf-8")


def of_one_file(faults: list[Fault]) -> int:
    """Plant faults that one test file must notice, say what became of each, and return how many it missed."""
    missed = 0
    with copied() as project:
        passed, said = run(project, faults[0].noticed_by)
        if not passed:
            raise SystemExit(f"tests/{faults[0].noticed_by} fails without any fault:\n{said[-2000:]}")
        for fault in faults:
            started = time.monotonic()
            seen = noticed(project, fault)
            missed += not seen
            verdict, took = "noticed" if seen else "MISSED", time.monotonic() - started
            sys.stdout.write(f"{verdict:<8}{took:5.1f} s  {fault.workload}: {fault.what}\n")
            sys.stdout.flush()
    return missed


def planted(faults: Iterable[Fault]) -> int:
    """Plant faults, some files at once, and return how many were missed."""
    ordered = sorted(faults, key=lambda fault: fault.noticed_by)
    files = [list(some) for _, some in groupby(ordered, key=lambda fault: fault.noticed_by)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(of_one_file, files))


def main() -> None:
    """Plant every fault, or those whose description holds the word that was given."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [fault for fault in read() if word in f"{fault.workload} {fault.what} {fault.module}"]
    if not chosen:
        raise SystemExit(f"No fault says {word!r}.")
    if missed := planted(chosen):
        raise SystemExit(f"{missed} of {len(chosen)} faults went unnoticed.")


if __name__ == "__main__":
    main()
