"""Write what was measured into the engine: docs/benchmarks.md, its figure, and what `doctor --advise` knows.

Run it from the project after `make bench`, and after `benchmarks/growth.py` if growth was measured:
`python benchmarks/publish.py --results build`. What was measured with `--profile cluster --out build/cluster`
gets a part of the page. Then read the page before you commit it.
"""

from __future__ import annotations

import argparse
import json
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
    (docs / "benchmarks.md").write_text(page(found, grown, on_cluster), encoding="utf-8")
    shutil.copy(options.results / "bench.svg", docs / "images" / "bench.svg")
    known = options.into / "acceleray" / "doctor" / "measured.json"
    known.write_text(json.dumps(trimmed(found), indent=1) + "\n", encoding="utf-8")
    print(f"Written: {docs / 'benchmarks.md'}, its figure, and {known}")
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
    found: Mapping[str, Any], grown: Mapping[str, Any] | None, on_cluster: Mapping[str, Any] | None = None
) -> str:
    """Return the page: ratios, the figure, every side, a cluster, growth and the plan on paper."""
    machine = found["machine"]
    parts = [
        "# Measured: Spark alone, Ray beside Spark, one machine",
        f"By `make bench` on {found['measured_at'][:10]}, "
        f"{machine['cpus']} cores, {machine['memory_gb']} GB, "
        "written by `engine/benchmarks/publish.py`. `decision_model.md` says how it was measured and what to "
        "conclude. Seconds are of that machine: measure yours.",
        "![Seconds of every side of every work](images/bench.svg)",
        "Ratios of times are against the fastest side of Spark alone, above 1 where Ray is faster, and of "
        "ours to one machine without a framework, below 1 where Ray is faster. "
        + memory_said(machine["memory_is"]),
        table.summary(found["rows"]),
        table.MEANING,
        *missed(found["rows"]),
        "## Every side",
        *(table.sides(row) for row in found["rows"]),
    ]
    if on_cluster is not None:
        parts += [
            "## On a Spark cluster",
            f"By `make bench` with `--profile cluster` on {on_cluster['measured_at'][:10]}: a standalone "
            "cluster on this machine, executors and Ray inside them. Each round opens a side's engines, runs "
            "it cold and twice warm, and closes them; start-up and cold are of the first round.",
            table.summary(on_cluster["rows"]),
            *missed(on_cluster["rows"]),
            *(table.sides(row) for row in on_cluster["rows"]),
        ]
    if grown is not None:
        plan = grown["capacity"]
        parts += [
            "## Growth",
            "The same work at growing sizes, ours; the exponent b of seconds = a x size^b, below 1 where "
            "what does not grow still counts. The last column: the middle size, one worker against all.",
            "\n".join(growth_table(grown["rows"])),
            "## On paper: larger ones",
            "A model, not a measurement. It takes for granted:",
            "\n".join(f"- {line}" for line in plan["assumptions"]),
            "\n".join(capacity.table([capacity.Capacity(**row) for row in plan["rows"]])),
        ]
    used = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    parts.append(f"Python {machine['python']}, {used}.")
    return "\n\n".join(parts) + "\n"


def memory_said(kind: str) -> str:
    """Return what memory is, in a sentence."""
    if kind == "PSS":
        return "Memory is the largest of the whole process tree, shared pages counted once (PSS)."
    return "Memory is the largest of the whole process tree, shared pages counted in each process (RSS)."


def missed(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what did not reach its target, as a paragraph of its own."""
    short = [
        f"{row['title']}: `{name}` {row.get(name, 'not measured')}, target {target:g}"
        for row in rows
        for name, target in row["targets"].items()
        if not row["reached"][name]
    ]
    return ["Short of its target: " + "; ".join(short) + "."] if short else []


if __name__ == "__main__":
    sys.exit(main())
