"""Write what was measured into the engine: docs/benchmarks.md, its figure, and what `doctor --advise` knows.

Run it from the project after `make bench`, and after `growth.py` if growth was measured:
`PYTHONPATH=src:engine .venv/bin/python engine/benchmarks/publish.py --results build`.
What was measured with `--profile cluster --out build/cluster` gets a part of the page. Without it, and
without growth, the parts that the page has stay, with the day on which they were measured. Then read the page
before you commit it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import capacity
from arena import table
from growth import table as growth_table

ENGINE = Path(__file__).resolve().parents[1]
# What `acceleray.doctor.measured` reads of a row and of its sides.
_KEPT = (
    *("work", "title", "size", "best_spark"),
    *("usual_ratio", "spark_ratio", "limit_ratio", "memory_spark_ratio"),
)
_ON_CLUSTER, _GROWTH, _PLAN = "## On a Spark cluster", "## Growth", "## Extrapolation to larger sizes"
_KEPT_OF_SIDE = ("start_s", "median_s")


def main() -> int:
    """Publish; 2 if nothing was measured."""
    parser = argparse.ArgumentParser(description="Write what was measured into docs/ and the package.")
    parser.add_argument("--results", type=Path, default=Path("build"), help="folder of bench.json")
    parser.add_argument("--into", type=Path, default=ENGINE, help="the engine (default: this one)")
    options = parser.parse_args()
    bench, growth = options.results / "bench.json", options.results / "growth.json"
    if not bench.is_file():
        print(f"There is no {bench}; run make bench first.", file=sys.stderr)
        return 2
    found = json.loads(bench.read_text(encoding="utf-8"))
    grown, on_cluster = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        for path in (growth, options.results / "cluster" / "bench.json")
    )
    docs = options.into / "docs"
    (docs / "images").mkdir(parents=True, exist_ok=True)
    written = docs / "benchmarks.md"
    before = written.read_text(encoding="utf-8") if written.is_file() else ""
    written.write_text(page(found, grown, on_cluster, before), encoding="utf-8")
    shutil.copy(options.results / "bench.svg", docs / "images" / "bench.svg")
    known = options.into / "acceleray" / "doctor" / "measured.json"
    known.write_text(json.dumps(trimmed(found), indent=1) + "\n", encoding="utf-8")
    print(f"Written: {written}, its figure, and {known}")
    return 0


def trimmed(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what advice is made of."""
    rows = []
    for row in found["rows"]:
        sides = {
            name: {key: side[key] for key in _KEPT_OF_SIDE}
            for name, side in row["sides"].items()
            if "error" not in side
        }
        rows.append({key: row[key] for key in _KEPT if key in row} | {"sides": sides})
    return {"measured_at": found["measured_at"], "machine": found["machine"], "rows": rows}


def page(
    found: Mapping[str, Any],
    grown: Mapping[str, Any] | None,
    on_cluster: Mapping[str, Any] | None = None,
    before: str = "",
) -> str:
    """Return the page: ratios, the figure, all implementations, a cluster, growth and the extrapolation.

    Of the last two, what was not measured is that of the page `before`.
    """
    machine = found["machine"]
    parts = [
        "# Benchmarks: Spark alone, Spark with Ray, one machine",
        f"Measured by `make bench` on {found['measured_at'][:10]}, "
        f"{machine['cpus']} cores, {machine['memory_gb']} GB; "
        "written by `engine/benchmarks/publish.py`. `decision_model.md` explains the method and the "
        "conclusions. Seconds depend on the machine: measure on yours.",
        "![Bar chart of seconds for every implementation of every work](images/bench.svg)",
        "Time ratios compare the fastest Spark-only implementation with ours (above 1: Ray is faster), and "
        "ours with one machine without a framework (below 1: Ray is faster). "
        + memory_said(machine["memory_is"]),
        table.summary(found["rows"]),
        table.MEANING,
        *missed(found["rows"]),
        "## All implementations",
        *(table.sides(row) for row in found["rows"]),
    ]
    if on_cluster is None:
        parts += kept(before, _ON_CLUSTER)
    else:
        parts += [
            _ON_CLUSTER,
            f"Measured by `make bench` with `--profile cluster` on {on_cluster['measured_at'][:10]}: a "
            "standalone cluster on this machine, with Ray inside the executors. Each round opens the engines "
            "of one implementation, runs it cold and twice warm, and closes them; start-up and cold times "
            "are from the first round.",
            table.summary(on_cluster["rows"]),
            *missed(on_cluster["rows"]),
            *(table.sides(row) for row in on_cluster["rows"]),
        ]
    if grown is None:
        parts += [*kept(before, _GROWTH), *kept(before, _PLAN)]
    else:
        plan = grown["capacity"]
        parts += [
            _GROWTH,
            f"Measured on {grown['measured_at'][:10]}. Our implementation at growing sizes, with the "
            "exponent b of seconds = a x size^b. An exponent below 1 shows that fixed costs still matter. "
            "The last column compares one worker with all workers at the middle size.",
            "\n".join(growth_table(grown["rows"])),
            _PLAN,
            "A model, not a measurement. Its assumptions:",
            "\n".join(f"- {line}" for line in plan["assumptions"]),
            "\n".join(capacity.table([capacity.Capacity(**row) for row in plan["rows"]])),
        ]
    used = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    parts.append(f"Python {machine['python']}, {used}.")
    return "\n\n".join(parts) + "\n"


def kept(before: str, heading: str) -> list[str]:
    """Return a part of a page, up to the next heading of its rank or the versions at its end."""
    _, found, rest = before.partition(f"{heading}\n")
    return [heading + "\n" + re.split(r"\n\n(?=## |Python \d)", rest)[0].rstrip()] if found else []


def memory_said(kind: str) -> str:
    """Return the definition of memory, in a sentence."""
    if kind == "PSS":
        return "Memory is the peak of the whole process tree, shared pages counted once (PSS)."
    return "Memory is the peak of the whole process tree, shared pages counted in each process (RSS)."


def missed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the missed targets as one paragraph; empty if there are none."""
    short = [
        f"{row['title']}: `{name}` {row.get(name, 'not measured')}, target {target:g}"
        for row in rows
        for name, target in row["targets"].items()
        if not row["reached"][name]
    ]
    return ["Missed targets: " + "; ".join(short) + "."] if short else []


if __name__ == "__main__":
    sys.exit(main())
