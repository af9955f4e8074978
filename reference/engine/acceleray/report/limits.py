"""Limits of the desk: how much of each is used, the worst first, and what was used the time before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from acceleray.report.formats import NO_BREAK, number, percent, plural, printable
from acceleray.report.rows import Read
from acceleray.tables import LIMIT_UTILISATION, PORTFOLIOS

# Rows in the table; breaches are shown whatever their number.
SHOWN = 60
ORDER = ("red", "amber", "not evaluated", "green")
PILLS = {"red": "failed", "amber": "missing", "not evaluated": "plain", "green": "passed"}
_WORDS = {
    "value_at_risk": "Value at risk",
    "expected_shortfall": "Expected shortfall",
    "gross_exposure": "Gross exposure",
    "net_exposure": "Net exposure",
    "weight": "Weight",
    "stress_loss": "Stress loss",
    "tracking_error": "Tracking error",
    "days_to_liquidate": "Days to liquidate",
    "unpriced": "Unpriced share",
}


@dataclass(frozen=True)
class Line:
    """One limit of one portfolio; value and limit are written with their unit."""

    state: str
    limit_id: str
    portfolio: str
    measure: str
    detail: str
    value: str
    limit: str
    used_pct: float | None
    before_pct: float | None
    before: date | None
    reason: str
    owner: str

    @property
    def pill(self) -> str:
        """Return the class of the mark that shows the state."""
        return PILLS.get(self.state, "plain")


@dataclass(frozen=True)
class Limits:
    """All limits of a run, the worst first."""

    lines: tuple[Line, ...]

    def count(self, state: str) -> int:
        """Return how many are in a state."""
        return sum(line.state == state for line in self.lines)

    @property
    def shown(self) -> tuple[Line, ...]:
        """Return the lines the table has: all breaches, and as many others as it has room for."""
        return self.lines[: max(SHOWN, self.count("red"))]

    @property
    def sentence(self) -> str:
        """Return what a reader should know first."""
        if not self.lines:
            return "This run was compared with no limits: conf/limits.yml has none that count on its date."
        counts = [f"{self.count(state):,} {state}" for state in ORDER if self.count(state)]
        breached = self.count("red")
        verdict = (
            f"{plural(breached, 'limit is', 'limits are')} breached" if breached else "No limit is breached"
        )
        return f"{verdict}. Of {plural(len(self.lines), 'limit')}: {', '.join(counts)}."

    def of(self, portfolio: str) -> Limits:
        """Return the limits of one portfolio, by the name shown."""
        return Limits(tuple(line for line in self.lines if line.portfolio == portfolio))


def gather(read: Read) -> Limits:
    """Return the limits of the run whose rows `read` gives; none where it compared nothing with limits."""
    rows = read(LIMIT_UTILISATION).to_pylist()
    if not rows:
        return Limits(())
    names = {row["portfolio_id"]: printable(row["name"]) for row in read(PORTFOLIOS).to_pylist()}
    rows.sort(key=_worst_first)
    return Limits(tuple(_line(row, names) for row in rows))


def _worst_first(row: dict[str, Any]) -> tuple[Any, ...]:
    place = ORDER.index(row["state"]) if row["state"] in ORDER else len(ORDER)
    return place, -(row["utilisation_pct"] or 0.0), row["limit_id"], row["portfolio_id"]


def _line(row: dict[str, Any], names: dict[str, str]) -> Line:
    details = [f"{row['horizon_d']} d"] if row["horizon_d"] is not None else []
    if row["group_column"] is not None:
        details.append(f"{row['group_column']} {row['group_value'] or 'any'}")
    if row["scenario_id"] is not None:
        details.append(row["scenario_id"])
    return Line(
        state=printable(row["state"]),
        limit_id=printable(row["limit_id"]),
        portfolio=names.get(row["portfolio_id"], printable(row["portfolio_id"])),
        measure=_WORDS.get(row["measure"], printable(row["measure"])),
        detail=printable(", ".join(details)),
        value=_written(row["value"], row["unit"]),
        limit=_written(row["limit_value"], row["unit"]),
        used_pct=row["utilisation_pct"],
        before_pct=row["utilisation_before_pct"],
        before=row["as_of_before"],
        reason=printable(row["reason"]),
        owner=printable(row["owner"]),
    )


def _written(value: float | None, unit: str) -> str:
    if unit == "% of NAV" or value is None:
        return percent(value)
    return f"{number(value, 1 if unit == 'days' else 0)}{NO_BREAK}{printable(unit)}"
