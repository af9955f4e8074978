"""Actual P&L as booked, from a file or a table."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from pyspark.sql import SparkSession

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.book.hierarchy import in_short
from acceleray.stages.ingest.delta_table import newest

_COLUMNS = {
    "portfolio_id": pa.string(),
    "date": pa.date32(),
    "pnl": pa.float64(),
    "currency": pa.string(),
}


@dataclass(frozen=True)
class Booked:
    """P&L by portfolio and day, and what of the source is not among it.

    Attributes:
        by_day: P&L by portfolio and day.
        others: portfolios that were not asked for, ascending.
        incomplete: one line about rows without a portfolio, a day or an amount; empty if there is none.
    """

    by_day: dict[tuple[str, date], float] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    incomplete: str = ""

    def without_forecast(self, joined: Collection[tuple[str, date]], as_of: date) -> str:
        """Return one line about days up to the as-of date whose P&L met no forecast; empty without any.

        Args:
            joined: portfolios and days that have met a reported forecast.
            as_of: later days are for later runs.
        """
        left = [(name, day) for name, day in self.by_day if day <= as_of and (name, day) not in joined]
        if not left:
            return ""
        names, days = (sorted(set(each)) for each in zip(*left, strict=True))
        when, those = f"on {days[0]}", "that day"
        if len(days) > 1:
            when = f"on {len(days):,} days, the first {days[0]} and the last {days[-1]},"
            those = "those days"
        return f"actual P&L of {in_short(names)} {when} is not used: no forecast was reported for {those}"


def actual_pnl(spark: SparkSession, settings: Settings, currencies: Mapping[str, str]) -> Booked:
    """Return P&L of the named portfolios, none without a source.

    Args:
        spark: the session.
        settings: of the project.
        currencies: base currency of each portfolio, in which its P&L must be.

    Raises:
        PortfolioError: there is no such file or table, a column is missing or cannot be read, a day has two
            rows, or one is in another currency.
    """
    terms = settings.pnl
    if terms.source == "none":
        return Booked()
    if terms.source == "csv":
        where, rows = f"pnl.path {terms.path}", _file(settings)
    else:
        where = f"pnl.table {terms.table}"
        rows = newest(spark, settings, terms.table, "pnl.table").toArrow()
    if missing := [name for name in _COLUMNS if name not in rows.column_names]:
        raise PortfolioError(
            f"{where} has no column {missing[0]}; it needs portfolio_id, date, pnl and currency."
        )
    try:
        rows = pa.table({name: rows[name].cast(kind) for name, kind in _COLUMNS.items()})
    except pa.ArrowInvalid as error:
        raise PortfolioError(f"{where} cannot be read: {error}; give days as 2024-12-31.") from error
    found: dict[tuple[str, date], float] = {}
    others: set[str] = set()
    incomplete: list[str] = []
    for row in rows.to_pylist():
        name, day, amount, currency = (row[column] for column in _COLUMNS)
        if name and name not in currencies:
            others.add(name)
            continue
        if not name or day is None or amount is None or not math.isfinite(amount):
            incomplete.append(f"{name or 'no portfolio'} on {day or 'no date'}")
            continue
        if currency != currencies[name]:
            raise PortfolioError(
                f"{where} gives the P&L of {name} on {day} in {currency or 'no currency'}; its base currency"
                f" is {currencies[name]}: convert it."
            )
        if (name, day) in found:
            raise PortfolioError(f"{where} has two rows for {name} on {day}; keep one.")
        found[name, day] = amount
    return Booked(found, tuple(sorted(others)), _skipped(where, incomplete))


def _skipped(where: str, rows: list[str]) -> str:
    if not rows:
        return ""
    what = "without portfolio, date or amount"
    if len(rows) == 1:
        return f"{where}: a row {what} is not used: {rows[0]}"
    return f"{where}: {len(rows):,} rows {what} are not used, the first {rows[0]}"


def _file(settings: Settings) -> pa.Table:
    path = settings.project_dir / Path(settings.pnl.path).expanduser()
    if not settings.pnl.path or not path.is_file():
        raise PortfolioError(f"pnl.source is csv: set pnl.path to a file; there is none at {path}.")
    try:
        # Names of portfolios may be numbers; what they are is said here and not guessed.
        options = pa.csv.ConvertOptions(column_types=_COLUMNS)
        return pa.csv.read_csv(path, convert_options=options)
    except pa.ArrowInvalid as error:
        raise PortfolioError(f"pnl.path {settings.pnl.path} cannot be read: {error}.") from error
