"""Measure a morning, in a project rendered from here, and in one of another commit alternating with it.

`make bench-day` renders the reference into build/bench-day and runs `engine/benchmarks/day.py` there, on all
its universes unless told otherwise. With `--before COMMIT` that commit of this repository is rendered too.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from render import ROOT

_PROJECT = ROOT / "build/bench-day"
_ANSWERS = "answers/reference.yml"


def main() -> int:
    """Render, measure, and return the exit code of what measured."""
    parser = ArgumentParser(
        description="Measure day 1 and day 2 of the pipeline, also against an older commit.",
        epilog="All other options are those of engine/benchmarks/day.py, such as --small, --size, --rounds; "
        "--days-help lists them.",
    )
    parser.add_argument("--before", metavar="COMMIT", help="measure this commit too, alternating: A B A B")
    parser.add_argument("--days-help", action="store_true", help="show the other options")
    wanted, others = parser.parse_known_args()
    if wanted.days_help:
        others = ["--help"]
    project = rendered(ROOT, _PROJECT)
    with tempfile.TemporaryDirectory(prefix="pf-before-") as scratch:
        if wanted.before and not wanted.days_help:
            others += ["--engine", str(checked_out(wanted.before, Path(scratch))), "--label", wanted.before]
        packages = os.pathsep.join([str(project / "src"), str(project / "engine")])
        measure = [sys.executable, str(project / "engine/benchmarks/day.py"), "--out", str(ROOT / "build")]
        return subprocess.run(
            [*measure, *others], env=os.environ | {"PYTHONPATH": packages}, check=False
        ).returncode


def checked_out(commit: str, folder: Path) -> Path:
    """Return a project rendered from a commit of this repository, in a folder.

    Raises:
        SystemExit: there is no such commit.
    """
    found = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        raise SystemExit(f"{commit} is no commit here: {found.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder / "source", filter="data")
    return rendered(folder / "source", folder / commit)


def rendered(source: Path, project: Path) -> Path:
    """Return a folder with the reference project of a working tree, newly rendered by its own script."""
    shutil.rmtree(project, ignore_errors=True)
    # Its own module is to be imported, and nothing of this tree.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    render = [sys.executable, "scripts/render.py", _ANSWERS, str(project)]
    subprocess.run(render, cwd=source, env=environment, check=True, capture_output=True)
    return project


if __name__ == "__main__":
    sys.exit(main())
