"""Results as Markdown: a row per work, then a table of all implementations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
MEANING = (
    "Ours is the implementation of the engine, on Ray. One machine is the reference: the same code in "
    "processes of this machine, without a framework. The usual way is the library that a user would pick "
    "instead."
)


def markdown(results: Mapping[str, Any]) -> str:
    """Return all results as text that reads as it is and renders as tables."""
    rows: Sequence[Row] = results["rows"]
    parts = [summary(rows), MEANING, *(sides(row) for row in rows)]
    machine, versions = results["machine"], results["versions"]
    where = f"{machine['cpus']} processors, {machine['memory_gb']} GB, {machine['system']}"
    used = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n\n".join([*parts, f"Machine: {where}. Python and libraries: {used}."]) + "\n"


def summary(rows: Sequence[Row]) -> str:
    """Return the ratios of every work; a ratio that misses its target says so."""
    lines = [
        "| work | usual way / ours | Spark alone / ours | ours / one machine | memory, ours / Spark alone "
        "| results |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        against = f"{_ratio(row, 'spark_ratio')} ({row.get('best_spark', 'none')})"
        agree = "equal" if row["equal"] else "NOT EQUAL"
        within = f"{agree}, tolerance {row['tolerance']:g}"
        ratios = [_ratio(row, "limit_ratio"), _ratio(row, "memory_spark_ratio")]
        cells = [row["title"], _ratio(row, "usual_ratio"), against, *ratios, within]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sides(row: Row) -> str:
    """Return times and memory of each implementation of a work."""
    size = ", ".join(f"{value:,} {name}" for name, value in row["size"].items())
    lines = [
        f"**{row['title']}**: {size}",
        "",
        "| implementation | start-up s | cold s | from scratch s | warm s, median (low to high) | peak MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    most = max((len(side.get("warm_s", ())) for side in row["sides"].values()), default=0)
    for name, side in row["sides"].items():
        if "error" in side:
            lines.append(f"| {name} | did not finish: {side['error']} | | | | |")
            continue
        spread = f"{side['low_s']:.2f} to {side['high_s']:.2f}"
        few = "" if len(side["warm_s"]) >= most else f", {len(side['warm_s'])} runs"
        warm = f"{side['median_s']:.2f} ({spread}{few})"
        times = [f"{side[key]:.1f}" for key in ("start_s", "cold_s", "from_nothing_s")]
        lines.append("| " + " | ".join([name, *times, warm, f"{side['peak_mb']:,}"]) + " |")
    if row["note"]:
        lines += ["", row["note"][:1].upper() + row["note"][1:] + "."]
    return "\n".join(lines)


def _ratio(row: Row, name: str) -> str:
    value = row.get(name)
    if value is None:
        return "n/a"
    target = row["targets"].get(name)
    if target is None:
        return f"{value:.2f}"
    return f"{value:.2f}" if row["reached"][name] else f"{value:.2f} (target {target:g} missed)"
