"""Measure a morning: day 1 from nothing, then day 2 with one more date, with the real command.

A universe is written as files, the pipeline runs on it without its last date in an empty state, and again
with it. Seconds and the peak memory of each stage are printed, the exponent over sizes is fitted, and larger
universes are extrapolated. With `--engine PROJECT` the same days alternate with another project, A B A B:
a project that was generated from an older engine says what the newer one is worth.
Results go to build/day.json and build/day.md. Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/day.py`. For an honest number nothing else may
run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import capacity
from arena.memory import memory_kind
from bench import machine, positive, versions
from days import account, command, paper
from days.universe import SIZES, SMALL, WIDE, Size, Universe

PROJECT = Path(__file__).resolve().parents[2]
# What is put on paper: as many prices as some universes of ten and twenty years have.
ON_PAPER = {"3,000 x 10 years": 7_560_000, "10,000 x 20 years": 50_400_000}


def main() -> int:
    """Run the days that were asked for; 1 if one failed."""
    options = parsed()
    known = {size.name: size for size in (SMALL if options.small else SIZES)}
    chosen = options.size or list(known)
    if unknown := [name for name in chosen if name not in known]:
        print(f"No universe {unknown[0]}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    if options.engine and not (options.engine / "engine" / "acceleray").is_dir():
        print(f"{options.engine} is no generated project: it has no engine/acceleray.", file=sys.stderr)
        return 2
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="pf-day-", dir=options.folder) as scratch:
        for name in chosen:
            for row in measured(known[name], Path(scratch), options):
                rows.append(row)
                # After each run, so that nothing is lost if a later one is stopped.
                written(rows, grow(known[size] for size in chosen), options)
    print("\n" + (options.out / "day.md").read_text(encoding="utf-8"))
    print(f"Results: {options.out / 'day.json'} and day.md")
    return int(any(row["error"] for row in rows))


def grow(sizes: Iterable[Size]) -> dict[str, int]:
    """Return the prices of the universes that differ in size alone: not the sample, nor short histories."""
    return {size.name: size.prices for size in sizes if size.portfolios and size is not WIDE}


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure a morning: the pipeline on all dates but the last in an empty state, then on "
        "one date more. Prints seconds and peak memory of each stage.",
        epilog="A universe of 3,000 instruments takes up to an hour and 6 GB. Start with --small, which "
        "takes minutes and shows that it works.",
    )
    add = parser.add_argument
    add("--size", nargs="+", metavar="NAME", help="which universes: " + ", ".join(s.name for s in SIZES))
    add("--small", action="store_true", help="tiny universes instead: to try it out, not to quote")
    add("--kind", choices=("parquet", "csv"), default="parquet", help="of the prices (default: %(default)s)")
    add("--rounds", type=positive, default=1, help="both days so many times (default: %(default)s)")
    add("--anew", action="store_true", help="also day 2 with --anew, on a copy of the state after day 1")
    add("--engine", type=Path, metavar="PROJECT", help="another generated project, alternating with this one")
    add("--label", default="before", help="what tables call the other project (default: %(default)s)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of all runs; repeatable")
    add("--folder", type=Path, help="where files and states are made (default: a temporary one)")
    add("--cores-per-node", type=positive, default=16, help="on paper (default: %(default)s)")
    add("--efficiency", type=float, default=0.7, help="of many cores, on paper (default: %(default)s)")
    add("--out", type=Path, default=Path("build"), help="folder of the results (default: %(default)s)")
    return parser.parse_args()


def measured(size: Size, scratch: Path, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the row of each run in one universe: alternating days and projects."""
    folder = scratch / size.name
    folder.mkdir()
    began = time.perf_counter()
    universe = Universe(size, folder, options.kind)
    tell(f"{size.name}: {size.prices:,} prices written in {time.perf_counter() - began:.0f} s")
    projects = {account.OURS: PROJECT}
    if options.engine:
        projects[options.label] = options.engine.resolve()
    for number in range(options.rounds):
        for engine, project in projects.items():
            with_anew = options.anew and engine == account.OURS
            for day, found in mornings(universe, project, folder, options.set, with_anew, engine):
                about = {"size": size.name, "prices": size.prices, "engine": engine, "round": number + 1}
                yield about | {"day": day} | found.row()
    shutil.rmtree(folder)


def mornings(
    universe: Universe, project: Path, folder: Path, settings: Sequence[str], with_anew: bool, engine: str
) -> Iterator[tuple[str, command.Day]]:
    """Yield day 1 in an empty state, day 2 in what it left, and day 2 that takes nothing of it."""
    state, aside = folder / "state", folder / "aside"

    def run(day: int, name: str, *more: str) -> tuple[str, command.Day]:
        tell(f"{universe.size.name}, {engine}, {name}")
        universe.write_day(day)
        found = command.ran(project, state, (*universe.settings, *settings), indented, *more)
        tell(f"{found.seconds:.1f} s, at most {found.peak_mb / 1e3:.2f} GB {found.error}".rstrip(), 2)
        return name, found

    try:
        yield run(1, account.DAY_1)
        if with_anew:
            shutil.copytree(state, aside)
        yield run(2, account.DAY_2)
        if with_anew:
            # In the same place: MLflow's records name it.
            shutil.rmtree(state)
            aside.rename(state)
            yield run(2, account.ANEW, "--anew")
    finally:
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def written(rows: Sequence[dict[str, Any]], sizes: dict[str, int], options: argparse.Namespace) -> None:
    """Write what was measured so far, as JSON and as tables."""
    node = capacity.Machine(options.cores_per_node, 0.0)
    cores = os.cpu_count() or 1
    grown = list(paper.growths(account.points(rows, sizes)))
    planned = list(paper.plans(grown, node, cores, options.efficiency, ON_PAPER))
    assumed = paper.assumptions(node, cores, options.efficiency)
    lines = ["## Days", "", *account.table(rows), "", "## Stages", "", *account.stage_table(rows)]
    if grown:
        lines += ["", "## Growth", "", *paper.growth_table(grown), "", "## On paper", ""]
        lines += [*[f"* {line}" for line in assumed], "", *paper.plan_table(planned)]
    results = {
        **{"machine": machine(), "versions": versions(), "memory": memory_kind(), "rows": list(rows)},
        **{"growth": paper.as_rows(grown), "plan": paper.as_rows(planned), "assumptions": assumed},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "day.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (options.out / "day.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def indented(line: str) -> None:
    """Tell what a run says."""
    tell(line, 4)


def tell(line: str, indent: int = 0) -> None:
    """Print a line of progress at once."""
    print(" " * indent + line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
