"""The P&L that came after a forecast: of the positions that were reported, and as booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.stages.backtest.live.revisions import Row
from acceleray.stages.book.book import Book
from acceleray.stages.book.lines import PRICE, Line, Lines

FORECAST = ("portfolio_id", "method", "confidence", "as_of")
OF_LINE = ("instrument_id", "part", "series_id", "legs")


def day_after(as_of: date, days: NDArray[np.datetime64]) -> int | None:
    """Return the row of the first risk day after a date, None where it has not come yet."""
    row = int(np.searchsorted(days, np.datetime64(as_of), side="right"))
    return row if row < days.size else None


def as_reported(rows: Sequence[Row], day: date) -> tuple[Row, bool]:
    """Return the newest of a forecast's revisions that was reported before a day, and whether none was.

    Where all were reported later, as when history is run through, it is the first of them.
    """
    early = [row for row in rows if row["reported_at"].date() < day]
    if early:
        return max(early, key=lambda row: row["revision"]), False
    return min(rows, key=lambda row: row["revision"]), True


def hypothetical(
    exposures: Sequence[Row], instruments: Sequence[str], returns: NDArray[np.float64]
) -> tuple[float, float]:
    """Return what exposures earn on one day as a share of NAV, and the share of gross weight behind it.

    Earned is what is known; it is for the caller to say whether that is enough, and to scale it. Of nothing
    that moves, as of cash in the base currency, all is known.

    Args:
        exposures: rows of gold.exposures_reported of one portfolio.
        instruments: names of the instruments that have returns.
        returns: simple returns (instruments,) of the day, NaN where there is none.
    """
    places = {name: place for place, name in enumerate(instruments)}
    # Instruments that no longer exist have no return.
    unknown, ordered = len(places), sorted(exposures, key=lambda row: [str(row[name]) for name in OF_LINE])
    more = tuple(
        Line(
            row["instrument_id"],
            row["part"],
            "",
            places.get(row["series_id"], unknown) if row["series_id"] else -1,
            tuple((places.get(name, unknown), sign) for name, sign in legs_of(row["legs"])),
            row["beta"],
        )
        for row in ordered
    )
    every = Lines((*instruments, ""), more)
    earned = every.of(np.append(returns, np.nan))[len(every.own) :]
    weights = np.array([row["weight"] for row in ordered], dtype=np.float64)
    known, gross = np.isfinite(earned), float(np.abs(weights).sum())
    if gross == 0.0:
        return 0.0, 1.0
    return float(np.sum(weights[known] * earned[known])), float(np.abs(weights[known]).sum()) / gross


def exposures_of(book: Book, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return gold.exposures_reported of some portfolios: what each of their lines takes its returns from."""
    own, found = book.lines.own, []
    for place in places:
        for at in np.flatnonzero(book.weights[place]).tolist():
            line = book.lines.more[at - len(own)] if at >= len(own) else Line(own[at], PRICE, "", at)
            row = {
                "portfolio_id": book.portfolios[place],
                "instrument_id": line.instrument_id,
                "part": line.part,
                "series_id": own[line.held] if line.held >= 0 else "",
                "legs": " ".join(f"{own[rate]}:{sign:+d}" for rate, sign in line.legs),
                "beta": line.beta,
                "weight": float(book.weights[place, at]),
            }
            found.append(row)
    return found


def legs_of(text: str) -> list[tuple[str, int]]:
    """Return the rates of a line and their signs, as `exposures_of` writes them."""
    parts = (each.rpartition(":") for each in text.split())
    return [(name, int(sign)) for name, _, sign in parts]


def joined(
    forecast: Row,
    late: bool,
    day: date,
    found: tuple[float, float],
    least_covered: float,
    actual: float | None,
) -> dict[str, Any]:
    """Return the row of gold.realised_pnl of one forecast: amounts, and exceptions where they are known.

    Args:
        forecast: the row of gold.risk_reported.
        late: whether it was reported after the fact.
        day: of the P&L.
        found: what its positions earned as a share of NAV, and the share of gross weight behind it.
        least_covered: share without which there is no hypothetical P&L; above it the rest moves alike.
        actual: P&L as booked.
    """
    share, covered = found
    value, nav = forecast["value"], forecast["nav"]
    made = nav * share / covered if covered >= least_covered else None
    return {name: forecast[name] for name in ("portfolio_id", "method", "confidence", "nav", "currency")} | {
        "date": day,
        "forecast_as_of": forecast["as_of"],
        "forecast_run_id": forecast["run_id"],
        "forecast_revision": forecast["revision"],
        "reported_late": late,
        "value_at_risk": value,
        "hypothetical_pnl": made,
        "hypothetical_exception": None if made is None else -made > value,
        "covered_pct_gross": 100.0 * covered,
        "actual_pnl": actual,
        "actual_exception": None if actual is None else -actual > value,
    }


def by_portfolio(exposures: Sequence[Row]) -> Mapping[tuple[str, str], list[Row]]:
    """Return exposures by run and portfolio."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in exposures:
        found.setdefault((row["run_id"], row["portfolio_id"]), []).append(row)
    return found
