"""All findings about one instrument, and all about the prices together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.cash_like import cash_like
from acceleray.quant.price_findings import calendars, quarantine, shape, together
from acceleray.quant.price_findings.arithmetic import arithmetic
from acceleray.quant.price_findings.finding import THE_FILE, Finding, Series
from acceleray.quant.price_findings.jumps import jumps
from acceleray.quant.price_findings.lead_lag import (
    FEWEST_DAYS,
    MOST_INSTRUMENTS,
    WINDOW_D,
    lead_lag,
    standardised,
)
from acceleray.quant.price_findings.market import Market
from acceleray.quant.price_findings.names import field_names
from acceleray.quant.price_findings.twins import projections, twins

REFUSED_SHARE = 0.5
"""Share of instruments that look like returns or rates from which the whole file does."""


@dataclass(frozen=True)
class Digest:
    """Data of one instrument for comparisons between instruments.

    Attributes:
        instrument: its name.
        first: first day with a price.
        last: last day with a price.
        last_price: the last adjusted price.
        projected: stands for its returns, `twins.projections`; empty if it hardly moves.
        moves: standardised moves on the market's days; empty if it is not among those that are looked at.
    """

    instrument: str
    first: np.datetime64
    last: np.datetime64
    last_price: float
    projected: NDArray[np.float64]
    moves: NDArray[np.float32]


def judge_series(series: Series, market: Market, stale_after_d: int) -> list[Finding]:
    """Return every finding about one instrument alone, at most a few of each kind.

    A series that is no price, or has none, is told that and nothing else.

    Args:
        series: its prices and quarantined cells; with a level nothing is looked at that needs a logarithm.
        market: what all instruments did.
        stale_after_d: `market_data.stale_after_d`: days without a price after which an instrument has ended.
    """
    if series.level is not None:
        return _judge_arithmetic(series, market, stale_after_d)
    if returns := shape.returns_like(series):
        return [returns]
    rates = shape.rates_like(series)
    if rates and rates.severity == "error":
        return [rates]
    if lost := quarantine.no_price(series):
        return [lost]
    cash = shape.cash_like(series)
    still, coarse = (None, None) if cash else (shape.standing_still(series), shape.coarse(series))
    single = [
        rates,
        cash,
        quarantine.quarantined(series),
        quarantine.not_positive(series),
        still,
        None if cash or still or coarse else shape.repeating(series),
        None if cash else calendars.filled_weekends(series),
        coarse,
        shape.extreme(series),
        calendars.series_frequency(series, market) or together.thin(series, market),
        calendars.ended(series, market, stale_after_d),
    ]
    found = [one for one in single if one is not None]
    return [*found, *calendars.gaps(series, market), *jumps(series, market)]


def _judge_arithmetic(series: Series, market: Market, stale_after_d: int) -> list[Finding]:
    if lost := quarantine.no_price(series):
        return [lost]
    single = [
        quarantine.quarantined(series),
        arithmetic(series),
        shape.standing_still(series),
        calendars.series_frequency(series, market),
        calendars.ended(series, market, stale_after_d),
    ]
    return [*(one for one in single if one is not None), *calendars.gaps(series, market)]


def lead_lag_grid(market: Market) -> NDArray[np.datetime64]:
    """Return the last days on which at least half the usual number had a return, shape (days,)."""
    recent = slice(-2 * WINDOW_D, None)
    listed = market.listed[recent]
    usual = float(np.median(listed)) if listed.size else 0.0
    return market.days[recent][listed >= 0.5 * usual][-(WINDOW_D + 1) :]


def digest_of(series: Series, grid: NDArray[np.datetime64], looked_at: bool) -> Digest | None:
    """Return an instrument's digest, or None if it has no price, or one without a logarithm.

    Args:
        series: its prices.
        grid: as `lead_lag_grid` gives it.
        looked_at: whether it is among the instruments whose correlations are looked at.
    """
    if not series.days.size or series.level is not None:
        return None
    logs = np.log(series.adjusted)
    hardly = logs.size < 2 or cash_like(np.expm1(np.diff(logs)))
    return Digest(
        series.instrument,
        series.days[0],
        series.days[-1],
        float(series.adjusted[-1]),
        np.zeros(0) if hardly else projections(series.days, logs),
        standardised(grid, series.days, logs)
        if looked_at and not hardly and grid.size > FEWEST_DAYS
        else np.zeros(0, np.float32),
    )


def judge_panel(
    market: Market,
    digests: Sequence[Digest],
    instruments: Collection[str],
    frequency: str,
) -> list[Finding]:
    """Return every finding that only all prices together show.

    Args:
        market: what all instruments did; has at least one day.
        digests: of instruments, in any order.
        instruments: the names of all, in the order in which one prefers the first of two twins.
        frequency: `market_data.frequency`.
    """
    first, last = market.days[0], market.days[-1]
    place = {name: at for at, name in enumerate(instruments)}
    ordered = sorted(digests, key=lambda one: place.get(one.instrument, len(place)))
    moving = [one for one in ordered if one.projected.size]
    found = [
        calendars.panel_frequency(market, frequency) or together.sparse(market) or together.thin_file(market),
        calendars.filled_holidays(market),
        together.shifted(market),
        together.all_jumped(market),
        field_names(instruments, first, last),
    ]
    result = [one for one in found if one is not None] + calendars.panel_gaps(market)
    if len(moving) > 1:
        spans = np.array([(one.first, one.last) for one in moving], dtype="datetime64[D]")
        prices = np.array([one.last_price for one in moving])
        names = [one.instrument for one in moving]
        result += twins(names, np.array([one.projected for one in moving]), prices, spans)
    twin = {one.instrument for one in result if one.kind == "twin"}
    seen = [one for one in moving if one.moves.size and one.instrument not in twin][:MOST_INSTRUMENTS]
    if len(seen) > 1 and market.frequency == "daily":
        grid = lead_lag_grid(market)
        one = lead_lag([each.instrument for each in seen], np.array([each.moves for each in seen]), grid)
        result += [one] if one else []
    return result


def refused_always(findings: Sequence[Finding], instruments: int) -> list[Finding]:
    """Return the findings no run may go on with: a file of returns or rates, or of another frequency.

    Args:
        findings: all of them.
        instruments: how many instruments there are.
    """
    kinds = ("looks_like_returns", "looks_like_rates")
    returns = [one for one in findings if one.kind in kinds and one.severity == "error"]
    wrong = [one for one in findings if one.kind == "frequency" and one.severity == "error"]
    whole = [one for one in wrong if one.instrument == THE_FILE]
    return whole + (returns if returns and len(returns) >= REFUSED_SHARE * instruments else [])
