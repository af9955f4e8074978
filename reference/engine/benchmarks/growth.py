"""Measure how the cost of each work grows with its size, and with workers; then plan larger ones on paper.

The project's own way alone, warm, at each of a work's growing sizes: seconds, and the exponent fitted to them
(0 is constant, 1 is proportional). At the middle size also with one worker. Results go to build/growth.json.
Run it from the project:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/growth.py --work calibration simulation`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import capacity
from acceleray.engines.profiles import engines
from acceleray.errors import PortfolioError
from acceleray.settings import Settings, load
from arena.contest import Contestant, Order
from bench import found_works, machine, sized, versions

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = "growth.json"
Size = Mapping[str, int]


def main() -> int:
    """Measure each work, print its growth and the plan, and write both; 1 if a side failed."""
    options = parsed()
    works = {name: import_module(module) for name, module in found_works().items()}
    works = {name: work for name, work in works.items() if getattr(work, "GROWTH", ())}
    chosen = options.work or list(works)
    if unknown := [name for name in chosen if name not in works]:
        print(f"No growing sizes of {unknown[0]}; there are {', '.join(works)}.", file=sys.stderr)
        return 2
    rows, failed = [], False
    try:
        dispatch_s = dispatched(options)
        for name in chosen:
            try:
                rows.append(grown(works[name], options))
            except PortfolioError as error:
                print(f"    {name} failed: {error}", flush=True)
                failed = True
    except PortfolioError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    node = capacity.Machine(options.cores_per_node, options.price_per_core_hour)
    every = with_kept(rows, options.out / RESULTS)
    known = constants(every, dispatch_s, options.workers)
    planned = list(capacity.capacities(known, node))
    assumed = capacity.assumptions(known, node)
    print("\n".join(["", *table(rows), "", "On paper:", *[f"- {line}" for line in assumed], ""]))
    print("\n".join(capacity.table(planned)))
    written(options.out / RESULTS, every, planned, assumed)
    return int(failed)


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure how the cost of each work grows with its size, and plan larger ones on paper.",
        epilog="Works are those of bench.py; close everything else on the machine.",
    )
    add = parser.add_argument
    add("--work", nargs="+", metavar="NAME", help="which ones (default: all that have growing sizes)")
    add("--sizes", type=int, default=3, help="the first so many sizes of each (default: %(default)s)")
    add("--rounds", type=int, default=3, help="warm runs at each size (default: %(default)s)")
    add("--workers", type=int, default=os.cpu_count(), help="processes at once (default: all processors)")
    add("--profile", default="local", help="where engines run: local, cluster (default: %(default)s)")
    add("--cores-per-node", type=int, default=16, help="of the plan (default: %(default)s)")
    add(
        "--price-per-core-hour",
        type=float,
        default=0.10,
        help="of the plan: an example, put in your own (default: %(default)s)",
    )
    add("--out", type=Path, default=Path("build"), help="folder of the results (default: %(default)s)")
    return parser.parse_args()


def grown(work: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Return the row of one work: seconds at each size, the exponent, and seconds with one worker."""
    sizes: Sequence[Size] = work.GROWTH[: options.sizes]
    print(work.TITLE, flush=True)
    points = [point(work, size, options.workers, options) for size in sizes]
    middle = len(sizes) // 2
    alone = point(work, sizes[middle], 1, options)["median_s"] if options.workers > 1 else None
    row: dict[str, Any] = {"work": work.NAME, "title": work.TITLE, "axis": axis(sizes), "points": points}
    row["exponent"] = exponent([amount(size, sizes) for size in sizes], [one["median_s"] for one in points])
    row["workers"] = options.workers
    if alone is not None:
        together = points[middle]["median_s"]
        row["one_worker"] = {"size": dict(sizes[middle]), "median_s": alone}
        row["speed_up"] = round(alone / together, 3)
    return row


