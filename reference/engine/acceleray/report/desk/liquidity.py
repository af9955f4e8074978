"""Liquidity on a portfolio page: shares sold in some days, and the slowest positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acceleray.report import lineage
from acceleray.report.formats import printable
from acceleray.report.rows import Read, first
from acceleray.tables import PORTFOLIO_LIQUIDITY, POSITION_LIQUIDITY

# Positions that the page shows.
SLOWEST = 10


@dataclass(frozen=True)
class Liquidity:
    """The row of the portfolio, its slowest positions (days not known first), and where they come from."""

    row: dict[str, Any]
    positions: tuple[dict[str, Any], ...]
    more: int


def gather(read: Read, run_id: str, portfolio_id: str) -> Liquidity | None:
    """Return the liquidity of the portfolio whose rows `read` gives; None without volumes."""
    row = first(read(PORTFOLIO_LIQUIDITY))
    if row is None:
        return None
    rows = read(POSITION_LIQUIDITY).to_pylist()
    rows.sort(
        key=lambda one: (
            one["days_to_liquidate"] is not None,
            -(one["days_to_liquidate"] or 0.0),
            one["instrument_id"],
        )
    )
    shown = [
        one
        | {
            "instrument": printable(one["instrument_id"]),
            "lineage": lineage.command(
                POSITION_LIQUIDITY, run_id, portfolio_id=portfolio_id, instrument_id=one["instrument_id"]
            ),
        }
        for one in rows[:SLOWEST]
    ]
    return Liquidity(row, tuple(shown), max(len(rows) - SLOWEST, 0))
