"""Settings about a price source, for properties that the source leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acceleray.settings import Settings


@dataclass(frozen=True)
class Wishes:
    """Settings about prices.

    Attributes:
        columns: the user's names of columns, by ours (date, instrument_id, price, adjusted_price).
        decimal: `point`, `comma`, or `auto`: the numbers decide.
        adjusted: what a single column of prices is, `price` or `total_return`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "auto"
    adjusted: str = "price"


def wishes_of(settings: Settings) -> Wishes:
    """Return what the settings say about columns and numbers."""
    data = settings.market_data
    columns = {key: name for key, name in data.columns.model_dump().items() if name}
    return Wishes(columns, data.decimal, data.adjusted)
