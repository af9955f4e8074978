"""The live record since the first report: exceptions, and the Basel zone from 250 days on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from acceleray.quant.backtest import basel_zone, kupiec
from acceleray.stages.backtest.live.revisions import Row, newest

_OF = ("portfolio_id", "method", "confidence")
_ZONE_D = 250


def live_record(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return gold.live_record of rows of gold.realised_pnl, of each day the newest revision.

    Hypothetical and actual P&L are counted each on the days on which they are known.
    """
    days: dict[tuple[Any, ...], list[Row]] = {}
    for row in newest(rows, (*_OF, "date")).values():
        days.setdefault(tuple(row[name] for name in _OF), []).append(row)
    found = []
    for of, some in sorted(days.items()):
        for pnl in ("hypothetical", "actual"):
            known = sorted(
                (row for row in some if row[f"{pnl}_pnl"] is not None), key=lambda row: row["date"]
            )
            if known:
                counted = _counted(known, f"{pnl}_exception")
                found.append({**dict(zip(_OF, of, strict=True)), "pnl": pnl, **counted})
    return found


def _counted(rows: Sequence[Row], exception: str) -> dict[str, Any]:
    hits = [bool(row[exception]) for row in rows]
    confidence, days, count = rows[0]["confidence"], len(hits), sum(hits)
    recent = sum(hits[-_ZONE_D:])
    return {
        "days": days,
        "reported_late_d": sum(bool(row["reported_late"]) for row in rows),
        "first_date": rows[0]["date"],
        "last_date": rows[-1]["date"],
        "exceptions": count,
        "expected_exceptions": days * (1.0 - confidence),
        "exceptions_250": recent,
        # With fewer days a zone would be one of other numbers than those of the framework.
        "basel_zone": basel_zone(recent, _ZONE_D, confidence) if days >= _ZONE_D else None,
        "kupiec_p": kupiec(count, days, confidence).p_value,
    }
