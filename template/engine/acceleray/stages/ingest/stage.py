"""The ingest stage: check everything first, then commit received, accepted and quarantined prices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from acceleray.engines.handoff.arrays import as_date
from acceleray.engines.spark.caching import kept
from acceleray.errors import PortfolioError
from acceleray.quant.price_findings.finding import THE_FILE, Finding
from acceleray.quant.risk_calendar import Calendar
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.calendar import calendar_of, calendar_rows
from acceleray.stages.ingest.corrections import read_corrections
from acceleray.stages.ingest.delivered import Examine, delivered
from acceleray.stages.ingest.delta_table import from_table
from acceleray.stages.ingest.findings import findings_table
from acceleray.stages.ingest.grouped import Grouped, Here
from acceleray.stages.ingest.merging import commit_prices, moved
from acceleray.stages.ingest.own_source import from_own
from acceleray.stages.ingest.price_file import from_file
from acceleray.stages.ingest.quality import first_cell, judge
from acceleray.stages.ingest.rates import with_rates
from acceleray.stages.ingest.received import Received, refuse_dates
from acceleray.stages.ingest.sample import from_sample
from acceleray.stages.ingest.simulated import from_simulation
from acceleray.stages.ingest.surprises import look_at_prices
from acceleray.stages.ingest.survey import Survey, survey
from acceleray.tables import (
    PRICE_FINDINGS,
    PRICE_SERIES,
    PRICES,
    RISK_DAYS,
)


@dataclass(frozen=True)
class Loaded:
    """Result of ingest.

    Attributes:
        load_id: SHA-256 over the received cells, whatever their order, and over corrections if there are any.
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


def ingest(run: Run, examine: Examine | None = None) -> Loaded:
    """Load prices into bronze and silver: received, accepted, quarantined, their series and the risk days.

    Nothing is committed before everything has been checked. A run that is killed between two commits is
    repaired by running again: each commit brings the rows of the source to what was delivered, or does
    nothing if they are that.

    Args:
        run: what is read and written.
        examine: looks at what was delivered before anything is committed, such as whether a book can be
            meant with these prices.

    Raises:
        PortfolioError: the source cannot be read, its dates are unusable, or its history is too short.
    """
    received = with_rates(run.lake.spark, run.settings, _receive(run))
    for line in received.understood:
        run.reporter.say(f"    {line}")
    refuse_dates(received)
    corrections = read_corrections(run.settings)
    data = run.settings.market_data
    judged = judge(received.prices, data.stale_price_d, data.arithmetic, corrections)
    with kept(judged.kept, run.settings) if judged.kept is not None else nullcontext():
        known = survey(judged.series, data.arithmetic)
        loaded, calendar = _check(run, received, known, judged.series)
        if examine is not None:
            examine(delivered(judged.series, loaded.as_of))
        loaded = replace(loaded, load_id=corrections.identity(loaded.load_id))
        prices, load_id = moved(run, PRICES, judged), loaded.load_id
        found = look_at_prices(run, received, judged, known, prices, load_id, corrections)
        run.commit(PRICE_FINDINGS, findings_table([*found, *_understood(received, loaded)], load_id))
        commit_prices(run, judged, load_id, prices, loaded.quarantined)
        run.commit(PRICE_SERIES, _stamped(run, loaded, _priced(known.series, data.arithmetic)))
        run.commit(RISK_DAYS, _stamped(run, loaded, calendar_rows(calendar, known.contents())))
    return loaded


