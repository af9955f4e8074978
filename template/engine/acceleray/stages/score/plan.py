"""What is to be scored and what cannot be: decided here where rows are few, else by Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.engines.delta.log import UnreadableLogError, logged, readable
from acceleray.engines.spark.kept import kept
from acceleray.runtime.run import Run
from acceleray.stages.score.eligibility import HIGHEST, LOWEST, Window, quarantined, wanted
from acceleray.tables import PRICES
from acceleray.tables.contract import Table

# Up to so many rows this process is done before Spark has planned its first query.
HERE_ROWS = 200_000
_CHOSEN = pa.schema([("instrument_id", pa.string()), ("since", pa.date32()), ("feature_rows", pa.int64())])
_LEFT = pa.schema([("instrument_id", pa.string()), ("feature_date", pa.date32()), ("reason", pa.string())])


@dataclass(frozen=True)
class Plan:
    """What is to be scored.

    Attributes:
        chosen: instruments in order, the date from which on each is scored, and how many rows these are.
        without: how many instruments have a price and no row to score.
        left: returns what cannot be scored, with the reason.
    """

    chosen: pa.Table
    without: int
    left: Callable[[], DataFrame | pa.Table]


@contextmanager
def planned(run: Run, window: Window) -> Iterator[Plan]:
    """Yield the plan of a window; Spark keeps what it has computed of it while the block runs."""
    if all(_few(run, table) for table in (PRICES, run.project.features_table())):
        yield _planned_here(run, window)
        return
    with kept(wanted(run, window), run.settings) as plan:
        chosen = plan.where("since IS NOT NULL").select(*_CHOSEN.names).toArrow()
        without = plan.where("since IS NULL").count()
        yield Plan(
            chosen.sort_by("instrument_id").combine_chunks(), without, lambda: _by_spark(run, plan, window)
        )


def _by_spark(run: Run, plan: DataFrame, window: Window) -> DataFrame:
    constants = {"run_id": run.identity.run_id, "as_of": run.as_of}
    return quarantined(run, plan, window).withColumns({name: F.lit(one) for name, one in constants.items()})


def _few(run: Run, table: Table) -> bool:
    """Return whether the log of a table on this machine counts few rows that may be this run's."""
    version, folder = run.version(table), run.lake.location(table)
    if folder is None or not readable(folder):
        return False
    try:
        files = logged(folder, version, table.scope).files
    except UnreadableLogError:
        return False
    rows = [file.rows for file in files if file.may_hold(run.scope(table))]
    return None not in rows and sum(one or 0 for one in rows) <= HERE_ROWS


def _planned_here(run: Run, window: Window) -> Plan:
    places = ("instrument_id", "date")
    priced = _newest(run.arrow(PRICES, places), window.last)
    rows = run.arrow(run.project.features_table(), places)
    newest = _newest(rows, window.last)
    inside = Counter(rows.filter(_between(rows, window.first, window.last))["instrument_id"].to_pylist())
    chosen, none = [], []
    for name, last_price in sorted(priced.items()):
        known = newest.get(name)
        since = window.first if inside[name] else known
        if since is not None and (inside[name] or since >= window.oldest):
            chosen.append({"instrument_id": name, "since": since, "feature_rows": max(1, inside[name])})
        else:
            reason = _without_rows(run, window, name, last_price, known)
            none.append({"instrument_id": name, "feature_date": last_price, "reason": reason})
    found = pa.Table.from_pylist(chosen, _CHOSEN)
    return Plan(found, len(none), lambda: _left(run, window, found, pa.Table.from_pylist(none, _LEFT)))


def _left(run: Run, window: Window, chosen: pa.Table, none: pa.Table) -> DataFrame | pa.Table:
    names = run.project.feature_names()
    rows = run.arrow(run.project.features_table(), ("instrument_id", "date", *names))
    place = pc.index_in(rows["instrument_id"], chosen["instrument_id"].combine_chunks())
    # A comparison with no date at all is NULL, and such a row is left out.
    since = pc.greater_equal(rows["date"], chosen["since"].take(place))
    rows = rows.filter(pc.and_(since, _between(rows, None, window.last)))
    if any(_outside(rows[name]) for name in names):
        # Spark writes the number into the reason, and it is seldom that there is one.
        return _by_spark(run, wanted(run, window), window)
    return none


def _newest(rows: pa.Table, last: date) -> dict[str, date]:
    """Return the last date of each instrument that is not after another."""
    found = rows.filter(_between(rows, None, last)).group_by("instrument_id").aggregate([("date", "max")])
    return dict(zip(found["instrument_id"].to_pylist(), found["date_max"].to_pylist(), strict=True))


def _between(rows: pa.Table, first: date | None, last: date) -> pa.ChunkedArray:
    until = pc.less_equal(rows["date"], pa.scalar(last, pa.date32()))
    return until if first is None else pc.and_(until, pc.greater_equal(rows["date"], pa.scalar(first)))


def _outside(values: pa.ChunkedArray) -> bool:
    """Return whether a value is no rank; one that is missing is no fault."""
    return bool(pc.any(pc.or_(pc.less(values, LOWEST), pc.greater(values, HIGHEST))).as_py())


def _without_rows(run: Run, window: Window, name: str, last_price: date, newest: date | None) -> str:
    if last_price < window.oldest:
        return f"ended on {last_price}: no price for more than {window.stale_after_d} trading days"
    if name in run.settings.market_data.arithmetic:
        return "no features: its prices change arithmetically"
    if newest is None:
        return "no features: its history is too short"
    return f"its features ended on {newest}"
