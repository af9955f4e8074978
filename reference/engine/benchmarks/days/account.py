"""The cost of days: medians over rounds, ratios, and stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

DAY_1, DAY_2, ANEW = "day 1", "day 2", "day 2 anew"
OURS = "this"
Row = Mapping[str, Any]


def of(rows: Sequence[Row], size: str, engine: str, day: str) -> list[Row]:
    """Return the runs of one day that succeeded, one a round."""
    wanted = (size, engine, day)
    return [row for row in rows if (row["size"], row["engine"], row["day"]) == wanted and not row["error"]]


def typical(rows: Sequence[Row], value: Callable[[Row], float] = lambda row: row["seconds"]) -> float:
    """Return the median over rounds, NaN of none."""
    return median(map(value, rows)) if rows else float("nan")


def working(row: Row) -> float:
    """Return the seconds of a run without the start of its engines."""
    return float(row["seconds"] - row["start_s"])


def by_stage(rows: Sequence[Row], value: str = "seconds") -> dict[str, float]:
    """Return the median seconds, or `peak_mb`, of each stage, and the seconds outside of stages."""
    titles = dict.fromkeys(stage["title"] for row in rows for stage in row["stages"])
    found = {
        title: typical(
            [stage for row in rows for stage in row["stages"] if stage["title"] == title], one(value)
        )
        for title in titles
    }
    if rows and value == "seconds":
        inside = [sum(stage["seconds"] for stage in row["stages"]) for row in rows]
        found["outside of stages"] = round(
            median(row["seconds"] - each for row, each in zip(rows, inside, strict=True)), 1
        )
    return found


def one(value: str) -> Callable[[Row], float]:
    """Return what reads a value of a row."""
    return lambda row: float(row[value])


def table(rows: Sequence[Row]) -> list[str]:
    """Return whole days as a Markdown table, with the ratios that are to be reached."""
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    other = next((name for name in engines if name != OURS), None)
    heads = [
        "universe",
        "engine",
        "day 1",
        "day 2",
        "day 2 / day 1",
        "without start",
        "day 2 anew",
        "peak GB",
    ]
    heads += [f"day 1 / {other}", f"day 2 / day 1 of {other}", "without start"] if other else []
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for size in dict.fromkeys(row["size"] for row in rows):
        for engine in engines:
            first, second, anew = (of(rows, size, engine, day) for day in (DAY_1, DAY_2, ANEW))
            peaks = [
                max((typical([row], one("peak_mb")) for row in days), default=0.0) for days in (first, second)
            ]
            cells = [
                *(seconds(typical(first)), seconds(typical(second))),
                share(typical(second), typical(first)),
                share(typical(second, working), typical(first, working)),
                seconds(typical(anew)),
                " / ".join(f"{peak / 1e3:.2f}" for peak in peaks),
            ]
            if other:
                before = of(rows, size, other, DAY_1)
                cells += [
                    share(typical(first), typical(before)),
                    share(typical(second), typical(before)),
                    share(typical(second, working), typical(before, working)),
                ]
            lines.append("| " + " | ".join([size, engine, *cells]) + " |")
    return lines


def stage_table(rows: Sequence[Row]) -> list[str]:
    """Return seconds and peak memory of each stage of both days as a Markdown table."""
    lines = ["| universe | engine | stage | day 1 | day 2 | peak MB |", "|---|---|---|---:|---:|---:|"]
    for size, engine in dict.fromkeys((row["size"], row["engine"]) for row in rows):
        first, second = (of(rows, size, engine, day) for day in (DAY_1, DAY_2))
        took, memory = (
            [by_stage(first), by_stage(second)],
            [by_stage(days, "peak_mb") for days in (first, second)],
        )
        for title in dict.fromkeys([*took[0], *took[1]]):
            peaks = " / ".join(f"{each[title]:,.0f}" if title in each else "-" for each in memory)
            cells = [seconds(each.get(title, float("nan"))) for each in took]
            lines.append("| " + " | ".join([size, engine, title, *cells, peaks]) + " |")
    return lines


def points(rows: Sequence[Row], sizes: Mapping[str, int]) -> dict[str, list[tuple[int, dict[str, float]]]]:
    """Return by day the prices and the seconds by stage of each size, of this project's runs."""
    found: dict[str, list[tuple[int, dict[str, float]]]] = {}
    for size, prices in sizes.items():
        for day in (DAY_1, DAY_2, ANEW):
            if days := of(rows, size, OURS, day):
                found.setdefault(day, []).append((prices, by_stage(days)))
    return found


def seconds(value: float) -> str:
    """Return seconds as shown, a dash where nothing was measured."""
    return f"{value:.1f} s" if value == value else "-"


def share(part: float, whole: float) -> str:
    """Return a share in per cent, a dash where nothing was measured."""
    found = part / whole if whole else float("nan")
    return f"{100 * found:.0f} %" if found == found else "-"
