"""Run the tests lane by lane, and print what each lane took, so that nobody lets them creep back.

`make test` runs the quick lanes: what a pull request must pass. The goal is 12 minutes on two quiet cores.
`make test-all` runs everything. A lane that fails does not keep the others from running; the end names it.

Lanes that start Spark or Ray run one after the other; the others run beside them, because such a lane keeps
one core busy. Processor time says on a busy machine, too, whether a lane has grown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from render import ROOT

# A folder name with a space and a letter beyond ASCII, because customers have such folders.
OWN = ROOT / "build/own tests ü"
ENGINE, TESTS = ROOT / "template/engine", ROOT / "tests/engine"
BIN = Path(sys.executable).parent
# Those that this process may use. On one core, what runs beside would starve the workers of Ray.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
GOAL_S = 720


@dataclass(frozen=True)
class Lane:
    """Commands that run one after the other in one folder; in `make test` they may take `goal_s`.

    A lane `beside` runs while others do, and what it prints comes when it is over.
    """

    name: str
    folder: Path
    commands: tuple[Sequence[str], ...]
    goal_s: int
    beside: bool = False


@dataclass(frozen=True)
class Took:
    """The cost of a lane: seconds, those of processors, and whether all of its commands succeeded."""

    lane: Lane
    seconds: float
    processor_s: float
    passed: bool


def _pytest(*arguments: str) -> list[str]:
    # The slowest tests are named, so that what creeps back is seen.
    return [sys.executable, "-m", "pytest", "-q", "--durations=12", "--durations-min=4", *arguments]


def _module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def _own(target: str) -> list[str]:
    return ["make", "--no-print-directory", "-C", str(OWN), target, f"VENV={BIN.parent}"]


def lanes(everything: bool) -> list[Lane]:
    """Return the lanes of a pull request, or those of a night."""
    quick = "" if everything else " and not nightly"
    # One core is for what runs beside the engines; a process more takes longer to start than it saves.
    beside = ("-n", str(CORES - 1 if CORES > 2 else 0))
    style = (_module("ruff", "check", "."), _module("ruff", "format", "--check", "."), _module("mypy"))
    contracts = (_module("mypy"), [str(BIN / "lint-imports")])
    one, engines = ("-n", "0", "-m"), "(spark or ray) and not cluster"
    # Few rows are sooner interpreted than a plan is compiled; commands and the night compile as ever.
    interpreted = () if everything else ("--interpreted",)
    found = [
        # One process, in which a test finds Spark and Ray running as the one before has left them.
        Lane(
            "engine: Spark and Ray",
            TESTS,
            (_pytest(*one, f"{engines}{quick}", *interpreted, "--ignore=workloads"),),
            380,
        ),
        Lane("engine: whole runs", TESTS, (_pytest(*one, f"{engines}{quick}", "workloads"),), 250),
        Lane("style and types", ROOT, style, 30, beside=True),
        Lane("engine: types and contracts", ENGINE, contracts, 20, beside=True),
        Lane("a project: style and types", ROOT, (_own("lint"),), 20, beside=True),
        Lane(
            "engine: pure",
            TESTS,
            # Tests of a file share what takes long to make, so they stay in one process.
            (_pytest(*beside, "--dist", "loadfile", "-m", f"not spark and not ray and not cluster{quick}"),),
            300,
            beside=True,
        ),
        Lane(
            "template and front end",
            ROOT,
            (_pytest(*beside, *(() if everything else ("-m", "not nightly"))),),
            300,
            beside=True,
        ),
        # It has Spark and Ray as well, in its own process and folders.
        Lane("a project: its tests", ROOT, (_own("tests-all" if everything else "tests"),), 100),
    ]
    if everything:
        found += [
            Lane("engine: a real cluster", TESTS, (_pytest(*one, "cluster"),), 0),
            Lane("planted faults", ROOT, ([sys.executable, "scripts/planted_faults.py"],), 0, beside=True),
            Lane("subsets", ROOT, ([sys.executable, "scripts/subsets.py"],), 0, beside=True),
            Lane("soak", TESTS, ([sys.executable, "faults/soak.py", "--runs", "20"],), 0),
            Lane("soak of days", TESTS, ([sys.executable, "faults/soak.py", "--days", "12"],), 0),
        ]
    return found


def run(lane: Lane) -> Took:
    """Run the commands of a lane up to the first that fails, and show what they print."""
    began, processor_s, passed = time.monotonic(), 0.0, True
    # Nothing is written below template/, not even compiled modules. They are kept also where a container says
    # to keep none: hundreds of processes would each compile the libraries again, half of the time of a lane.
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(ROOT / "build/pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # A file with a name says how far a long lane has come, also after it was killed.
    told = ROOT / "build/lanes" / f"{lane.name.replace(': ', '-').replace(' ', '_')}.txt"
    told.parent.mkdir(parents=True, exist_ok=True)
    with told.open("w+b") as kept:
        if not lane.beside:
            _show(f"\n== {lane.name}\n".encode())
        output = kept if lane.beside else None
        for command in lane.commands:
            process = subprocess.Popen(
                command, cwd=lane.folder, env=environment, stdout=output, stderr=output and subprocess.STDOUT
            )
            # Unlike `wait`, it says what this command and its own processes took, and no other lane's.
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            processor_s += used.ru_utime + used.ru_stime
            if process.returncode:
                passed = False
                break
        if lane.beside:
            kept.seek(0)
            _show(f"\n== {lane.name}\n".encode() + kept.read())
    return Took(lane, time.monotonic() - began, processor_s, passed)


def _show(text: bytes) -> None:
    """Write text whole, whatever other lanes write."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def run_all(chosen: Sequence[Lane]) -> list[Took]:
    """Run lanes, on more than one core those beside the others at the same time; return them in order."""
    took: dict[str, Took] = {}

    def run_each(some: Sequence[Lane]) -> None:
        for lane in some:
            took[lane.name] = run(lane)

    apart = [lane for lane in chosen if lane.beside]
    thread = threading.Thread(target=run_each, args=(apart,), daemon=True)
    if CORES == 1:
        run_each(apart)
    else:
        thread.start()
    run_each([lane for lane in chosen if not lane.beside])
    if CORES > 1:
        thread.join()
    return [took[lane.name] for lane in chosen]


def table(took: Sequence[Took], seconds: float) -> str:
    """Return what each lane took beside its goal, and which of them failed."""
    lines = ["", "lane                          seconds  processor  goal of `make test`"]
    for each in took:
        goal = each.lane.goal_s or "-"
        lines.append(f"{each.lane.name:<28}  {each.seconds:7.0f}  {each.processor_s:9.0f}  {goal}")
    processor_s = sum(each.processor_s for each in took)
    lines.append(f"{'together':<28}  {seconds:7.0f}  {processor_s:9.0f}  {GOAL_S}")
    if failed := [each.lane.name for each in took if not each.passed]:
        lines.append(f"FAILED: {', '.join(failed)}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the lanes that the command line names: `quick` or `all`."""
    if sys.argv[1:] not in (["quick"], ["all"]):
        raise SystemExit("Usage: python scripts/lanes.py quick|all")
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "scripts/render.py", "answers/reference.yml", str(OWN)], cwd=ROOT, check=True
    )
    took = run_all(lanes(sys.argv[1] == "all"))
    sys.stdout.write(table(took, time.monotonic() - began))
    return int(not all(each.passed for each in took))


if __name__ == "__main__":
    sys.exit(main())
