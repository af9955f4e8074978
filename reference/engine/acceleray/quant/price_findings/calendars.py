"""Days that a series has and should not have, and days that it lacks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.quant.price_findings.finding import THE_FILE, Finding, Series, plain
from acceleray.quant.price_findings.market import Market, frequency_of
from acceleray.quant.price_findings.together import weekday

FEWEST_WEEKENDS = 10
"""Prices at weekends that must be there before they are judged; one stray Saturday is another matter."""

REPEATED_SHARE = 0.9
"""Share of weekend prices that repeat the one before when weekends are filled; coins repeat hardly any."""

STEPS_OF_A_LINE = 10.0
"""Smallest steps of a price over a weekend beyond which a price on the line between is no chance."""

FEWEST_UNCHANGED = 3
"""Instruments that must all repeat their price for a day to be a filled holiday; three never do by chance."""

FILLED_SHARE = 0.95
"""Share of instruments that repeat their price on a filled holiday; a late market may be left out."""

LONGEST_GAP_D = 31
"""Calendar days without a price: markets close for a week or two at most, save 1914 and 2022 (Moscow)."""

FEWEST_MISSED = 10
"""Days on which others had a price that make a gap one of the instrument."""

MOST_GAPS = 3
"""Gaps that are listed for one instrument, the longest."""

_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def panel_frequency(market: Market, wanted: str) -> Finding | None:
    """Return the finding that the whole file is weekly or monthly: an error where `wanted` says otherwise."""
    found = market.frequency
    first, last = market.days[0], market.days[-1]
    if found == wanted:
        unit = {"weekly": "week", "monthly": "month"}.get(wanted, "")
        text = f"prices are {found}: a day of settings, horizons and tables is a {unit}"
        known = Finding("frequency", "info", THE_FILE, first, last, market.days.size, market.step_d, text)
        return known if unit else None
    common = np.bincount(weekday(market.days), minlength=7)
    on = f", {_WEEKDAYS[int(common.argmax())]} mostly" if found == "weekly" else ""
    text = (
        f"{counted(market.days.size, 'date')} from {first} to {last}, one every {plain(market.step_d)} days"
        f"{on}: the file is {found}, and market_data.frequency is {wanted}"
    )
    advice = f"bring {wanted} prices, or set market_data.frequency to {found}"
    return Finding("frequency", "error", THE_FILE, first, last, market.days.size, market.step_d, text, advice)


def series_frequency(series: Series, market: Market) -> Finding | None:
    """Return the finding that one instrument is weekly or monthly among more frequent ones."""
    found = frequency_of(series.days)
    if found == "daily" or market.frequency == found:
        return None
    step = float(np.median(np.diff(series.days).astype(np.int64)))
    first, last = series.days[0], series.days[-1]
    text = (
        f"{found} prices, one every {plain(step)} days, in a file of {counted(market.days.size, 'date')}: "
        "each return of several days would count as one of a day"
    )
    advice = "bring its daily prices or leave it out"
    return Finding("frequency", "error", series.instrument, first, last, series.days.size, step, text, advice)


def filled_weekends(series: Series) -> Finding | None:
    """Return the finding that prices of Saturdays and Sundays are those of the weekdays around them.

    They repeat the one before or the next one, or lie on the line between the two.
    """
    at = np.flatnonzero(weekday(series.days) >= 5)
    at = at[at > 0]
    if at.size < FEWEST_WEEKENDS:
        return None
    for repeated, how in _fillings(series, at):
        if repeated.size >= REPEATED_SHARE * at.size:
            first, last = series.days[repeated[0]], series.days[repeated[-1]]
            text = (
                f"{repeated.size:,} of {counted(at.size, 'price')} on Saturdays and Sundays {how}, "
                f"{first} to {last}: these are not trading days"
            )
            advice = "leave these dates out, or set market_data.calendar to weekdays"
            return Finding(
                "filled_weekends", "warning", series.instrument, first, last, int(repeated.size),
                repeated.size / at.size, text, advice,
            )  # fmt: skip
    return None


def _fillings(series: Series, at: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], str]]:
    """Yield which prices at weekends are filled in a way, and that way."""
    days, prices = series.days.astype(np.int64), series.prices
    yield at[prices[at] == prices[at - 1]], "repeat the one before"
    weekdays = np.flatnonzero(weekday(series.days) < 5)
    place = np.searchsorted(weekdays, at)
    inside = (place > 0) & (place < weekdays.size)
    at, place = at[inside], place[inside]
    before, after = weekdays[place - 1], weekdays[place]
    yield at[prices[at] == prices[after]], "repeat the next one"
    share = (days[at] - days[before]) / (days[after] - days[before])
    line = prices[before] + share * (prices[after] - prices[before])
    steps = np.abs(np.diff(prices))
    # All three were rounded to a step of the prices; a move of few steps says nothing.
    step = float(steps[steps > 0.0].min(initial=np.inf))
    on_line = np.abs(prices[at] - line) <= np.maximum(1.01 * step, 1e-9 * line)
    moved = np.abs(prices[after] - prices[before]) > STEPS_OF_A_LINE * step
    if moved.size and np.mean(moved) >= 0.5:
        yield at[on_line], "lie on the line between the weekdays around them"


def filled_holidays(market: Market) -> Finding | None:
    """Return the finding that on some weekdays nearly all prices repeat those of the day before."""
    with np.errstate(invalid="ignore"):
        filled = (market.listed >= FEWEST_UNCHANGED) & (market.unchanged >= FILLED_SHARE)
    days = market.days[filled & (weekday(market.days) < 5)]
    if not days.size:
        return None
    text = (
        f"on {counted(days.size, 'weekday')} all prices repeat the ones before, first on {days[0]}, last on "
        f"{days[-1]}: these look like filled holidays"
    )
    advice = "leave these dates out, or name the exchange in market_data.calendar"
    return Finding(
        "filled_holidays",
        "warning",
        THE_FILE,
        days[0],
        days[-1],
        int(days.size),
        float(days.size),
        text,
        advice,
    )


def gaps(series: Series, market: Market) -> list[Finding]:
    """Return the longest stretches of more than `LONGEST_GAP_D` days in which only others had prices."""
    days = np.union1d(series.days, series.bad_days) if series.bad_days.size else series.days
    lengths = np.diff(days).astype(np.int64)
    if not np.any(lengths > LONGEST_GAP_D) or "monthly" in (market.frequency, frequency_of(series.days)):
        return []
    found = []
    for at in np.flatnonzero(lengths > LONGEST_GAP_D):
        first, last = days[at], days[at + 1]
        inside = np.searchsorted(market.days, last) - np.searchsorted(market.days, first, side="right")
        if inside >= FEWEST_MISSED:
            text = f"no price from {first} to {last}, {counted(int(inside), 'day')} on which others have one"
            advice = "add them, or accept the gap in the corrections file: its move counts on the first day"
            length = int(lengths[at])
            found.append(
                Finding("gap", "warning", series.instrument, first, last, int(inside), length, text, advice)
            )
    return sorted(sorted(found, key=lambda one: -one.value)[:MOST_GAPS], key=lambda one: one.first)


def panel_gaps(market: Market) -> list[Finding]:
    """Return stretches of more than `LONGEST_GAP_D` days in which nothing has a price in a daily file."""
    if market.frequency == "monthly":
        return []
    lengths = np.diff(market.days).astype(np.int64)
    found = []
    for at in np.flatnonzero(lengths > LONGEST_GAP_D):
        first, last = market.days[at], market.days[at + 1]
        text = f"no prices at all from {first} to {last}, {counted(int(lengths[at]), 'calendar day')}"
        advice = "add them: the move over the gap counts as one day"
        found.append(Finding("gap", "warning", THE_FILE, first, last, 0, float(lengths[at]), text, advice))
    return sorted(sorted(found, key=lambda one: -one.value)[:MOST_GAPS], key=lambda one: one.first)


def ended(series: Series, market: Market, after: int) -> Finding | None:
    """Return the finding that prices end more than `after` days with prices of others before the rest."""
    if not series.days.size:
        return None
    last = series.days[-1]
    missed = market.days.size - int(np.searchsorted(market.days, last, side="right"))
    if missed <= after:
        return None
    later = int(np.sum(series.bad_days > last))
    why = f"; its {counted(later, 'later cell')} are quarantined" if later else ""
    text = (
        f"last price {plain(float(series.prices[-1]))} on {last}, {counted(missed, market.unit)} before the"
        f" file ends on {market.days[-1]}: it is removed from the book{why}"
    )
    advice = "bring its later prices, or accept it in the corrections file if it was delisted"
    return Finding(
        "ended", "warning", series.instrument, last, market.days[-1], missed, float(missed), text, advice
    )
