"""Findings about the prices, at the top of every page: what was found in them, gravest first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from acceleray.quant.price_findings.finding import KINDS, SEVERITIES
from acceleray.report.formats import plural, printable
from acceleray.report.rows import Read, narrowed, where
from acceleray.tables import CALIBRATION, PRICE_FINDINGS

ANCHOR, TITLE = "findings", "Findings about the prices"

SHOWN = 5
"""Findings of one kind that are shown; the others are counted."""


@dataclass(frozen=True)
class Line:
    """One finding as it is shown; `more` counts those like it that are not, in the last line of a kind."""

    severity: str
    kind: str
    instrument: str
    text: str
    advice: str
    more: int = 0


@dataclass(frozen=True)
class PriceFindings:
    """All findings of a run's prices, and how many there are of each severity."""

    lines: tuple[Line, ...]
    counts: tuple[tuple[str, int], ...]

    @property
    def sentence(self) -> str:
        """Return how many there are, in words."""
        if not self.lines:
            return "Nothing was found in the prices that needs an explanation."
        names = {"error": "error", "warning": "warning", "info": "note"}
        said = [plural(number, names[severity]) for severity, number in self.counts if number]
        listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
        return f"{listed} about the prices this page was computed from."

    @property
    def grave(self) -> bool:
        """Return whether numbers on the page are wrong because of the prices."""
        return any(severity == "error" and number for severity, number in self.counts)


def gather(read: Read, calibrated: bool = False) -> PriceFindings:
    """Return the findings of the run's price source, errors first.

    With `calibrated` instruments that move by proxy are among them: their prices have no model.
    """
    rows = read(PRICE_FINDINGS).to_pylist() + (_proxied(read) if calibrated else [])
    kinds = {kind: place for place, kind in enumerate(KINDS)}

    def order(row: dict[str, object]) -> tuple[object, ...]:
        place = kinds.get(str(row["kind"]), len(kinds))
        return SEVERITIES.index(row["severity"]), place, row["instrument_id"], row["first_date"]

    groups: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for row in sorted(rows, key=order):
        groups[str(row["severity"]), str(row["kind"])].append(row)
    lines = [line for group in groups.values() for line in _lines(group)]
    counts = [(severity, sum(row["severity"] == severity for row in rows)) for severity in SEVERITIES]
    return PriceFindings(tuple(lines), tuple(counts))


def _proxied(read: Read) -> list[dict[str, object]]:
    rows = read(narrowed(CALIBRATION, "instrument_id", "status", "reason", "next_sigma", "as_of"))
    return [
        {
            "instrument_id": row["instrument_id"],
            "kind": "proxied",
            "severity": "warning",
            "first_date": row["as_of"],
            "text": f"{row['reason']}: it moves as the others do, at its own volatility of"
            f" {100 * row['next_sigma']:.2f} % per day",
            "advice": "correct its prices in the corrections file, or provide a longer history",
        }
        for row in where(rows, status="proxied").to_pylist()
    ]


def _lines(group: list[dict[str, object]]) -> list[Line]:
    shown = group if len(group) <= SHOWN + 1 else group[:SHOWN]
    lines = []
    for row in shown:
        instrument, text, advice = (printable(row[name]) for name in ("instrument_id", "text", "advice"))
        kind = KINDS.get(str(row["kind"]), str(row["kind"]))
        more = len(group) - len(shown) if row is shown[-1] else 0
        lines.append(Line(str(row["severity"]), kind, instrument, text, advice, more))
    return lines
