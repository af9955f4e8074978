"""Where the actual profit and loss of portfolios comes from, if it is given."""

from __future__ import annotations

from typing import Literal

from acceleray.settings.section import Section


class Pnl(Section):
    """Actual P&L as booked, from a file (`csv`) or a Delta `table`: portfolio_id, date, pnl, currency.

    It is compared with what was reported for the day, as hypothetical P&L is. Without it only the latter is.
    """

    source: Literal["none", "csv", "table"] = "none"
    path: str = ""
    table: str = ""
