"""Jumps that the market did not share: splits, changes of unit, bad prints, and those without a name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.price_findings.finding import Finding, Series, Severity, percent, plain, quoted
from acceleray.quant.price_findings.market import Market, excess

ROBUST = 1.4826
"""Median absolute deviation to standard deviation of a normal variable (Rousseeuw and Croux 1993)."""

JUMP_DEVIATIONS = 15.0
"""Results and bids move single stocks by a dozen robust deviations: seven times among 20 in 33 years."""

SMALLEST_JUMP = np.log(1.25)
"""A move of less than a quarter changes no risk number by much, however quiet the instrument is."""

SPLIT_DEVIATIONS = 8.0
"""Halves of a volatile coin (9 % a day) are within its tail; a split stands out of its own days."""

SURE_SPLIT_DEVIATIONS = 20.0
"""A stock may really lose half in a day when 4 % is usual (Apple, 2000-09-29: 18): only a warning."""

RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100, 1000)
"""Usual splits and consolidations, and 100 and 1,000 for a change of unit such as pounds to pence."""

SPLIT_TOLERANCE = 0.05
"""The day's own return hides in a split's ratio: so much of it in logs at most, four deviations otherwise."""

SCALE_FACTOR = 5.0
"""Nothing that is traded multiplies or loses four fifths in a day without a reason that must be known."""

NEIGHBOURS = 60
"""Prices before and after a jump that say what is usual at that time: three months each."""

REVERSAL_WITHIN = 3
"""Prices until a bad print is back: a wrong price is corrected in days."""

REVERSAL_LEFT = 0.2
"""Share of a jump that may be left when it is back."""

AFTERMATH = 5
"""Prices after a split that go on as usual; after real news of that size they do not."""

AFTERMATH_DEVIATIONS = 3.0
"""Mean absolute move of the aftermath, in robust deviations, up to which it is as usual."""

FEWEST_PRICES = 30
"""With fewer there is no telling what is usual."""

MOST_LISTED = 5
"""Findings of one kind for one instrument; the largest are kept."""


def jumps(series: Series, market: Market) -> list[Finding]:
    """Return findings of the kinds split, scale, reversal and jump, at most `MOST_LISTED` of each."""
    if series.days.size < FEWEST_PRICES:
        return []
    logs = np.log(series.adjusted)
    moves = np.diff(logs)
    usual = _deviation(moves)
    if usual == 0.0:
        return []
    at = np.flatnonzero(np.abs(moves) >= max(float(SMALLEST_JUMP), 0.5 * JUMP_DEVIATIONS * usual))
    shared = market.moved(series.days[at], series.days[at + 1], moves[at] > 0)
    own = excess(moves[at], shared)
    found: list[tuple[float, Finding]] = []
    back = -1
    for where, beyond, others in zip(at.tolist(), own.tolist(), shared.tolist(), strict=True):
        if where <= back:
            continue
        deviation = max(_around(moves, where), 0.5 * usual)
        if abs(beyond) < SPLIT_DEVIATIONS * deviation or abs(beyond) < SMALLEST_JUMP:
            continue
        if returned := _returned(logs, where):
            back = where + returned
            found.append((abs(beyond), _reversal(series, where, returned)))
            continue
        if one := _named(series, moves, where, others, deviation, abs(beyond)):
            found.append((abs(beyond), one))
        elif abs(beyond) >= JUMP_DEVIATIONS * deviation:
            found.append((abs(beyond), _jump(series, where, beyond / deviation)))
    found.sort(key=lambda pair: -pair[0])
    kept = [one for kind in ("split", "scale", "reversal", "jump") for one in _most(found, kind)]
    return sorted(kept, key=lambda finding: finding.first)


def _most(found: list[tuple[float, Finding]], kind: str) -> list[Finding]:
    return [finding for _, finding in found if finding.kind == kind][:MOST_LISTED]


def _deviation(moves: NDArray[np.float64]) -> float:
    # Days without a move say nothing about its size, and there may be many of them.
    sizes = np.abs(moves[moves != 0.0])
    return ROBUST * float(np.median(sizes)) if sizes.size else 0.0


def _around(moves: NDArray[np.float64], where: int) -> float:
    before = moves[max(0, where - NEIGHBOURS) : where]
    return _deviation(np.concatenate((before, moves[where + 1 : where + 1 + NEIGHBOURS])))


def _returned(logs: NDArray[np.float64], where: int) -> int:
    """Return after how many prices the jump to `where + 1` is undone, 0 if it is not."""
    jump = abs(logs[where + 1] - logs[where])
    for later in range(1, REVERSAL_WITHIN + 1):
        if (
            where + 1 + later < logs.size
            and abs(logs[where + 1 + later] - logs[where]) <= REVERSAL_LEFT * jump
        ):
            return later
    return 0


def _named(
    series: Series,
    moves: NDArray[np.float64],
    where: int,
    others: float,
    deviation: float,
    beyond: float,
) -> Finding | None:
    """Return a split or a change of unit, or None if the jump is neither."""
    move = float(moves[where])
    after = np.abs(moves[where + 1 : where + 1 + AFTERMATH])
    quiet = after.size == 0 or float(after.mean()) <= AFTERMATH_DEVIATIONS * deviation
    tolerance = min(4.0 * deviation, SPLIT_TOLERANCE)
    ratio = min(RATIOS, key=lambda each: abs(abs(move) - np.log(each)))
    # The day's own return is the market's or none, whichever explains the ratio better.
    distance = min(abs(abs(move) - np.log(ratio)), abs(abs(move - others) - np.log(ratio)))
    if quiet and distance <= tolerance:
        return _split(series, where, ratio, move > 0, beyond >= SURE_SPLIT_DEVIATIONS * deviation)
    if abs(move) < np.log(SCALE_FACTOR) or not (quiet or move > 0):
        return None
    factor = float(np.exp(abs(move)))
    before, then = series.adjusted[where], series.adjusted[where + 1]
    day = series.days[where + 1]
    way = "multiplied" if move > 0 else "divided"
    text = f"{way} by {plain(factor)} on {day} ({plain(before)} to {plain(then)}) and stays there"
    factor = factor if move > 0 else 1.0 / factor
    return Finding(
        "scale",
        "error",
        series.instrument,
        day,
        day,
        1,
        factor,
        f"{text}: looks like a consolidation or a change of unit",
        f"adjust it in the corrections file by the exact factor, near {plain(factor)}, or accept it there",
    )


def _split(series: Series, where: int, ratio: int, rose: bool, sure: bool) -> Finding:
    day, before, then = series.days[where + 1], series.adjusted[where], series.adjusted[where + 1]
    factor = float(ratio) if rose else 1.0 / ratio
    terms = f"1-for-{ratio} consolidation" if rose else f"{ratio}-for-1 split"
    or_else = (" or a change of unit" if ratio >= 100 else "") + ("" if sure else ", or a real move")
    move = f"times {plain(then / before)}" if rose else percent(then / before - 1.0)
    text = (
        f"{move} on {day} ({plain(before)} to {plain(then)}) and continues as usual: "
        f"looks like an unadjusted {terms}{or_else}"
    )
    advice = _line(series.instrument, day, factor, terms)
    severity: Severity = "error" if sure else "warning"
    return Finding("split", severity, series.instrument, day, day, 1, factor, text, advice)


def _line(instrument: str, day: np.datetime64, factor: float, reason: str) -> str:
    # A third in four digits would leave a move of one basis point.
    cells = f"{quoted(instrument)},{day},,adjust,{factor:.10g},{reason}"
    return (
        f"take adjusted prices, or add the line {cells} to the "
        "corrections file; accept it there if the move was real"
    )


def _reversal(series: Series, where: int, returned: int) -> Finding:
    before, wrong, after = (series.adjusted[at] for at in (where, where + 1, where + 1 + returned))
    first, last = series.days[where + 1], series.days[where + returned]
    factor = float(wrong / before)
    severity: Severity = "error" if not 0.5 < factor < 2.0 else "warning"
    until = series.days[where + 1 + returned]
    text = f"{plain(wrong)} on {first} between {plain(before)} and {plain(after)} on {until}: a bad print"
    advice = "drop or replace it in the corrections file; accept it there if it was traded"
    return Finding("reversal", severity, series.instrument, first, last, returned, factor - 1.0, text, advice)


def _jump(series: Series, where: int, deviations: float) -> Finding:
    day, before, then = series.days[where + 1], series.adjusted[where], series.adjusted[where + 1]
    move = float(then / before - 1.0)
    gap = int((day - series.days[where]).astype(int))
    over = f" over {gap} days" if gap > 7 else ""
    sign = "+" if move > 0 else ""
    times = f"{abs(deviations):.0f} times its usual move"
    text = (
        f"{sign}{percent(move)} on {day}{over} ({plain(before)} to {plain(then)}), {times}, "
        "and the market did not share it"
    )
    advice = "check it; accept it in the corrections file if it is real, or correct it there"
    return Finding("jump", "warning", series.instrument, day, day, 1, move, text, advice)
