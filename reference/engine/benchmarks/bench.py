"""Measure Spark alone, Ray beside Spark, and the limit of one machine, side by side.

Every work is a contest of its own: all sides get the same inputs, run in processes of their own, cold once
and then warm in alternation, and their answers are compared. Results go to build/bench.json, as tables to
build/bench.md and as a picture to build/bench.svg; works that are not measured this time keep their rows.
Run it from the project: `make bench ARGS="--work simulation --rounds 5"`. For an honest number nothing else
may run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from acceleray.errors import PortfolioError
from acceleray.settings import Settings, load
from arena import figure, table
from arena.anew import anew
from arena.contest import Order, contest
from arena.in_turn import in_turn
from arena.memory import memory_kind
from arena.outcome import result

PROJECT = Path(__file__).resolve().parents[2]
# The largest shared matrix is 160 MB; in the default store of 256 MB it pushes what tasks returned to disk.
OBJECT_STORE_MB = 1024
# Of all sides alike: `toPandas` of the hand-off's table ends without an answer in the default heap of 1 GB.
DRIVER_MEMORY = "4g"
# The project's default suits short runs; who makes Spark compute lets Java compile as well as it can.
COMPILER = "full"
LIBRARIES = ("pyspark", "ray", "delta-spark", "mlflow-skinny", "mlflow", "numpy", "pyarrow", "xgboost-cpu")


def main() -> int:
    """Run the contests that were asked for; 1 if a side failed or answers differ."""
    options = parsed()
    works = found_works()
    chosen = options.work or list(works)
    if unknown := [name for name in chosen if name not in works]:
        print(f"Unknown work {unknown[0]}; there are {', '.join(works)}.", file=sys.stderr)
        return 2
    try:
        settings = load(PROJECT, overrides=sized(options.workers), profile=options.profile)
    except PortfolioError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if options.profile == "databricks":
        if local := [
            name for name in chosen if getattr(import_module(works[name]), "TABLES_ARE_FILES", False)
        ]:
            print(
                f"{local[0]} makes its table in a folder, which no catalog knows; leave it out.",
                file=sys.stderr,
            )
            return 2
        # A notebook has one Spark session, and sides would stop each other's.
        options.in_turn = True
    # Five clusters that each collect a table need more than 24 GB, and one of yours has slots for one side.
    options.anew = options.anew or options.profile == "cluster"
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in chosen:
        rows.append(measured(works[name], options, settings))
        # After each work, so that nothing is lost if a later one is stopped.
        written(options.out, rows, list(works))
    print(f"\n{table.summary(rows)}\n\nResults: {options.out / 'bench.json'}, bench.md and bench.svg")
    return 0 if all(row["equal"] for row in rows) else 1


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure Spark alone, Ray beside Spark, and the limit of one machine, side by side.",
        epilog="One side works at a time; close all else on the machine. Databricks: engine/docs/engines.md.",
    )
    add = parser.add_argument
    add(
        "--work",
        nargs="+",
        metavar="NAME",
        help="which ones: " + ", ".join(found_works()) + " (default: all)",
    )
    add("--small", action="store_true", help="seconds instead of minutes: to try it out, not to quote")
    add("--rounds", type=positive, default=5, help="warm runs of every side (default: %(default)s)")
    add("--workers", type=int, default=os.cpu_count(), help="processes at once (default: all processors)")
    add(
        "--profile",
        choices=("local", "cluster", "databricks"),
        default="local",
        help="where engines run; cluster implies --anew (default: %(default)s)",
    )
    one_at_a_time = parser.add_mutually_exclusive_group().add_argument
    one_at_a_time(
        "--anew", action="store_true", help="open a side's engines anew in each round: needs less memory"
    )
    one_at_a_time("--in-turn", action="store_true", help="all sides in this process, one after the other")
    add(
        "--folder", type=Path, help="where inputs are made; every node must see it (default: a temporary one)"
    )
    add("--out", type=Path, default=Path("build"), help="folder of the results (default: %(default)s)")
    return parser.parse_args()


def positive(text: str) -> int:
    """Return a whole number above 0, for `argparse`."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def sized(workers: int) -> list[str]:
    """Return the settings that give both engines the processors, and Ray room for what is shared."""
    cores = [f"spark.cores={workers}", f"ray.workers={workers}"]
    spark = [f"spark.driver_memory={DRIVER_MEMORY}", f"spark.java_compiler={COMPILER}"]
    return [*cores, f"ray.object_store_mb={OBJECT_STORE_MB}", *spark]


def found_works() -> dict[str, str]:
    """Return the module of every work by its name."""
    folder = Path(__file__).resolve().parent / "works"
    modules = [path for path in sorted(folder.iterdir()) if path.suffix == ".py" or path.is_dir()]
    texts = {path.stem: path if path.is_file() else path / "__init__.py" for path in modules}
    declares = {
        name: path for name, path in texts.items() if path.is_file() and "\nSIDES" in path.read_text()
    }
    return {name: f"works.{name}" for name in declares}


def measured(module: str, options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Return the row of one work, made in a folder that is removed afterwards."""
    work = import_module(module)
    size = work.SIZES["small" if options.small else "full"]
    said = ", ".join(f"{value:,} {name}" for name, value in size.items())
    print(f"{work.TITLE}: {said}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="pf-bench-", dir=options.folder))
    try:
        started = time.perf_counter()
        work.make(folder, size)
        print(f"    inputs made in {time.perf_counter() - started:.1f} s", flush=True)
        order = Order(work.NAME, folder, size, options.workers, settings)
        if options.in_turn:
            outcomes = in_turn(order, list(work.SIDES), options.rounds, say)
        elif options.anew:
            outcomes = anew(order, list(work.SIDES), options.rounds, say)
        else:
            outcomes = contest(order, list(work.SIDES), options.rounds, say, decisive(work))
        row = result(work, size, outcomes)
        if any("error" in side for side in row["sides"].values()):
            kept_logs(folder, options.out)
        return row
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def decisive(work: Any) -> set[str]:
    """Return the sides that a target of the work is about, beside the quickest."""
    named = {name for name in work.SIDES if f"{name}_ratio" in work.TARGETS}
    return named | {getattr(work, "AGAINST", "")}


def kept_logs(folder: Path, out: Path) -> None:
    """Copy what the sides printed to where it can be read."""
    (out / "bench-logs").mkdir(exist_ok=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, out / "bench-logs" / log.name)
    say(f"    what the sides printed is in {out / 'bench-logs'}")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def written(out: Path, rows: list[dict[str, Any]], order: list[str]) -> None:
    """Write all results: the new rows, and those of before for works that were not measured again."""
    path = out / "bench.json"
    before = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    every: Mapping[str, Any] = {row["work"]: row for row in (*before, *rows)}
    results = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "rows": [every[name] for name in order if name in every],
    }
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (out / "bench.md").write_text(table.markdown(results), encoding="utf-8")
    figure.write(results["rows"], out / "bench.svg")


def machine() -> dict[str, Any]:
    """Return what the numbers were measured on."""
    return {
        "cpus": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "memory_is": memory_kind(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that matter, where they are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