def point(work: Any, size: Size, workers: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return what the project's own side takes at one size: cold once, then warm."""
    with tempfile.TemporaryDirectory(prefix="pf-growth-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        work.make(folder, size)
        side = Contestant(Order(work.NAME, folder, size, workers, settings(options, workers)), "ray")
        try:
            cold = side.run()
            warm = [side.run() for _ in range(options.rounds)]
        finally:
            side.stop()
    said = ", ".join(f"{value:,} {name}" for name, value in size.items())
    print(f"    {median(warm):8.2f} s  {workers} worker{'s' * (workers > 1)}  {said}", flush=True)
    seconds = {"cold_s": round(cold, 3), "warm_s": [round(one, 3) for one in warm]}
    start = round(side.outcome.start_s, 3)
    return {"size": dict(size), "start_s": start, **seconds, "median_s": round(median(warm), 4)}


def settings(options: argparse.Namespace, workers: int) -> Settings:
    """Return the project's settings for so many processors."""
    return load(PROJECT, overrides=sized(workers), profile=options.profile)


def axis(sizes: Sequence[Size]) -> list[str]:
    """Return the names of what grows."""
    return [name for name in sizes[0] if len({size[name] for size in sizes}) > 1]


def amount(size: Size, sizes: Sequence[Size]) -> float:
    """Return how much there is of what grows, as one number."""
    return math.prod(float(size[name]) for name in axis(sizes))


def exponent(amounts: Sequence[float], seconds: Sequence[float]) -> float | None:
    """Return b of the least-squares fit seconds = a * amount^b, None for a single size."""
    if len(set(amounts)) < 2:
        return None
    return round(float(np.polyfit(np.log(amounts), np.log(seconds), 1)[0]), 3)


def dispatched(options: argparse.Namespace, tasks: int = 4000) -> float:
    """Return the seconds that one driver needs for a task that does nothing."""
    with (
        tempfile.TemporaryDirectory(prefix="pf-growth-", ignore_cleanup_errors=True) as folder,
        engines(elsewhere(settings(options, options.workers), Path(folder))) as (_, fan_out),
    ):
        list(fan_out.map(abs_of, range(tasks // 4)))
        started = time.perf_counter()
        list(fan_out.map(abs_of, range(tasks)))
        return (time.perf_counter() - started) / tasks


def elsewhere(given: Settings, folder: Path) -> Settings:
    """Return settings whose state is in a folder."""
    return given.model_copy(update={"paths": given.paths.model_copy(update={"state": folder})})


def abs_of(number: int) -> int:
    """Return next to nothing: what it costs is to be asked."""
    return abs(number)


def constants(rows: Sequence[Mapping[str, Any]], dispatch_s: float, workers: int) -> capacity.Constants:
    """Return what the plan needs, out of the largest size that was measured of each work."""
    last = {row["work"]: row["points"][-1] for row in rows}
    efficiency = {row["work"]: row["speed_up"] / row["workers"] for row in rows if "speed_up" in row}
    starts = [one["start_s"] for row in rows for one in row["points"]]

    def each(work: str, *names: str) -> float | None:
        if work not in last:
            return None
        # Of one core: what all workers together took, less what they lost by being many.
        spent = last[work]["median_s"] * workers * min(1.0, efficiency.get(work, 1.0))
        return float(spent) / math.prod(last[work]["size"][name] for name in names)

    return capacity.Constants(
        fit_s=each("calibration", "fits"),
        valuation_s=each("simulation", "scenarios", "portfolios"),
        dispatch_s=dispatch_s,
        start_s=max(starts, default=0.0),
        efficiency={name: min(1.0, share) for name, share in efficiency.items()},
    )


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the growth as a Markdown table."""
    lines = ["| work | grows | seconds, warm | exponent | 1 worker to all |", "|---|---|---|---:|---:|"]
    for row in rows:
        seconds = ", ".join(f"{one['median_s']:.2f}" for one in row["points"])
        grows = " x ".join(row["axis"])
        amounts = ", ".join(
            " x ".join(f"{one['size'][name]:,}" for name in row["axis"]) for one in row["points"]
        )
        power = "n/a" if row["exponent"] is None else f"{row['exponent']:.2f}"
        faster = f"{row['speed_up']:.2f} of {row['workers']}" if "speed_up" in row else "n/a"
        lines.append(f"| {row['title']} | {grows}: {amounts} | {seconds} | {power} | {faster} |")
    return lines


def with_kept(rows: Sequence[Mapping[str, Any]], path: Path) -> list[Mapping[str, Any]]:
    """Return the rows, and before them those of works that were not measured this time but are in a file."""
    before = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    return list({row["work"]: row for row in (*before, *rows)}.values())


def written(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    planned: Sequence[capacity.Capacity],
    assumed: Sequence[str],
) -> None:
    """Write the results into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "rows": list(rows),
        "capacity": {"rows": capacity.as_rows(planned), "assumptions": list(assumed)},
    }
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"\nResults: {path}")


if __name__ == "__main__":
    sys.exit(main())
