"""Live record: the risk of today is kept as reported, and that of earlier days meets its P&L."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from acceleray.engines.handoff.arrays import Panel
from acceleray.runtime.run import Run
from acceleray.stages.backtest.chosen import INVENTED, chosen
from acceleray.stages.backtest.live.realised import (
    FORECAST,
    as_reported,
    by_portfolio,
    day_after,
    exposures_of,
    hypothetical,
    joined,
)
from acceleray.stages.backtest.live.reported import add, keep_reported, of_source
from acceleray.stages.backtest.live.revisions import Row, newest, revised
from acceleray.stages.backtest.live.verdict import live_record
from acceleray.stages.backtest.rows import typed
from acceleray.stages.book.actual import actual_pnl
from acceleray.stages.book.book import Book
from acceleray.stages.book.hierarchy import in_short
from acceleray.stages.simulate.rows import VALUE_AT_RISK
from acceleray.tables import EXPOSURES_REPORTED, LIVE_RECORD, REALISED_PNL, RISK_REPORTED
from acceleray.tables.contract import literal

_DAY = ("portfolio_id", "method", "confidence", "date")
_NUMBERS = ("hypothetical_pnl", "actual_pnl")


def keep_live_record(run: Run, returns: Panel, book: Book) -> list[dict[str, Any]]:
    """Keep what was reported today, join P&L to what was reported before, and return the live record.

    Kept is the risk of all portfolios that are held; the backtested ones (see `chosen`) meet their P&L, by
    each workload that reports risk. A day's P&L is joined once, and again only where it becomes known later.
    Commits gold.risk_reported, gold.exposures_reported, gold.realised_pnl and gold.live_record.

    Raises:
        PortfolioError: `backtest.portfolios` names one that is not in the book, or actual P&L cannot be used.
    """
    places = chosen(book, run.settings.backtest).places.tolist()
    currencies = {book.portfolios[place]: book.currencies[place] for place in places}
    # Refused, if it cannot be used, before anything is kept.
    booked = actual_pnl(run.lake.spark, run.settings, currencies)
    if strange := [name for name in booked.others if name not in set(book.portfolios)]:
        run.notices.add(f"actual P&L of {in_short(strange)} is not used: the book has no such portfolio")
    if booked.incomplete:
        run.notices.add(booked.incomplete)
    held = {*places, *(place for place, origin in enumerate(book.origins) if origin != INVENTED)}
    keep_reported(run, {book.portfolios[place]: float(book.nav[place]) for place in sorted(held)})
    run.commit(EXPOSURES_REPORTED, typed(EXPOSURES_REPORTED, exposures_of(book, places)))
    there = of_source(run, REALISED_PNL, f"date <= DATE'{run.as_of}'")
    due = _due(run, returns, there, currencies, booked.by_day)
    exposures = by_portfolio(_exposures(run, due))
    rows = []
    for forecast, late, at in due:
        name, day = forecast["portfolio_id"], returns.day(at)
        some = exposures.get((forecast["run_id"], name), [])
        # Without its exposures nothing is known, not even that they earned nothing.
        found = hypothetical(some, returns.instruments, returns.values[at]) if some else (0.0, 0.0)
        least = run.settings.backtest.minimum_covered_share
        rows.append(joined(forecast, late, day, found, least, booked.by_day.get((name, day))))
    new = revised(rows, there, _DAY, _NUMBERS)
    add(run, REALISED_PNL, new, {"joined_at": datetime.now(UTC)})
    met = {(row["portfolio_id"], row["date"]) for row in (*there, *new)}
    if unmet := booked.without_forecast(met, run.as_of):
        run.notices.add(unmet)
    record = live_record([*there, *new])
    run.commit(LIVE_RECORD, typed(LIVE_RECORD, record))
    return record


def _due(
    run: Run,
    returns: Panel,
    there: Sequence[Row],
    currencies: Mapping[str, str],
    booked: Mapping[tuple[str, date], float],
) -> list[tuple[Row, bool, int]]:
    """Return the forecasts whose P&L is not yet known as well as it can be.

    Each is a row of gold.risk_reported, whether it was reported after the fact, and the row of its day.
    """
    known = newest(there, _DAY)
    one_day = f"measure = '{VALUE_AT_RISK}' AND horizon_d = 1 AND as_of < DATE'{run.as_of}'"
    revisions: dict[tuple[Any, ...], list[Row]] = {}
    for row in of_source(run, RISK_REPORTED, one_day):
        if row["portfolio_id"] in currencies:
            revisions.setdefault(tuple(row[name] for name in FORECAST), []).append(row)
    due = []
    for (name, method, confidence, as_of), rows in sorted(revisions.items()):
        at = day_after(as_of, returns.dates)
        if at is None:
            continue
        day = returns.day(at)
        found = known.get((name, method, confidence, day))
        waits = found is not None and found["actual_pnl"] is None and (name, day) in booked
        if found is None or found["hypothetical_pnl"] is None or waits:
            due.append((*as_reported(rows, day), at))
    return due


def _exposures(run: Run, due: Sequence[tuple[Row, bool, int]]) -> list[Row]:
    """Return gold.exposures_reported of the runs and portfolios whose P&L is due."""
    runs, portfolios = (sorted({row[name] for row, _, _ in due}) for name in ("run_id", "portfolio_id"))
    if not due:
        return []
    # Those are rows of other runs, which the evidence of this one names.
    run.lake.looked_up.setdefault((EXPOSURES_REPORTED.label, ""), EXPOSURES_REPORTED)
    wanted = f"run_id IN ({_listed(runs)}) AND portfolio_id IN ({_listed(portfolios)})"
    rows = run.lake.rows(EXPOSURES_REPORTED, where=wanted)
    return list(rows.sort_by([(name, "ascending") for name in EXPOSURES_REPORTED.key]).to_pylist())


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(map(literal, texts))
