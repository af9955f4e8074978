"""Facts that a book gives twice: NAV of a whole and its parts, quantity and market value of a position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.stages.book.hierarchy import Portfolios, deepest_first, in_short
from acceleray.stages.book.market import Market
from acceleray.stages.book.things import CURRENCY_TRADES, Held


def without_parts(portfolios: Portfolios, nav: NDArray[np.float64], market: Market) -> NDArray[np.float64]:
    """Return the NAV of what portfolios hold themselves: one that is given is that of the whole."""
    own, whole, parts = nav.copy(), nav.copy(), np.zeros(len(portfolios))
    children = portfolios.children
    for place in deepest_first(portfolios.parents):
        if children[place]:
            if np.isfinite(portfolios.given_nav[place]):
                own[place] = nav[place] - parts[place]
            else:
                whole[place] = nav[place] + parts[place]
        parent = portfolios.parents[place]
        if parent >= 0:
            base, into = portfolios.currencies[place], portfolios.currencies[parent]
            rate = market.rate(base, into, portfolios.ids[place]) if base != into else 1.0
            parts[parent] += whole[place] * rate
    return own


def refuse_contradictions(
    positions: pa.Table,
    ways: tuple[NDArray[np.float64], ...],
    nav: NDArray[np.float64],
    tolerance: float,
) -> None:
    """Refuse a position whose quantity, market value and weight say different things."""
    names = ("quantity x price", "market_value", "weight x NAV")
    for one in range(3):
        for other in range(one + 1, 3):
            first, second = ways[one], ways[other]
            gap = np.abs(first - second)
            # Shares of NAV are rounded in files: a tenth of a per cent of NAV decides nothing.
            apart = gap > np.maximum(
                tolerance * np.maximum(np.abs(first), np.abs(second)), 1e-3 * np.abs(nav)
            )
            if np.any(apart):
                row = int(np.argmax(apart))
                who = (positions[name][row].as_py() for name in ("portfolio_id", "instrument_id"))
                what = "correct one of them, or leave it out"
                if other == 2 and 50.0 < abs(second[row]) / max(abs(first[row]), 1e-9) < 200.0:
                    what = "if weights are in per cent, map them as weight_pct in conf/book.yml"
                raise PortfolioError(
                    f"{' holds '.join(who)}: {names[one]} is {first[row]:,.2f} and {names[other]}"
                    f" {second[row]:,.2f}, more than {100 * tolerance:g} % apart (book.tolerance); {what}."
                )


def without_value(
    things: Sequence[Held],
    thing: NDArray[np.int64],
    worth: NDArray[np.float64],
    unsized: NDArray[np.bool_],
) -> list[str]:
    """Return lines for positions that nothing gives a value, or a size: they are in no number."""
    lines = []
    if lost := sorted({things[place].instrument_id for place in thing[~np.isfinite(worth) & ~unsized]}):
        lines.append(
            f"{in_short(lost)}: no price here and no market value given, so the position is in no risk number"
        )
    sized = {things[place] for place in thing[unsized]}
    if lost := sorted(each.instrument_id for each in sized if each.kind in CURRENCY_TRADES):
        lines.append(
            f"{in_short(lost)}: a currency trade without a pair, and its market value is not its size, so the"
            " position is in no risk number; name its pair in the instruments file"
        )
    if lost := sorted(each.instrument_id for each in sized if each.kind not in CURRENCY_TRADES):
        lines.append(
            f"{in_short(lost)}: no price here, and the market value of a future or forward is not its size,"
            " so the position is in no risk number; name its price series in the instruments file"
        )
    return lines


def as_large(
    names: list[str],
    thing: NDArray[np.int64],
    gain: NDArray[np.float64],
    worth: NDArray[np.float64],
    tolerance: float,
) -> list[str]:
    """Return a line for derivatives whose market value looks like their size: it counts in NAV."""
    alike = (gain != 0.0) & (np.abs(gain - worth) <= tolerance * np.abs(worth))
    found = sorted({names[place] for place in thing[alike]})
    if not found:
        return []
    return [
        f"{in_short(found)}: the market value counts in NAV and is as large as the exposure; if it is the"
        " notional, leave it out and give the quantity"
    ]


def refuse_gap(
    portfolios: Portfolios,
    nav: NDArray[np.float64],
    gap: NDArray[np.float64],
    has_cash: NDArray[np.bool_],
    tolerance: float,
) -> None:
    """Refuse a portfolio whose positions, cash among them, or parts do not add up to the NAV given."""
    has_parts = np.array([bool(each) for each in portfolios.children], dtype=np.bool_)
    given = np.isfinite(portfolios.given_nav) & (has_cash | has_parts)
    for place in np.flatnonzero(given & (np.abs(gap) > tolerance * np.abs(nav))):
        what = "positions and parts" if has_parts[place] else "positions"
        raise PortfolioError(
            f"Portfolio {portfolios.ids[place]}: {what} add up to {nav[place] - gap[place]:,.2f} and its"
            f" NAV is {nav[place]:,.2f}, more than {100 * tolerance:g} % apart (book.tolerance); correct one."
        )
