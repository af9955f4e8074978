"""The ingest stage: check everything first, then commit received, accepted and quarantined prices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.csv_file import from_csv
from acceleray.stages.ingest.delta_table import from_table
from acceleray.stages.ingest.own_source import from_own
from acceleray.stages.ingest.quality import judge
from acceleray.stages.ingest.received import Received, refuse_dates
from acceleray.stages.ingest.sample import from_sample
from acceleray.stages.ingest.simulated import from_simulation
from acceleray.tables import PRICES, PRICES_QUARANTINED, PRICES_RECEIVED

_NAMED = 5


@dataclass(frozen=True)
class Loaded:
    """What ingest found.

    Attributes:
        load_id: SHA-256 over the received cells, whatever their order.
        first_date: first date with an accepted price.
        last_date: last date with an accepted price.
        as_of: the trading day the run looks from; see `resolve_as_of`.
        received: cells with anything in them; the sum of accepted and quarantined.
        accepted: cells that became prices.
        quarantined: cells that did not.
        instruments: instruments with at least one accepted price.
    """

    load_id: str
    first_date: date
    last_date: date
    as_of: date
    received: int
    accepted: int
    quarantined: int
    instruments: int


def ingest(run: Run) -> Loaded:
    """Load prices into bronze.prices_received, silver.prices and silver.prices_quarantined.

    Nothing is committed before everything has been checked. A run that is killed between two commits is
    repaired by running again: each commit replaces all rows of the source, or does nothing if they are there.

    Raises:
        PortfolioError: the source cannot be read, its dates are unusable, or its history is too short.
    """
    received = _receive(run)
    refuse_dates(received)
    judged = judge(received.cells, run.settings.market_data.stale_price_d).persist()
    try:
        loaded = _check(run, received, judged)
        rows = judged.select(
            F.lit(run.source).alias("source"),
            "*",
            F.lit(loaded.load_id).alias("load_id"),
            F.current_timestamp().alias("loaded_at"),
        )
        run.commit(PRICES_RECEIVED, rows)
        run.commit(PRICES, rows.where("reason IS NULL"))
        run.commit(PRICES_QUARANTINED, rows.where("reason IS NOT NULL"))
    finally:
        judged.unpersist()
    return loaded


def resolve_as_of(settings: Settings, trading_days: Sequence[date]) -> date:
    """Return the last trading day on or before `settings.as_of`, or the last of all if that is not set.

    Args:
        settings: the run's settings.
        trading_days: days with at least one accepted price, ascending, not empty.

    Raises:
        PortfolioError: `as_of` lies before the first trading day.
    """
    if settings.as_of is None:
        return trading_days[-1]
    seen = [day for day in trading_days if day <= settings.as_of]
    if not seen:
        raise PortfolioError(
            f"as_of {settings.as_of} lies before the first price, {trading_days[0]}; choose a later date."
        )
    return seen[-1]


def _receive(run: Run) -> Received:
    spark, settings = run.lake.spark, run.settings
    own = run.project.own_source(settings.market_data.source)
    if own is not None:
        return from_own(spark, settings, own)
    match settings.market_data.source:
        case "csv":
            return from_csv(spark, settings)
        case "table":
            return from_table(spark, settings)
        case "simulated":
            return from_simulation(spark, settings)
    return from_sample(spark)


def _check(run: Run, received: Received, judged: DataFrame) -> Loaded:
    counted = (
        judged.groupBy("instrument_id")
        .agg(F.count("*").alias("received"), F.count("price").alias("accepted"), _digest())
        .toArrow()
        .to_pylist()
    )
    days = judged.where("price IS NOT NULL").select("date").distinct().toArrow()["date"].to_pylist()
    days.sort()
    accepted = sum(row["accepted"] for row in counted)
    cells = sum(row["received"] for row in counted)
    if not days:
        raise PortfolioError(
            f"{received.title} holds no usable price: of {cells} filled cells none is a positive number."
        )
    as_of = resolve_as_of(run.settings, days)
    history = sum(day <= as_of for day in days)
    wanted = run.settings.market_data.minimum_history_d
    if history < wanted:
        raise PortfolioError(
            f"{received.title} has {history} trading days up to {as_of}, fewer than "
            f"market_data.minimum_history_d = {wanted}; bring a longer history or lower that setting."
        )
    with_price = [row["instrument_id"] for row in counted if row["accepted"]]
    _mention(run, set(received.announced) - {row["instrument_id"] for row in counted})
    return Loaded(
        load_id=_load_id(counted),
        first_date=days[0],
        last_date=days[-1],
        as_of=as_of,
        received=cells,
        accepted=accepted,
        quarantined=cells - accepted,
        instruments=len(with_price),
    )


def _mention(run: Run, empty: set[str]) -> None:
    if empty:
        named = ", ".join(sorted(empty)[:_NAMED]) + (", ..." if len(empty) > _NAMED else "")
        run.reporter.say(f"    {len(empty)} instruments have no price at all and are left out: {named}")


def _digest() -> Column:
    # Sorted, so that the order in which rows arrived does not count; the length keeps rows apart.
    row = F.concat_ws(" ", "date", F.length("price_text"), "price_text")
    return F.sha2(F.concat_ws("\n", F.sort_array(F.collect_list(row))), 256).alias("digest")


def _load_id(counted: list[dict[str, Any]]) -> str:
    instruments = sorted((row["instrument_id"], row["received"], row["digest"]) for row in counted)
    return hashlib.sha256(json.dumps(instruments).encode()).hexdigest()
