"""Run the tests lane by lane, and print what each lane took, so that nobody lets them creep back.

`make test` runs the quick lanes: what a pull request must pass. The target is 12 minutes on two quiet cores.
`make test-all` runs everything. A lane that fails does not keep the others from running; the end names it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from render import ROOT

# A folder name with a space and a letter beyond ASCII, because customers have such folders.
OWN = ROOT / "build/own tests ü"
ENGINE, TESTS = ROOT / "template/engine", ROOT / "tests/engine"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Lane:
    """Commands that run one after the other in one folder; in `make test` they may take `target_s`."""

    name: str
    folder: Path
    commands: tuple[Sequence[str], ...]
    target_s: int


def _pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", *arguments]


def _module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def lanes(everything: bool) -> list[Lane]:
    """Return the lanes of a pull request, or those of a night."""
    quick = "" if everything else " and not nightly"
    render = [sys.executable, "scripts/render.py", "answers/reference.yml", str(OWN)]
    tests = "test-all" if everything else "test"
    own = ["make", "--no-print-directory", "-C", str(OWN), tests, f"VENV={BIN.parent}"]
    style = (_module("ruff", "check", "."), _module("ruff", "format", "--check", "."), _module("mypy"))
    contracts = (_module("mypy"), [str(BIN / "lint-imports")])
    one = ("-n", "0", "-m")
    found = [
        Lane("style and types", ROOT, style, 20),
        Lane("engine: types and contracts", ENGINE, contracts, 15),
        Lane(
            "template and front end",
            ROOT,
            (_pytest("-n", "auto", *(() if everything else ("-m", "not nightly"))),),
            120,
        ),
        Lane(
            "engine: pure and Spark",
            TESTS,
            # Tests of a file share what takes long to make, so they stay in one process.
            (_pytest("-n", "auto", "--dist", "loadfile", "-m", f"not ray and not cluster{quick}"),),
            210,
        ),
        Lane("engine: Ray", TESTS, (_pytest(*one, f"ray{quick}", "--ignore=workloads"),), 80),
        Lane("engine: whole runs", TESTS, (_pytest(*one, f"ray{quick}", "workloads"),), 120),
        Lane("a generated project", ROOT, (render, own), 155),
    ]
    if everything:
        found += [
            Lane("engine: a real cluster", TESTS, (_pytest(*one, "cluster"),), 0),
            Lane("planted faults", ROOT, ([sys.executable, "scripts/planted_faults.py"],), 0),
            Lane("subsets", ROOT, ([sys.executable, "scripts/subsets.py"],), 0),
            Lane("soak", TESTS, ([sys.executable, "faults/soak.py", "--runs", "20"],), 0),
        ]
    return found


def main() -> int:
    """Run the lanes that the command line names: `quick` or `all`."""
    if sys.argv[1:] not in (["quick"], ["all"]):
        raise SystemExit("Usage: python scripts/lanes.py quick|all")
    # Nothing is written below template/, not even compiled modules.
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(ROOT / "build/pycache")}
    took: list[tuple[Lane, float]] = []
    failed: list[str] = []
    for lane in lanes(sys.argv[1] == "all"):
        sys.stdout.write(f"\n== {lane.name}\n")
        sys.stdout.flush()
        began = time.monotonic()
        for command in lane.commands:
            if subprocess.run(command, cwd=lane.folder, env=environment, check=False).returncode:
                failed.append(lane.name)
                break
        took.append((lane, time.monotonic() - began))
    total, allowed = sum(seconds for _, seconds in took), sum(lane.target_s for lane, _ in took)
    sys.stdout.write("\nlane                          seconds  target of `make test`\n")
    for lane, seconds in took:
        sys.stdout.write(f"{lane.name:<28}  {seconds:7.0f}  {lane.target_s or '-'}\n")
    sys.stdout.write(f"{'together':<28}  {total:7.0f}  {allowed}\n")
    if failed:
        sys.stdout.write(f"FAILED: {', '.join(failed)}\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
