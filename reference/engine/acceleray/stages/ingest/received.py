"""Received prices in one shape, whatever they came from, and the checks on their dates."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.stages.ingest.grouped import Grouped, Here

# ISO only: 03/04/2020 is March to one reader and April to another. A time of midnight is what a
# spreadsheet or a database adds to a date; any other time of day says that this is not daily data.
ISO_DATE = r"^\s*[12][0-9]{3}-[0-9]{2}-[0-9]{2}([T ]00:00(:00([.]0+)?)?)?(Z|[+]00:00)?\s*$"


@dataclass(frozen=True)
class Received:
    """Delivery of a source, before any check.

    Attributes:
        origin: how messages name the source.
        rows: one row per thing that must be unique: line (of a file, else 0), instrument_id ('' in wide
            data), date_text, and date, which is NULL where date_text is not one; None where all that is known
            already.
        prices: one row per quoted value: instrument_id, date, price_text as received, number_text (the number
            it means in plain decimal text, or price_text where it means none) and adjusted_text (the adjusted
            close, NULL where the source has one price only); empty cells are left out. `Here` or `Grouped`
            where it is known whose cells are whose.
        announced: instruments the source names, with or without prices; empty where only prices name them.
        understood: at most two lines on how the source was read, and one on rates from elsewhere.
    """

    origin: str
    rows: DataFrame | None
    prices: DataFrame | Grouped | Here
    announced: tuple[str, ...] = ()
    understood: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return `origin` as the beginning of a sentence."""
        return self.origin[:1].upper() + self.origin[1:]


def refuse_dates(received: Received) -> None:
    """Check that every date is a date and occurs once (in long data: once per instrument).

    Raises:
        PortfolioError: a date cannot be read, or is there twice.
    """
    if received.rows is None:
        return
    groups = received.rows.groupBy("instrument_id", "date").agg(F.count("*").alias("rows"))
    unread = F.col("date").isNull()
    repeated = ~unread & (F.col("rows") > 1)
    found = groups.agg(
        F.sum(F.when(unread, F.col("rows")).otherwise(0)).alias("unread"),
        F.sum(F.when(repeated, 1).otherwise(0)).alias("repeated"),
    ).first()
    if found is not None and found["unread"]:
        first = received.rows.where(unread).orderBy("line", "instrument_id", "date_text").first()
        text = (first["date_text"] if first else None) or ""
        place = f"Line {first['line']}" if first and first["line"] else "A row"
        raise PortfolioError(
            f"{place} of {received.origin} has '{text}' for a date"
            f"{_others(found['unread'] - 1, 'as in', 'row')}; write dates as 2020-12-31."
        )
    if found is not None and found["repeated"]:
        first = groups.where(repeated).orderBy("date", "instrument_id").first()
        twice = f"{first['date']} {first['rows']} times" if first else "a date twice"
        whose = f" for {first['instrument_id']}" if first and first["instrument_id"] else ""
        raise PortfolioError(
            f"{received.title} has {twice}{whose}"
            f"{_others(found['repeated'] - 1, 'and repeats', 'date')}; "
            f"keep one row per date{whose and ' and instrument'}."
        )


def _others(count: int, before: str, noun: str) -> str:
    return f" ({before} {counted(count, f'other {noun}')})" if count else ""
