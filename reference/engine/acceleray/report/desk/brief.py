"""The overview in brief: a line for each portfolio, for a console."""

from __future__ import annotations

from acceleray.extend import Rows
from acceleray.report.desk.overview import Line, gather
from acceleray.report.formats import MISSING, NO_BREAK, amount, confidence, count, days, in_units_of, percent
from acceleray.report.rows import Reads
from acceleray.settings import Settings

# A console shows no more at a glance; the report has the others.
MOST = 12


def in_brief(read: Reads, settings: Settings) -> Rows:
    """Return NAV, value at risk, expected shortfall, limits and backtest of the first twelve portfolios.

    A star after the value at risk says that something is not in the risk; the caption says so in words.
    """
    with in_units_of(settings.market_data.unit):
        found = gather(read, settings)
        header = (
            "Portfolio",
            "NAV",
            _spaced(f"VaR {confidence(found.var_confidence)}, {days(found.var_horizon_d)}"),
            _spaced(f"ES {confidence(found.es_confidence)}, {days(found.es_horizon_d)}"),
            "Limits",
            "Backtest",
        )
    more = found.portfolios - min(len(found.lines), MOST)
    notes = [f"and {count(more)} more: see the report"] if more else []
    if found.missing:
        notes.append(f"* {_spaced(found.missing)}")
    return Rows("\n".join(notes), header, [_cells(line) for line in found.lines[:MOST]])


def _cells(line: Line) -> tuple[str, ...]:
    star = " *" if line.left_out.any else ""
    used = line.used
    limits = "none" if used is None else used.state
    if used is not None and used.pct is not None:
        limits = f"{used.state} {percent(used.pct, 0)}"
    if used is not None and used.not_evaluated and used.state != "not evaluated":
        limits += f", {count(used.not_evaluated)} not evaluated"
    cells = (
        "  " * line.depth + line.portfolio_id,
        amount(line.nav, line.currency),
        (percent(line.var.pct_nav) if line.var else MISSING) + star,
        (percent(line.es.pct_nav) if line.es else MISSING) + star,
        limits,
        line.backtest,
    )
    return tuple(_spaced(cell) for cell in cells)


def _spaced(text: str) -> str:
    return text.replace(NO_BREAK, " ").replace("\u2212", "-")
