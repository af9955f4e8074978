"""The drill again and again in one process, as a notebook session would: `python soak.py --runs 20`.

After each run everything is counted that could pile up. What must not grow is compared with its level after a
few runs, when every library has been used once and every cache is warm.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
# A script finds what lies beside it; this one needs the folder around.
sys.path[:0] = [str(TESTS)]

from faults.counting import COMPACT_ABOVE, WARM_UP, Line, Sample, counted, lines, shown, table  # noqa: E402
from rendered import ENGINE  # noqa: E402


def main() -> int:
    """Return 0 if nothing grew that must not, else 1."""
    given = _arguments()
    os.environ["PYTHONPATH"] = os.pathsep.join(_reachable())
    sys.path[:0] = _reachable()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = _days(Path(folder), given) if given.days else _runs(Path(folder), given)
    if not found:
        return 1
    summary, told = found
    print("\n".join(told))
    given.table.parent.mkdir(parents=True, exist_ok=True)
    given.table.write_text("\n".join(told) + "\n", encoding="utf-8")
    return 0 if all(line.held for line in summary) else 1


Summary = tuple[list[Line], list[str]] | None


def _runs(folder: Path, given: argparse.Namespace) -> Summary:
    from faults.conftest import new_project

    project = new_project(folder)
    samples = list(_soaked(project, given.runs, given.minutes * 60))
    if _too_few(samples):
        return None
    summary = [*lines(samples), _rows_line(project, len(samples))]
    return summary, table(summary, samples)


def _days(folder: Path, given: argparse.Namespace) -> Summary:
    from faults.days import day_lines, soaked

    samples = list(soaked(folder, given.days, given.minutes * 60))
    if _too_few(samples):
        return None
    summary = list(day_lines(samples))
    return summary, table(summary, samples)


def _too_few(samples: list[Sample]) -> bool:
    if len(samples) <= WARM_UP:
        print(f"Only {len(samples)} runs; there is nothing to compare before {WARM_UP + 1}.")
    return len(samples) <= WARM_UP


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Run a small job (Spark, Delta, Ray, MLflow) many times in this one process, and watch "
        "memory, open files, threads, processes, temporary folders and the files of tables. Exits with 1 if "
        "anything grew that must not.",
        epilog=f"A run takes about 20 seconds on two cores, the first {WARM_UP} are the warm-up. The table "
        "is also written to a file.",
    )
    parser.add_argument("--runs", type=int, default=100, metavar="N", help="how many runs (default: 100)")
    parser.add_argument(
        "--days",
        type=int,
        default=0,
        metavar="N",
        help="instead: the whole pipeline on so many days, each a run with one new date; a minute each",
    )
    parser.add_argument(
        "--minutes", type=float, default=24 * 60, metavar="M", help="start no run after so many minutes"
    )
    default = TESTS.parent / "var" / "soak.md"
    parser.add_argument(
        "--table", type=Path, default=default, metavar="FILE", help="where the table goes (var/soak.md)"
    )
    given = parser.parse_args()
    if (given.days or given.runs) <= WARM_UP:
        parser.error(f"there must be more than the {WARM_UP} of the warm-up")
    return given


def _reachable() -> list[str]:
    # Ray's workers look up the drill's functions by the name of their module; recipes are the template's.
    return [str(ENGINE), str(ENGINE.parent / "src"), str(TESTS), str(TESTS.parents[1] / "scripts")]


def _soaked(project: Path, runs: int, seconds: float) -> Iterator[Sample]:
    from acceleray.runtime.progress import Reporter
    from acceleray.runtime.workload import execute
    from faults import drill

    upkeep = (f"maintenance.optimize_above_files={COMPACT_ABOVE}", "maintenance.vacuum_after_h=0")
    begin = time.monotonic()
    for number in range(1, runs + 1):
        started = time.monotonic()
        if started - begin > seconds:
            return
        settings = drill.settings_of(project, *upkeep, seed=number)
        execute(drill.job(), settings, Reporter(quiet=True))
        sample = Sample(time.monotonic() - started, counted(project / "var"))
        if number % 10 == 0 or number in (1, WARM_UP, runs):
            told = ", ".join(f"{name} {shown(value)}" for name, value in sample.values.items())
            print(f"run {number:>3}, {time.monotonic() - begin:5.0f} s: {told}", flush=True)
        yield sample


def _rows_line(project: Path, runs: int) -> Line:
    """Return how many rows of the values' table are not what they must be after so many seeds."""
    from acceleray.engines.profiles import spark_alone
    from faults import drill
    from faults.watching import assert_whole

    with spark_alone(drill.settings_of(project)) as spark:
        try:
            assert_whole(spark, project, *range(1, runs + 1))
            wrong = 0.0
        except AssertionError:
            wrong = 1.0
    return Line("tables with a wrong, missing or doubled row", 0.0, wrong, wrong, 0.0)


if __name__ == "__main__":
    sys.exit(main())
