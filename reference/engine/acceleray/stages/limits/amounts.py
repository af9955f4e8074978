"""Limits as people write them: "4 %" of NAV, "50000 USD" or "10 days"."""

from __future__ import annotations

import re
from dataclasses import dataclass

EXAMPLES = "'4 %' of NAV, '50000 USD' or '10 days'"
PERCENT, DAYS = "% of NAV", "days"

_WRITTEN = re.compile(r"(?P<number>\d[\d_]*(?:\.\d+)?)\s*(?P<unit>%|days?|[A-Z]{3})?")


@dataclass(frozen=True)
class Amount:
    """A limit: the number as written, and its unit: `PERCENT`, `DAYS` or an ISO 4217 code."""

    value: float
    unit: str

    @property
    def currency(self) -> str:
        """Return the currency of an amount of money, or nothing."""
        return "" if self.unit in (PERCENT, DAYS) else self.unit


def parse_amount(text: object) -> Amount:
    """Return the limit that a text says.

    Raises:
        ValueError: it is no number above zero with a unit; the message says what to write.
    """
    shown = str(text).strip()
    match = _WRITTEN.fullmatch(shown)
    if match is None:
        raise ValueError(f"'{shown}' is not a limit; write for example {EXAMPLES}")
    if match["unit"] is None:
        raise ValueError(f"'{shown}' has no unit; write for example {EXAMPLES}")
    value = float(match["number"].replace("_", ""))
    if not value > 0.0:
        raise ValueError(f"'{shown}' must be above zero")
    unit = PERCENT if match["unit"] == "%" else DAYS if match["unit"].startswith("day") else match["unit"]
    return Amount(value, unit)
