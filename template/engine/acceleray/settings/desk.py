"""Settings around the book: limits, booked P&L, and volumes for liquidation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from acceleray.settings.market_data import Columns
from acceleray.settings.section import PositiveInt, Section

LIMITS_FILE = "limits.yml"


class Limits(Section):
    """The file in conf/ with the desk's limits; a project without a `limits.yml` watches none."""

    definitions: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.yml$")] = LIMITS_FILE


class Pnl(Section):
    """Actual P&L as booked, from a file (`csv`) or a Delta `table`: portfolio_id, date, pnl, currency.

    It is compared with what was reported for the day, as hypothetical P&L is. Without it only the latter is.
    """

    source: Literal["none", "csv", "table"] = "none"
    path: str = ""
    table: str = ""


class Liquidity(Section):
    """Volumes from files (`csv`) or a Delta `table`, in units per day; without them nothing is evaluated.

    A position takes |units| / (`participation` x average volume) days to liquidate. The average is the
    `median` or the `mean` of the last `window_d` risk days with volumes; a day on which an instrument did not
    trade counts as zero. `columns` and `decimal` are as in `market_data`, `columns.price` names the volume.
    """

    source: Literal["none", "csv", "table"] = "none"
    path: str = ""
    table: str = ""
    columns: Columns = Columns()
    decimal: Literal["auto", "point", "comma"] = "auto"
    average: Literal["median", "mean"] = "median"
    window_d: PositiveInt = 60
    participation: Annotated[float, Field(gt=0.0, le=1.0)] = 0.2
