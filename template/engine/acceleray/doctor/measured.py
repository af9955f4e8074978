"""Results of `make bench`: those of this project if it was run here, otherwise the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Any

from acceleray.errors import PortfolioError

RESULTS = Path("build", "bench.json")


@dataclass(frozen=True)
class Measured:
    """Results of the benchmark: `origin` in words, processors, and the row of each work by its name."""

    origin: str
    cpus: int
    rows: Mapping[str, Mapping[str, Any]]

    def ratio(self, work: str, name: str = "spark_ratio") -> float | None:
        """Return a ratio of one work, None if it was not measured."""
        value = self.rows.get(work, {}).get(name)
        return None if value is None else float(value)

    def unit_s(self, work: str, side: str = "ray") -> float | None:
        """Return the seconds of one core for one unit of a work, None if it was not measured.

        A unit is one of everything that the size of the work counts; of a calibration it is one fitted day.
        """
        row = self.rows.get(work)
        if row is None or "median_s" not in row["sides"].get(side, {}):
            return None
        size = dict(row["size"])
        if work == "calibration":
            days = (size.pop("shortest_d") + size.pop("longest_d")) / 2
            size["mean_d"] = days
        return float(row["sides"][side]["median_s"]) * self.cpus / prod(size.values())

    def start_s(self) -> float:
        """Return the seconds until Spark and Ray are up, of the slowest start."""
        starts = [row["sides"].get("ray", {}).get("start_s", 0.0) for row in self.rows.values()]
        return float(max(starts, default=0.0))


def measured(project_dir: Path) -> Measured:
    """Return what was measured in this project, or else what it came with.

    Raises:
        PortfolioError: the project's own results cannot be read.
    """
    own = project_dir / RESULTS
    if own.is_file():
        try:
            found = json.loads(own.read_text(encoding="utf-8"))
            return _of(found, f"make bench of {found['measured_at'][:10]} on this project's machine")
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise PortfolioError(f"{own} cannot be read ({error}); delete it or run make bench.") from None
    shipped = json.loads(files("acceleray.doctor").joinpath("measured.json").read_text(encoding="utf-8"))
    return _of(shipped, f"the shipped measurement on {shipped['machine']['cpus']} cores")


def _of(found: Mapping[str, Any], origin: str) -> Measured:
    return Measured(origin, int(found["machine"]["cpus"]), {row["work"]: row for row in found["rows"]})
