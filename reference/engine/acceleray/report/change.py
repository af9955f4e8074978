"""The change of value at risk and expected shortfall since the previous report, by cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from acceleray.report.formats import confidence, days, long_date, number, printable
from acceleray.report.rows import Read
from acceleray.tables import PORTFOLIOS, RISK_CHANGE

# Rows in the table: those of ten portfolios at two horizons.
SHOWN = 40
PARTS = ("positions", "instruments", "market", "parameters", "remainder")
_LABELS = {"value_at_risk": "VaR", "expected_shortfall": "ES"}


@dataclass(frozen=True)
class Line:
    """The change of one number, in % of NAV; None where there is nothing to compare with."""

    portfolio: str
    measure: str
    before: float | None
    now: float
    change: float | None
    parts: tuple[float | None, ...]
    reason: str


@dataclass(frozen=True)
class Change:
    """All changes of a run, the portfolio of headlines first; empty where there is no run before."""

    lines: tuple[Line, ...]
    as_of_before: date | None
    run_id_before: str

    @property
    def shown(self) -> tuple[Line, ...]:
        """Return the lines that the table has room for."""
        return self.lines[:SHOWN]

    @property
    def sentence(self) -> str:
        """Return what a reader should know first."""
        if not self.lines:
            return "There is no earlier run of this workload on these prices to compare with."
        first = self.lines[0]
        if first.before is None or first.change is None:
            return f"{first.measure} of {first.portfolio} is {number(first.now)} % of NAV; {first.reason}."
        moved = (
            f"{first.measure} of {first.portfolio} went from {number(first.before)} to {number(first.now)}"
        )
        return f"{moved} % of NAV since {long_date(self.as_of_before)}."


def signed(value: float | None) -> str:
    """Return a number of percentage points with its sign; nothing where there is none."""
    if value is None:
        return number(value)
    text = number(value)
    return f"+{text}" if value > 0.0 and text.strip("0.,") else text


def gather(read: Read) -> Change:
    """Return the changes that the run whose rows `read` gives has found."""
    rows = read(RISK_CHANGE).to_pylist()
    if not rows:
        return Change((), None, "")
    portfolios = read(PORTFOLIOS).to_pylist()
    names = {row["portfolio_id"]: printable(row["name"]) for row in portfolios}
    place = {row["portfolio_id"]: row["place"] or 0 for row in portfolios}

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        of_portfolio = (place.get(row["portfolio_id"], len(place)), row["portfolio_id"])
        return (*of_portfolio, row["horizon_d"], list(_LABELS).index(row["measure"]))

    return Change(
        tuple(_line(row, names) for row in sorted(rows, key=order)),
        rows[0]["as_of_before"],
        printable(rows[0]["run_id_before"]),
    )


def _line(row: dict[str, Any], names: dict[str, str]) -> Line:
    label = f"{_LABELS[row['measure']]} {confidence(row['confidence'])}, {days(row['horizon_d'])}"
    return Line(
        portfolio=names.get(row["portfolio_id"], printable(row["portfolio_id"])),
        measure=label,
        before=row["before_pct_nav"],
        now=row["value_pct_nav"],
        change=row["change_pct_nav"],
        parts=tuple(row[f"{name}_pct_nav"] for name in PARTS),
        reason=printable(row["reason"]),
    )
