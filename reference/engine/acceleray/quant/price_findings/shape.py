"""Type of a series by its shape: prices, returns, rates, cash, a standstill, or a coarse price grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.quant.cash_like import cash_like as hardly_moves
from acceleray.quant.price_findings.finding import Finding, Series, percent, plain
from acceleray.quant.price_findings.quarantine import placeholder

FEWEST_VALUES = 60
"""Three months: with fewer values no shape is told."""

RETURNS_NEGATIVE_SHARE = 0.2
"""Almost half of all returns are below zero; of levels few, or long runs."""

RETURNS_SIGN_CHANGES = 0.25
"""Signs of returns change from every second day to the next; those of levels hardly ever."""

NOT_PERSISTENT = 1.0
"""Bartels' (1982) rank version of von Neumann's ratio: 2 for independent values, near 0 for a price."""

SMALLEST_SPREAD = 0.006
"""Inner half of the values over their median: below it a peg may bounce around its parity."""

FEWEST_LEVELS = 25
"""Different values; a price on a coarse grid bounces as well, with few of them."""

RATES_NEGATIVE_SHARE = 0.02
"""A price may be below zero for a day (oil, 2020-04-20); what is there for longer is a rate or a sum."""

LARGEST_SUM = 10.0
"""Cumulated returns begin at zero and stay of the order of one; so does no price that begins at zero."""

RATE_BLOCK = 60
FEWEST_RATE_BLOCKS = 10
LARGEST_RATE = 25.0
SMALLEST_RATE_RANGE = 4.0
RATE_ELASTICITY = 0.2
"""Daily changes of a price grow with its level (elasticity 1), those of a yield in percent hardly do (0)."""

ACCRUING_SHARE = 0.9
"""Net change of a fund that accrues interest over the sum of its moves in size: it hardly ever falls."""

LONGEST_STANDSTILL = 10
"""Prices in a row that repeat and still count as trading."""

REPEATING_SHARE = 0.5
"""Share of prices that repeat the one before from which most returns of zero are no trading."""

COARSE_STEP = 0.005
"""A smallest step of half a percent of the price is a third of a usual day's move."""

COARSE_SHARE = 0.1
"""Share of days that must be coarse."""

SMALLEST_USUAL = 1e-4
LARGEST_USUAL = 1e7
"""Closes outside are rare (BRK.A is near 1e6, rupiah and won prices near 1e6): rather another unit."""


def returns_like(series: Series) -> Finding | None:
    """Return the finding that values are returns: signs that change, or levels that do not persist."""
    signs = _signs(series)
    values = signs.size
    if values < FEWEST_VALUES:
        return None
    negative = float(np.mean(signs < 0))
    changes = float(np.mean(signs[1:] * signs[:-1] < 0))
    if negative >= RETURNS_NEGATIVE_SHARE and changes >= RETURNS_SIGN_CHANGES:
        size = plain(float(np.median(series.prices))) if series.prices.size else "0"
        text = (
            f"{percent(negative)} of {counted(values, 'value')} are below zero, the sign changes daily, and "
            f"the median size is {size}: these look like returns, not prices"
        )
        return _returns(series, negative, text)
    if series.prices.size < FEWEST_VALUES or (ratio := persistence(series.prices)) < NOT_PERSISTENT:
        return None
    low, middle, high = np.quantile(series.prices, (0.25, 0.5, 0.75))
    if np.unique(series.prices).size >= FEWEST_LEVELS and (high - low) / middle >= SMALLEST_SPREAD:
        text = (
            f"values around {plain(float(middle))} do not follow from the day before: "
            "these look like returns or volumes, not prices"
        )
        return _returns(series, ratio, text)
    return None


def persistence(values: NDArray[np.float64]) -> float:
    """Return von Neumann's ratio of the ranks of values, shape (days,): Bartels (1982), 2 for white noise."""
    ranks = np.empty(values.size)
    ranks[np.argsort(values, kind="stable")] = np.arange(values.size)
    spread = float(np.sum((ranks - ranks.mean()) ** 2))
    return float(np.sum(np.diff(ranks) ** 2) / spread) if spread else 0.0


