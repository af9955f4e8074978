"""An answer in lines for people: one table for each part of it, amounts in the portfolio's currency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from acceleray.counts import counted
from acceleray.stages.what_if.facts import LimitState, Traded
from acceleray.stages.what_if.found import Found

# Holdings whose contributions are shown; the rest is one line.
_SHOWN = 10
_GAP = "  "


def risk(horizons: Sequence[Found], nav: float, currency: str, confidence: tuple[float, float]) -> list[str]:
    """Return both measures before and after the trades at every horizon, with their standard errors."""
    rows = []
    for found in horizons:
        before, after = found.before.measures, found.after.measures
        at_var = before.value_at_risk, after.value_at_risk, after.value_at_risk_error
        beyond = before.expected_shortfall, after.expected_shortfall, after.expected_shortfall_error
        for name, (one, other, error) in (
            (f"VaR {_percent(confidence[0])}", at_var),
            (f"ES {_percent(confidence[1])}", beyond),
        ):
            rows.append(
                (
                    f"{name}, {days(found.horizon_d)}",
                    money(nav * one),
                    money(nav * other),
                    signed(nav * (other - one)),
                    f"{100.0 * other:.3f}",
                    money(nav * error),
                )
            )
    sources = [
        f"{found.scenarios:,} {'outcomes' if found.horizon_d == 1 else 'scenarios'}" for found in horizons
    ]
    names = (f"Risk, {currency}", "before", "after", "change", "% of NAV", "error")
    return [*grid(names, rows), f"From {' and '.join(sources)}."]


def trades(traded: Sequence[Traded], horizons: Sequence[Found], nav: float) -> list[str]:
    """Return each trade with its incremental risk: all trades, less all but this one."""
    names = ["Trade", "quantity", "price", "amount", "% of NAV"]
    names += [f"{name} {found.horizon_d} d" for found in horizons for name in ("VaR", "ES")]
    rows = []
    for number, each in enumerate(traded):
        parts = [signed(nav * value) for found in horizons for value in found.incremental[number]]
        how = [_or_blank(each.quantity, money), _or_blank(each.price, price), signed(each.amount)]
        rows.append((each.instrument_id, *how, f"{100.0 * each.weight:+.2f}", *parts))
    return [*grid(names, rows), "VaR and ES of a trade: with it less without it, all others done."]


def contributions(parts: Mapping[str, tuple[float, float]], horizon_d: int) -> list[str]:
    """Return the largest Euler contributions after the trades, and the sum of the others."""
    ordered = sorted(parts.items(), key=lambda item: (-abs(item[1][1]), item[0]))
    rows = [(name, signed(at_var), signed(beyond)) for name, (at_var, beyond) in ordered[:_SHOWN]]
    if len(ordered) > _SHOWN:
        rest = np.sum([both for _, both in ordered[_SHOWN:]], axis=0)
        rows.append((counted(len(ordered) - _SHOWN, "other"), signed(float(rest[0])), signed(float(rest[1]))))
    return grid((f"Contribution after, {days(horizon_d)}", "VaR", "ES"), rows)


def hedges(names: Sequence[str], prices: Sequence[float], horizons: Sequence[Found], nav: float) -> list[str]:
    """Return the best amount of each candidate, the one that leaves least at the longest horizon first."""
    heads = ["Hedge"]
    for found in horizons:
        heads += [f"amount {found.horizon_d} d", "quantity", f"ES {found.horizon_d} d", "lower by"]
    rows = []
    for place in np.argsort([each.expected_shortfall for each in horizons[-1].hedges], kind="stable"):
        cells = [names[place]]
        for found in horizons:
            best, whole = found.hedges[place], found.after.measures.expected_shortfall
            amount = nav * best.amount
            share = 100.0 * (1.0 - best.expected_shortfall / whole) if whole else 0.0
            quantity = _or_blank(amount / prices[place], signed)
            cells += [signed(amount), quantity, money(nav * best.expected_shortfall), f"{share:.1f} %"]
        rows.append(tuple(cells))
    ends = "Each alone, on top of the trades, in the amount that lowers ES most (convex: no other is better)."
    return [*grid(heads, rows), ends]


def limits(before: Sequence[LimitState], after: Sequence[LimitState]) -> list[str]:
    """Return how much of each limit is used before and after the trades."""
    rows = [
        (
            f"{one.limit_id}: {one.words}",
            f"{one.utilised_pct:.1f} %",
            f"{other.utilised_pct:.1f} %",
            other.state,
        )
        for one, other in zip(before, after, strict=True)
    ]
    return grid(("Limit", "used before", "after", "state"), rows)


def grid(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line of names and one for each row, the first column on the left, the others on the right."""
    widths = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    lines = []
    for first, *others in (names, *rows):
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(_GAP.join([first.ljust(widths[0]), *cells]).rstrip())
    return lines


def days(horizon_d: int) -> str:
    """Return a horizon in words."""
    return "1 day" if horizon_d == 1 else f"{horizon_d} days"


def money(value: float) -> str:
    """Return an amount in whole units, or with digits where it is small."""
    return f"{value:,.0f}" if abs(value) >= 100.0 or value == 0.0 else f"{value:,.4g}"


def signed(value: float) -> str:
    """Return an amount with its sign; nothing has none."""
    return f"{value:+,.0f}" if abs(value) >= 0.5 else "0"


def price(value: float) -> str:
    """Return a price with two digits."""
    return f"{value:,.2f}"


def _percent(share: float) -> str:
    return f"{100.0 * share:g} %"


def _or_blank(value: float, write: Callable[[float], str]) -> str:
    return write(value) if np.isfinite(value) else ""
