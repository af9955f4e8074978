"""Levels of three factors, returns with planted exposures to them, and runs without Spark and Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import rejected
from acceleray.settings import Settings
from acceleray.stages.calibrate.factor_model import FactorModel
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import PRICE_SERIES, Table

AS_OF = date(2020, 12, 31)
FACTORS = ("credit", "equity", "oil")
# Log return of each instrument for a change of one of each factor; nothing else moves them.
PLANTED = {"EXACT": (-0.03, 1.2, 0.1), "HOLES": (0.02, 0.7, -0.2), "LATE": (0.0, 1.0, 0.0)}
INSTRUMENTS = tuple(PLANTED)
Build = Callable[..., tuple[Any, FactorModel]]


class Serial:
    """Runs tasks one after the other in this process; as from Ray, shared arrays cannot be written to."""

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        **fixed: Any,
    ) -> Iterator[Any]:
        for value in shared:
            value.setflags(write=False)
        for number, task in enumerate(tasks):
            yield function(task, *shared, **fixed)
            done(number + 1)


@dataclass(frozen=True)
class World:
    """Levels of three factors on weekdays from 2015 to a month after the as-of date, and returns up to it."""

    dates: NDArray[np.datetime64]
    levels: NDArray[np.float64]
    returns: Panel

    def csv(self, beyond: float = 1.0) -> str:
        """Return a file of them, oil missing in March 2018; later levels are multiplied by `beyond`."""
        lines = ["date,oil,credit,equity,short"]
        for day, (credit, equity, oil) in zip(self.dates, self.levels, strict=True):
            later = beyond if day > np.datetime64(AS_OF) else 1.0
            hole = np.datetime64("2018-03-01") <= day < np.datetime64("2018-04-01")
            short = repr(float(equity**2)) if day >= np.datetime64("2020-01-01") else ""
            cells = ["" if hole else repr(float(oil * later)), repr(float(credit * later))]
            lines.append(",".join([str(day), *cells, repr(float(equity * later)), short]))
        return "\n".join(lines) + "\n"


def levels() -> World:
    """Return levels and returns that are the same every time."""
    generator = np.random.default_rng(17)
    every = np.arange(np.datetime64("2015-01-01"), np.datetime64("2021-02-01"))
    dates = every[np.is_busday(every)]
    steps = generator.normal(0.0, [0.02, 0.01, 0.02], (dates.size, 3))
    changes = np.cumsum(steps, axis=0)
    levels = np.column_stack(
        [2.0 + changes[:, 0], 100.0 * np.exp(changes[:, 1]), 50.0 * np.exp(changes[:, 2])]
    )
    seen = dates <= np.datetime64(AS_OF)
    values = np.expm1(steps[seen] @ np.array(list(PLANTED.values())).T)
    values[dates[seen] < np.datetime64("2018-06-01"), 2] = np.nan
    for hole in ("2017-05-08", "2019-08-12"):
        first = int(np.searchsorted(dates, np.datetime64(hole)))
        values[first : first + 5, 1] = np.nan
    return World(dates, levels, Panel(dates[seen], INSTRUMENTS, values))


def calibration(returns: Panel) -> Calibration:
    fits = tuple(rejected("not fitted here", 0) for _ in returns.instruments)
    gate: Any = None
    return Calibration(returns, fits, gate)


class Memory:
    """A run that keeps tables in memory; no test that takes it asks what Spark makes of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.as_of, self.fan_out = settings, AS_OF, Serial()
        self.said: list[str] = []
        self.reporter = SimpleNamespace(say=self.said.append, counter=lambda *known: lambda count: None)
        self.notices = SimpleNamespace(add=lambda *lines: self.said.extend(lines))
        self.tables: dict[str, pa.Table] = {}

    def commit(self, table: Table, rows: pa.Table) -> None:
        self.tables[table.name] = rows

    def arrow(self, table: Table, columns: tuple[str, ...], where: str = "true") -> pa.Table:
        if table is PRICE_SERIES:
            return pa.table({"instrument_id": ["a stock"], "trades_at_weekends": [False]})
        assert where == f"date <= DATE'{AS_OF}'"
        rows = self.tables[table.name]
        return rows.filter(pc.less_equal(rows["date"], pa.scalar(AS_OF))).select(columns)