def resolve_as_of(settings: Settings, trading_days: Sequence[date]) -> date:
    """Return the last trading day on or before `settings.as_of`, or the last of all if that is not set.

    Args:
        settings: the run's settings.
        trading_days: the risk days, ascending, not empty.

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
        return from_own(run, own)
    match settings.market_data.source:
        case "csv":
            return from_file(spark, settings)
        case "table":
            return from_table(spark, settings)
        case "simulated":
            return from_simulation(spark, settings)
    rates = settings.book.source != "simulated" and settings.fx.source == "prices"
    return from_sample(rates=rates)


def _priced(series: pa.Table, arithmetic: Mapping[str, float]) -> pa.Table:
    """Return the rows of instruments with a price, with the level of their returns where they have one."""
    rows = series.filter(pc.greater(series["prices"], 0))
    levels = [arithmetic.get(name) for name in rows["instrument_id"].to_pylist()]
    return rows.append_column("return_level", pa.array(levels, pa.float64()))


def _check(run: Run, received: Received, known: Survey, judged: Here | Grouped) -> tuple[Loaded, Calendar]:
    series = known.series
    accepted, quarantined = (pc.sum(series[name]).as_py() or 0 for name in ("prices", "quarantined"))
    cells = accepted + quarantined
    if not accepted:
        raise PortfolioError(
            f"{received.title} has no usable price: of {cells} filled cells none is a positive number"
            f"{first_cell(judged)}."
        )
    priced = series.filter(pc.greater(series["prices"], 0))
    calendar = calendar_of(known, run.settings.market_data)
    days = [as_date(day) for day in calendar.risk_days]
    if not days:
        raise PortfolioError(
            f"{received.title} has no day on which more than half of its instruments have a price; set"
            " market_data.calendar to weekdays or to an exchange such as XNYS."
        )
    as_of = resolve_as_of(run.settings, days)
    history = sum(day <= as_of for day in days)
    wanted = run.settings.market_data.minimum_history_d
    if history < wanted:
        unit = run.settings.market_data.unit
        what = f"{'trading day' if unit == 'day' else unit}{'s' if history != 1 else ''}"
        raise PortfolioError(
            f"{received.title} has {history} {what} up to {as_of}, fewer than "
            f"market_data.minimum_history_d = {wanted}; provide a longer history or lower that setting."
        )
    _mention_days(run, calendar)
    return Loaded(
        load_id=_load_id(series),
        first_date=pc.min(priced["first_date"]).as_py(),
        last_date=pc.max(priced["last_date"]).as_py(),
        as_of=as_of,
        received=cells,
        accepted=accepted,
        quarantined=quarantined,
        instruments=len(priced),
    ), calendar


def _understood(received: Received, loaded: Loaded) -> list[Finding]:
    """Return how the source was read, which was said already, as one more finding."""
    if not received.understood:
        return []
    first, last = np.datetime64(loaded.first_date, "D"), np.datetime64(loaded.last_date, "D")
    text = "; ".join(received.understood)
    return [Finding("understood", "info", THE_FILE, first, last, loaded.received, 0.0, text)]


def _stamped(run: Run, loaded: Loaded, rows: pa.Table) -> pa.Table:
    for name, value in (("source", run.source), ("load_id", loaded.load_id)):
        rows = rows.append_column(name, pa.array([value] * len(rows), pa.string()))
    return rows


def _mention_days(run: Run, calendar: Calendar) -> None:
    """Say which days with prices are no risk days; their moves count on the next risk day one."""
    left = np.flatnonzero(~calendar.is_risk_day & (calendar.priced > 0))
    if left.size:
        last = left[-1]
        what, whose = f"{left.size:,} days with prices are not risk days, the last one", "their"
        if left.size == 1:
            what, whose = "1 day with prices is not a risk day,", "its"
        share = f"{calendar.priced[last]} of {calendar.listed[last]} instruments have a price"
        run.reporter.say(
            f"    {what} {calendar.days[last]} ({share}): {whose} moves count on the next risk day"
        )


def _load_id(series: pa.Table) -> str:
    received = pc.add(series["prices"], series["quarantined"])
    columns = (series["instrument_id"].to_pylist(), received.to_pylist(), series["digest"].to_pylist())
    instruments = sorted(zip(*columns, strict=True))
    return hashlib.sha256(json.dumps(instruments).encode()).hexdigest()
