"""Groups, positions and active risk on a portfolio page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acceleray.report import lineage
from acceleray.report.formats import printable
from acceleray.report.risk import HEADLINE_METHOD
from acceleray.report.rows import Read, where
from acceleray.tables import (
    ACTIVE_CONTRIBUTIONS,
    ACTIVE_RISK,
    GROUP_RISK,
    HOLDINGS,
    POSITION_RISK,
    POSITIONS,
    RISK_CONTRIBUTIONS,
)

# Rows of one table on paper; the others are in the table that it names.
SHOWN = 200
# Instruments that one sentence names.
NAMED = 12
ACTIVE_MEASURES = {
    "tracking_error": "Tracking error",
    "value_at_risk": "Active value at risk",
    "expected_shortfall": "Active expected shortfall",
}


@dataclass(frozen=True)
class Group:
    """One group of a grouping, at one horizon; amounts in the base currency."""

    name: str
    standalone: float
    standard_error: float
    contribution: float
    share_pct: float | None
    gross_pct: float
    net_pct: float


@dataclass(frozen=True)
class Grouping:
    """All groups by one column, the largest contribution first."""

    by: str
    groups: tuple[Group, ...]

    @property
    def single(self) -> bool:
        """Return whether all of the portfolio is one group, of which there is nothing to compare."""
        return len(self.groups) == 1

    @property
    def standalone(self) -> float:
        """Return what the groups would lose if none helped another."""
        return sum(group.standalone for group in self.groups)

    @property
    def whole(self) -> float:
        """Return what they lose together."""
        return sum(group.contribution for group in self.groups)

    @property
    def benefit(self) -> float:
        """Return what diversification between the groups saves."""
        return self.standalone - self.whole


@dataclass(frozen=True)
class Position:
    """One position; None where the run did not compute it. Amounts are in the portfolio's base currency.

    old_close is the day of a close that is older than the as-of date; empty for one of that day.
    """

    instrument: str
    type: str
    status: str
    reason: str
    exposure: float | None
    weight_pct: float | None
    component: float | None
    by_price: float | None
    by_currency: float | None
    marginal: float | None
    incremental: float | None
    lineage: str
    old_close: str = ""


@dataclass(frozen=True)
class Active:
    """Risk against the benchmark: rows of measures by horizon, and the contributions of instruments."""

    benchmark: str
    measures: tuple[dict[str, Any], ...]
    contributions: tuple[tuple[str, float, float | None], ...]


def groupings(read: Read, measure: str, confidence: float, horizon_d: int) -> tuple[Grouping, ...]:
    """Return the groups of the portfolio whose rows `read` gives, its parts first."""
    rows = _at(read(GROUP_RISK), measure, confidence, horizon_d)
    by: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by.setdefault(row["grouping"], []).append(row)
    found = []
    for name in sorted(by, key=lambda name: (name != "portfolio", name)):
        whole = sum(row["contribution"] for row in by[name])
        found.append(
            Grouping(
                printable(name).replace("_", " "),
                tuple(
                    Group(
                        printable(row["group"]),
                        row["standalone"],
                        row["standard_error"],
                        row["contribution"],
                        _share(row["contribution"], whole),
                        row["gross_exposure_pct_nav"],
                        row["net_exposure_pct_nav"],
                    )
                    for row in sorted(by[name], key=lambda row: (-row["contribution"], row["group"]))
                ),
            )
        )
    return tuple(found)


def positions(
    read: Read, portfolio_id: str, run_id: str, measure: str, confidence: float, horizon_d: int, plain: bool
) -> tuple[Position, ...]:
    """Return every position of the portfolio whose rows `read` gives, the largest component by size first.

    `plain` says that the book is invented: what is known of its positions is their risk.
    """
    parts = {row["instrument_id"]: row for row in _at(read(POSITION_RISK), measure, confidence, horizon_d)}
    split = {
        row["instrument_id"]: row for row in _at(read(RISK_CONTRIBUTIONS), measure, confidence, horizon_d)
    }
    held = {} if plain else {row["instrument_id"]: row for row in read(POSITIONS).to_pylist()}
    found = []
    for name in sorted({*held, *parts, *split}):
        own, risk, both = held.get(name, {}), parts.get(name, {}), split.get(name, {})
        component = both.get("contribution", risk.get("component"))
        found.append(
            Position(
                instrument=printable(name),
                type=printable(own.get("type") or ""),
                status=printable(own.get("status") or "priced"),
                reason=printable(own.get("reason") or ""),
                exposure=own.get("exposure"),
                weight_pct=None if own.get("weight") is None else 100.0 * own["weight"],
                component=component,
                by_price=both.get("price_contribution"),
                by_currency=both.get("currency_contribution"),
                marginal=risk.get("marginal"),
                incremental=risk.get("incremental"),
                lineage=lineage.command(POSITIONS, run_id, portfolio_id=portfolio_id, instrument_id=name),
                old_close=_old_close(own),
            )
        )
    # Positions outside the risk come first, where they are seen.
    out = ("unpriced", "not modelled")
    return tuple(
        sorted(found, key=lambda one: (one.status not in out, -abs(one.component or 0.0), one.instrument))
    )


def old_closes(positions: Sequence[Position]) -> str:
    """Return which positions are valued at a close older than the as-of date, the oldest first."""
    old = sorted((one.old_close, one.instrument) for one in positions if one.old_close)
    more = len(old) - NAMED
    said = ", ".join(f"{name} ({day})" for day, name in old[:NAMED])
    return said + (f" and {more} more" if more > 0 else "")


def _old_close(row: Mapping[str, Any]) -> str:
    # A table of an older release has no such day.
    day, as_of = row.get("price_date"), row.get("as_of")
    return str(day) if day is not None and as_of is not None and day < as_of else ""


def active(read: Read, confidence: float, horizon_d: int) -> Active | None:
    """Return the active risk of the portfolio whose rows `read` gives; None without a benchmark."""
    rows = where(read(ACTIVE_RISK), method=HEADLINE_METHOD).to_pylist()
    if not rows:
        return None
    order = list(ACTIVE_MEASURES)
    rows.sort(key=lambda row: (row["horizon_d"], order.index(row["measure"])))
    parts = _at(read(ACTIVE_CONTRIBUTIONS), "expected_shortfall", confidence, horizon_d)
    whole = sum(row["contribution"] for row in parts)
    return Active(
        printable(rows[0]["benchmark_id"]),
        tuple({**row, "label": ACTIVE_MEASURES[row["measure"]]} for row in rows),
        tuple(
            (printable(row["instrument_id"]), row["contribution"], _share(row["contribution"], whole))
            for row in sorted(parts, key=lambda row: (-abs(row["contribution"]), row["instrument_id"]))
        ),
    )


def lines(reads: Sequence[Read], run_id: str) -> dict[str, tuple[str, ...]]:
    """Return by instrument the commands that lead to each line of the desk's files that makes up a position.

    `reads` give the rows of the portfolio and of every one in it.
    """
    found: dict[str, list[str]] = {}
    for read in reads:
        for row in sorted(read(HOLDINGS).to_pylist(), key=lambda row: str(row["position_id"])):
            if row["current"]:
                command = lineage.command(HOLDINGS, run_id, position_id=row["position_id"])
                found.setdefault(printable(row["instrument_id"]), []).append(command)
    return {name: tuple(commands) for name, commands in found.items()}


def _at(rows: Any, measure: str, confidence: float, horizon_d: int) -> list[dict[str, Any]]:
    chosen: list[dict[str, Any]] = where(
        rows, method=HEADLINE_METHOD, measure=measure, confidence=confidence, horizon_d=horizon_d
    ).to_pylist()
    return chosen


def _share(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None
