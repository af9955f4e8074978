"""What tests of the hand-off share: two tables, rows, a function, and a fan-out without Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.engines.delta.lake import Lake
from acceleray.engines.handoff.selection import Selection
from acceleray.engines.handoff.transform import HandOff, Target, Transformed
from acceleray.runtime.run import Run
from acceleray.tables.contract import Column, Table, run_columns, source_column

# Delta allows these in a column's name even without column mapping.
ODD = "it's`odd\"é"
ODD_SCOPE = 'it\'s `odd` \\ "very"; -- é€'
TRADES = Table(
    layer="silver",
    name="trades",
    comment="Rows for tests of the hand-off.",
    scope="source",
    key=("source", "number"),
    columns=(
        source_column(),
        Column("number", "long", "Number"),
        Column("name", "string", "Name", nullable=True),
        Column(ODD, "double", "Amount", nullable=True),
        Column("day", "date", "Day"),
        Column("at", "timestamp", "Moment"),
        Column("open", "boolean", "Whether it is open"),
    ),
)
SCORES = Table(
    layer="gold",
    name="scores",
    comment="Results for tests of the hand-off.",
    scope="run_id",
    key=("run_id", "number"),
    columns=(
        *run_columns(),
        Column("number", "long", "Number"),
        Column("name", "string", "Name", nullable=True),
        Column("score", "double", "Score", nullable=True),
        Column("at", "timestamp", "Moment"),
    ),
)
COLUMNS = ("at", ODD, "number", "name")
CONSTANTS = {"source": "one", "run_id": "r'un", "as_of": date(2024, 1, 31)}


def trades(source: str, count: int) -> pa.Table:
    """Return rows with missing values, and moments before 1970 and beyond 2262."""
    moments = [datetime(1960, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)]
    rows = [
        {
            "source": source,
            "number": number,
            "name": None if number % 7 == 0 else f"n{number % 11} é",
            ODD: None if number % 5 == 0 else 1.0 / (number + 3),
            "day": date(2024, 1, 1) + timedelta(days=number % 9),
            "at": moments[number % 2] + timedelta(microseconds=number),
            "open": number % 2 == 0,
        }
        for number in range(count)
    ]
    return pa.Table.from_pylist(rows, schema=TRADES.arrow_schema)


def fill(lake: Lake, source: str, count: int, files: int = 3) -> int:
    """Commit rows of one source in several files and return the version."""
    frame = lake.frame(TRADES, trades(source, count)).repartition(files)
    return lake.commit(TRADES, frame, source).version


def scored(rows: pa.Table, factor: float = 3.0) -> pa.Table:
    """Return a score of each row; NaN where there is no amount, which a table keeps as NULL."""
    amount = pc.fill_null(rows.column(ODD), float("nan"))
    columns = {"score": pc.multiply(amount, factor), "at": rows.column("at"), "name": rows.column("name")}
    return pa.table({"number": rows.column("number"), **columns})


def forgetful(rows: pa.Table) -> pa.Table:
    """Return too few columns."""
    return scored(rows).drop_columns(["at"])


class Inline:
    """Runs tasks in this process; `before` sees the tasks of each map, `after` what they returned."""

    def __init__(
        self,
        before: Callable[[Sequence[Any]], None] = lambda tasks: None,
        after: Callable[[list[Any]], None] = lambda results: None,
    ) -> None:
        self.maps = 0
        self._before, self._after = before, after

    def map(
        self, function: Callable[..., Any], tasks: Sequence[Any], shared: Sequence[Any] = ()
    ) -> Iterator[Any]:
        self.maps += 1
        self._before(tasks)
        results = [function(task, *shared) for task in tasks]
        self._after(results)
        yield from results


def transform(
    run: Run,
    fan_out: Any,
    version: int,
    scope: str | None = "one",
    said: list[str] | None = None,
    narrow: Any = None,
    table: Table = TRADES,
    function: Callable[..., pa.Table] = scored,
) -> Transformed:
    """Hand rows over and back, with the settings of a run."""
    hand_off = HandOff(run.lake, fan_out, run.settings, (said if said is not None else []).append)
    selection = Selection(table, version, scope, COLUMNS, narrow)
    return hand_off.transform(selection, function, Target(SCORES, CONSTANTS["run_id"], CONSTANTS))


def scores(run: Run) -> pa.Table:
    """Return the results by number."""
    return run.lake.read(SCORES, CONSTANTS["run_id"]).toArrow().sort_by("number").combine_chunks()


def expected(count: int, factor: float = 3.0, source: str = "one") -> pa.Table:
    """Return the results there must be, made without Spark and Ray."""
    rows = trades(source, count)
    score = pc.multiply(rows.column(ODD), factor)
    run_id = pa.array([CONSTANTS["run_id"]] * count)
    as_of = pa.array([CONSTANTS["as_of"]] * count)
    columns = [run_id, as_of, rows.column("number"), rows.column("name"), score, rows.column("at")]
    return pa.table(columns, names=SCORES.column_names)


def same(one: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables hold the same bits, whatever they say of missing values."""
    return one.to_pydict() == other.to_pydict() and one.column_names == other.column_names


def stages(run: Run) -> list[Path]:
    """Return the stages there are."""
    return list(run.settings.stage_dir.glob("*"))