def rates_like(series: Series) -> Finding | None:
    """Return the finding that levels are rates, spreads or cumulated returns, not prices."""
    signs = _signs(series)
    if signs.size < FEWEST_VALUES:
        return None
    below = float(np.mean(signs < 0))
    first, last = _span(series)
    from_zero = signs[0] == 0 and series.prices.size > 0 and float(np.median(series.prices)) < LARGEST_SUM
    if below >= RATES_NEGATIVE_SHARE or from_zero:
        number = int(np.sum(signs <= 0))
        text = (
            f"{number:,} of {counted(signs.size, 'value')} at or below zero, first on {_first_bad(series)}: "
            "looks like a rate, a spread or cumulated returns, not a price"
        )
        advice = "deliver levels above zero: prices, or 100 times one plus the cumulated return"
        return Finding(
            "looks_like_rates", "error", series.instrument, first, last, number, below, text, advice
        )
    slope = _elasticity(series.prices)
    if slope is None or slope > RATE_ELASTICITY:
        return None
    low, high = plain(float(series.prices.min())), plain(float(series.prices.max()))
    text = (
        f"values between {low} and {high} whose daily changes do not grow with the level: "
        "looks like a yield in percent, not a price"
    )
    advice = "deliver prices (of a bond, a future, a fund), or accept it in the corrections file"
    return Finding(
        "looks_like_rates", "warning", series.instrument, first, last, series.prices.size, slope, text, advice
    )


def cash_like(series: Series) -> Finding | None:
    """Return the finding that an instrument is cash, a peg or a money-market fund: nearly no risk."""
    if series.days.size < 2 or series.days.size + series.bad_days.size < FEWEST_VALUES:
        return None
    moves = series.log_returns
    if not hardly_moves(np.expm1(moves)):
        return None
    deviation = float(np.sqrt(np.mean(moves**2)))
    first, last = _span(series)
    years = max(float((series.days[-1] - series.days[0]).astype(int)) / 365.25, 1e-9)
    growth = float(np.exp(moves.sum() / years) - 1.0)
    if deviation == 0.0:
        text = f"stands at {plain(float(series.prices[0]))} on every day: cash"
    elif moves.sum() >= ACCRUING_SHARE * np.abs(moves).sum():
        usual = percent(deviation, 3)
        text = f"accrues {percent(growth, 1)} a year and moves by {usual} a day: a money-market fund"
    else:
        text = f"moves by {percent(deviation, 3)} a day: a peg or nearly cash"
    return Finding("cash_like", "info", series.instrument, first, last, moves.size, deviation, text)


def standing_still(series: Series) -> Finding | None:
    """Return the finding that prices repeat for long: quarantined as stale, or a run among accepted ones."""
    stale = [at for at, reason in enumerate(series.reasons) if reason.startswith("unchanged")]
    days = series.bad_days[stale]
    run, start = _longest_run(series.adjusted)
    if not stale and run <= LONGEST_STANDSTILL:
        return None
    if stale:
        text = (
            f"{counted(len(stale), 'price')} repeat for too long and are quarantined, {days[0]} to {days[-1]}"
        )
        first, last, count = days[0], days[-1], len(stale)
    else:
        first, last, count = series.days[start], series.days[start + run], run
        text = f"{counted(count, 'price')} in a row repeat the one before, {first} to {last}"
    advice = "check whether it was traded; drop these prices in the corrections file if not"
    return Finding(
        "standing_still", "warning", series.instrument, first, last, count, float(count), text, advice
    )


def repeating(series: Series) -> Finding | None:
    """Return the finding that most prices repeat the one before, a few at a time."""
    if series.days.size < FEWEST_VALUES:
        return None
    still = np.diff(series.adjusted) == 0.0
    share = float(np.mean(still))
    if share < REPEATING_SHARE:
        return None
    number = int(still.sum())
    text = (
        f"{number:,} of {counted(series.days.size, 'price')} repeat the one before: filled from weekly "
        "prices, or hardly traded"
    )
    advice = "bring the prices of its trading days alone, or accept it in the corrections file"
    first, last = _span(series)
    return Finding("standing_still", "warning", series.instrument, first, last, number, share, text, advice)


