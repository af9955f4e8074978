"""The outcome of a contest: times of every side, agreement of answers, and the ratios behind each claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

OURS, LIMIT, SPARK = "ray", "limit", "spark"
USUAL = "usual"
"""The side with what a user would pick instead, where none of the others is that (`USUAL` of a work)."""
# Both sides hold a Spark session; Ray may take a quarter on top.
MEMORY_TARGETS: Mapping[str, float] = {"memory_spark_ratio": 1.25}
# Ratios to our time or memory: more is better for the first kind, less for the others.
_AT_MOST = ("limit_ratio", "memory_spark_ratio", "memory_limit_ratio")


@dataclass
class SideOutcome:
    """Seconds and memory of one side.

    Attributes:
        start_s: until engines were open.
        cold_s: the first run.
        warm_s: the interleaved runs after it.
        peak_mb: of the whole process tree, in a run that was not timed.
        difference: largest one of any answer from that of the first side.
        note: what the side says about itself.
        error: why it did not finish; empty if it did.
    """

    start_s: float = 0.0
    cold_s: float = 0.0
    warm_s: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    difference: float = 0.0
    note: str = ""
    error: str = ""

    @property
    def median_s(self) -> float:
        """Return the median of the warm runs."""
        return median(self.warm_s)

    def row(self) -> dict[str, Any]:
        """Return everything as it is written to the results."""
        if self.error:
            return {"error": self.error}
        return {
            "start_s": round(self.start_s, 3),
            "cold_s": round(self.cold_s, 3),
            "from_nothing_s": round(self.start_s + self.cold_s, 3),
            "warm_s": [round(each, 3) for each in self.warm_s],
            "median_s": round(self.median_s, 3),
            "low_s": round(min(self.warm_s), 3),
            "high_s": round(max(self.warm_s), 3),
            "peak_mb": round(self.peak_mb),
            "difference": self.difference,
            "note": self.note,
        }


def result(work: Any, size: Mapping[str, int], sides: Mapping[str, SideOutcome]) -> dict[str, Any]:
    """Return the row of one work.

    `spark_ratio` is the time of the fastest side of Spark alone over ours, or of the side that the work names
    in `AGAINST`; `limit_ratio` is our time over that of one machine without a framework; `usual_ratio` is the
    time of the usual way over ours. That way computes otherwise: its answer has a tolerance of its own, the
    work's `USUAL_TOLERANCE`.
    """
    row: dict[str, Any] = {"work": work.NAME, "title": work.TITLE, "size": dict(size)}
    row |= {"sides": {name: side.row() for name, side in sides.items()}}
    ended = {name: side for name, side in sides.items() if not side.error}
    row["tolerance"] = work.TOLERANCE
    others = [side.difference for name, side in ended.items() if name != USUAL]
    row["largest_difference"] = max(others, default=0.0)
    row["equal"] = len(ended) == len(sides) and row["largest_difference"] <= work.TOLERANCE
    if USUAL in ended:
        row["usual_difference"] = ended[USUAL].difference
        row["equal"] &= ended[USUAL].difference <= getattr(work, "USUAL_TOLERANCE", work.TOLERANCE)
    row |= ratios(ended, getattr(work, "AGAINST", None), getattr(work, "USUAL", USUAL))
    targets = dict(work.TARGETS) | (dict(MEMORY_TARGETS) if work.TARGETS else {})
    row["targets"] = targets
    row["reached"] = {name: reached(name, row.get(name), target) for name, target in targets.items()}
    row["note"] = "; ".join(f"{name}: {side.note}" for name, side in ended.items() if side.note)
    return row


def ratios(ended: Mapping[str, SideOutcome], against: str | None, usual: str = USUAL) -> dict[str, Any]:
    """Return every ratio that the sides which ended allow."""
    if OURS not in ended:
        return {}
    ours, found = ended[OURS], dict[str, Any]()
    for name, side in ended.items():
        if name.startswith((SPARK, OURS)) and name != OURS:
            found[f"{name}_ratio"] = round(side.median_s / ours.median_s, 3)
    sparks = [name for name in ended if name.startswith(SPARK)]
    if sparks:
        best = against if against in sparks else min(sparks, key=lambda name: ended[name].median_s)
        found["best_spark"] = best
        found["spark_ratio"] = round(ended[best].median_s / ours.median_s, 3)
        found["memory_spark_ratio"] = round(ours.peak_mb / ended[best].peak_mb, 3)
        for name, side in ended.items():
            if name.startswith(OURS) and name != OURS:
                found[f"{name}_spark_ratio"] = round(ended[best].median_s / side.median_s, 3)
        found["from_nothing_spark_ratio"] = round(
            (ended[best].start_s + ended[best].cold_s) / (ours.start_s + ours.cold_s), 3
        )
    if usual in ended:
        found["usual_ratio"] = round(ended[usual].median_s / ours.median_s, 3)
    if LIMIT in ended:
        found["limit_ratio"] = round(ours.median_s / ended[LIMIT].median_s, 3)
        found["memory_limit_ratio"] = round(ours.peak_mb / ended[LIMIT].peak_mb, 3)
    return found


def reached(name: str, value: float | None, target: float) -> bool:
    """Return whether a ratio keeps to its target; one that could not be measured does not."""
    if value is None:
        return False
    return value <= target if name in _AT_MOST else value >= target
