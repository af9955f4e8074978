"""Where prices come from and what is made of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from acceleray.settings.on_findings import CORRECTIONS_FILE, OnFindings
from acceleray.settings.section import PositiveInt, Section


class Columns(Section):
    """Names of the user's own columns of prices; what is empty is found by the usual names."""

    date: str = ""
    instrument_id: str = ""
    price: str = ""
    adjusted_price: str = ""


class MarketData(Section):
    """Where prices come from: `sample` (shipped with skfolio), `csv` (files), a Delta `table`, `simulated`.

    Any other name is that of a source of the project itself, which a run looks up before it starts; with
    `delivered`, a file of what it once answered, it is not asked again. `columns`
    and `decimal` say what a file leaves open; `adjusted` says what a single column of prices is. `arithmetic`
    names instruments whose prices may be zero or negative, each with the level that a return of 1 refers to.
    """

    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "sample"
    path: str = ""
    table: str = ""
    delivered: str = ""
    name: str = ""
    columns: Columns = Columns()
    decimal: Literal["auto", "point", "comma"] = "auto"
    adjusted: Literal["price", "total_return"] = "price"
    minimum_history_d: PositiveInt = 1000
    stale_after_d: PositiveInt = 10
    stale_price_d: PositiveInt = 20
    calendar: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/]+$")] = "observed"
    longest_span_d: PositiveInt = 5
    frequency: Literal["daily", "weekly", "monthly"] = "daily"
    proxies: dict[str, str] = Field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    arithmetic: dict[str, Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] = Field(default_factory=dict)
    on_findings: OnFindings = OnFindings()
    corrections: str = CORRECTIONS_FILE

    @field_validator("groups")
    @classmethod
    def _in_one_group(cls, groups: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        first: dict[str, str] = {}
        for group, members in groups.items():
            for name in members:
                if first.setdefault(name, group) != group:
                    raise ValueError(f"{name} is in {first[name]} and in {group}; keep it in one of them")
        return groups

    @property
    def unit(self) -> str:
        """Return what a risk day is: day, week or month."""
        return {"daily": "day", "weekly": "week", "monthly": "month"}[self.frequency]

    def span(self, days: int) -> str:
        """Return a number of risk days in words, in the unit of the prices: 1 day, 10 weeks."""
        return f"{days} {self.unit}{'s' if days > 1 else ''}"