def coarse(series: Series) -> Finding | None:
    """Return the finding that prices have too few decimals for their size."""
    prices = series.prices
    steps = np.abs(np.diff(prices))
    steps = steps[steps > 1e-12]
    if prices.size < FEWEST_VALUES or not steps.size:
        return None
    step = float(steps.min())
    # Only a grid that all prices lie on is a grid.
    if float(np.mean(np.abs(prices / step - np.rint(prices / step)) < 0.01)) < 0.99:
        return None
    hit = np.flatnonzero(step / prices > COARSE_STEP)
    if hit.size < COARSE_SHARE * prices.size:
        return None
    at = int(hit[np.argmin(prices[hit])])
    share = f"{percent(step / prices[at], 1)} of {plain(float(prices[at]))} on {series.days[at]}"
    text = f"prices come in steps of {plain(step)}: {share}, and too coarse on {counted(hit.size, 'day')}"
    first, last = series.days[hit[0]], series.days[hit[-1]]
    advice = "export more decimals; part of the returns is rounding"
    return Finding("coarse", "warning", series.instrument, first, last, int(hit.size), step, text, advice)


def extreme(series: Series) -> Finding | None:
    """Return the finding that prices are far from any usual price."""
    if not series.prices.size:
        return None
    hit = np.flatnonzero((series.prices < SMALLEST_USUAL) | (series.prices > LARGEST_USUAL))
    if not hit.size:
        return None
    at = hit[np.argmax(np.abs(np.log(series.prices[hit])))]
    first, last = series.days[hit[0]], series.days[hit[-1]]
    value = float(series.prices[at])
    text = f"{counted(hit.size, 'price')} of extreme size, such as {plain(value)} on {series.days[at]}"
    advice = "check the unit; accept it in the corrections file if it is right"
    return Finding("extreme", "warning", series.instrument, first, last, int(hit.size), value, text, advice)


def _returns(series: Series, value: float, text: str) -> Finding:
    first, last = _span(series)
    advice = "deliver prices: 100 times the product of one plus the returns up to each day"
    number = series.days.size + series.bad_days.size
    return Finding("looks_like_returns", "error", series.instrument, first, last, number, value, text, advice)


def _signs(series: Series) -> NDArray[np.int64]:
    """Return the sign of every number, accepted or not, by day."""
    if not series.reasons:
        return np.ones(series.days.size, dtype=np.int64)
    known = {"negative": -1, "zero": 0}
    if placeholder(series):
        del known["negative"]
    bad = [
        (day, known[why]) for day, why in zip(series.bad_days, series.reasons, strict=True) if why in known
    ]
    days = np.concatenate((series.days, np.array([day for day, _ in bad], dtype="datetime64[D]")))
    signs = np.concatenate((np.ones(series.days.size), [sign for _, sign in bad])).astype(np.int64)
    return signs[np.argsort(days, kind="stable")]


def _first_bad(series: Series) -> np.datetime64:
    hit = [at for at, reason in enumerate(series.reasons) if reason in ("negative", "zero")]
    return series.bad_days[hit[0]]


def _span(series: Series) -> tuple[np.datetime64, np.datetime64]:
    ends = [days for days in (series.days, series.bad_days) if days.size]
    return min(days[0] for days in ends), max(days[-1] for days in ends)


def _elasticity(prices: NDArray[np.float64]) -> float | None:
    """Return by how much the size of changes grows with the level, in logs; None if that is not known."""
    blocks = prices.size // RATE_BLOCK
    if blocks < FEWEST_RATE_BLOCKS or prices.max() > LARGEST_RATE:
        return None
    if prices.max() / prices.min() < SMALLEST_RATE_RANGE:
        return None
    cut = prices[: blocks * RATE_BLOCK].reshape(blocks, RATE_BLOCK)
    level = np.log(np.median(cut, axis=1))
    size = np.mean(np.abs(np.diff(cut, axis=1)), axis=1)
    kept = size > 0.0
    if kept.sum() < FEWEST_RATE_BLOCKS or np.ptp(level[kept]) == 0.0:
        return None
    return float(np.polyfit(level[kept], np.log(size[kept]), 1)[0])


def _longest_run(prices: NDArray[np.float64]) -> tuple[int, int]:
    """Return the number of repeats in the longest run of equal prices, and where it begins."""
    if not prices.size:
        return 0, 0
    moved = np.flatnonzero(np.concatenate(([True], np.diff(prices) != 0.0, [True])))
    lengths = np.diff(moved)
    longest = int(np.argmax(lengths))
    return int(lengths[longest]) - 1, int(moved[longest])
