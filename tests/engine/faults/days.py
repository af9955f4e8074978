"""Mornings one after the other in one process, each with one new day: what may grow by the day, and no more.

The whole pipeline runs with the engines that a run starts, on five instruments. What a day adds is compared
with what a day added after the first ones, because a run a day is what is kept of a run a day.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

from deltalake import DeltaTable

from faults.counting import COMPACT_ABOVE, WARM_UP, Line, Room, Sample, counted, lines, shown

# Days of prices before the first morning: as few as the pipeline takes.
BEFORE = 480
# What a day adds may be this much more than it was: days with a fit on schedule keep more.
LOOSE = 1.6
# Ten stages, a model and their tables in the store of MLflow; more libraries than the drill has.
ROOM = Room(memory_mb=3.0, mlflow_kb=150.0)
ROWS = ("gold.kept_work", "gold.run_work", "gold.returns", "silver.prices", "gold.risk_reported")


def soaked(folder: Path, days: int, seconds: float) -> Iterator[Sample]:
    """Yield what there is after each morning."""
    import rendered
    from acceleray.testing import SmallProject
    from mornings.market import Market
    from mornings.states import SMALL, WORKLOAD, book
    from portfolio import PROJECT

    market, state = Market(BEFORE, days), folder / "state"
    small = SmallProject(PROJECT, rendered.project(), folder)
    upkeep = (f"maintenance.optimize_above_files={COMPACT_ABOVE}", "maintenance.vacuum_after_h=0")
    begin = time.monotonic()
    for number in range(1, days + 1):
        market.append(1)
        prices = f"market_data.path={market.write(folder / 'prices.csv')}"
        started = time.monotonic()
        if started - begin > seconds:
            return
        small.recipe(WORKLOAD, *SMALL, prices, *book(folder), *upkeep)
        took = time.monotonic() - started
        sample = Sample(took, counted(state) | grown(state))
        if number % 5 == 0 or number in (1, days):
            told = ", ".join(f"{name} {shown(value)}" for name, value in grown(state).items())
            print(f"day {number:>3}, {time.monotonic() - begin:5.0f} s, {took:.0f} s: {told}", flush=True)
        yield sample


def grown(state: Path) -> dict[str, float]:
    """Return what grows with each day by right: rows of tables, and what all that is kept takes."""
    found = {}
    for label in ROWS:
        layer, name = label.split(".")
        for folder in (state / "warehouse").glob(f"{layer}*/{name}"):
            found[f"rows of {label}"] = float(DeltaTable(str(folder)).to_pyarrow_dataset().count_rows())
    size = sum(path.stat().st_size for path in (state / "warehouse").rglob("*") if path.is_file())
    return found | {"MB of all tables": size / 1e6}


def day_lines(samples: list[Sample]) -> Iterator[Line]:
    """Yield what must not grow, then what each day adds, then seconds."""
    names = [name for name in samples[-1].values if name.startswith(("rows of", "MB of"))]
    yield from lines([Sample(one.seconds, without(one.values, names)) for one in samples], ROOM)
    for name in names:
        course = [sample.values.get(name, 0.0) for sample in samples]
        added = [after - before for before, after in pairwise(course)]
        # Tidied now and then, tables shrink: means of several days are compared.
        early, late = mean(added[1:WARM_UP]), mean(added[-WARM_UP:])
        allowed = max(LOOSE * early, early + 0.5)
        yield Line(f"{name}, added a day", early, late, late, allowed)
    took = [sample.seconds for sample in samples]
    early, late = median(took[1 : WARM_UP + 1]), median(took[-WARM_UP:])
    yield Line("seconds of a day", early, late, late, LOOSE * early)


def without(values: dict[str, float], names: list[str]) -> dict[str, float]:
    """Return what has other names."""
    return {name: value for name, value in values.items() if name not in names}


def mean(values: list[float]) -> float:
    """Return the mean, zero of none."""
    return sum(values) / max(len(values), 1)
