"""Shocks as people write them: "-20 %", "+2 pp", "+150 bp" or "to 60 %", and what the model makes of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

EXAMPLES = "'-20 %', '+2 pp', '+150 bp' or 'to 60 %'"

_SHOCK = re.compile(r"(?P<to>to\s+)?(?P<sign>[+-])?(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]+)?")
# One unit in percentage points.
_IN_POINTS = {"pp": 1.0, "bp": 0.01}
# In what each factor of the sample is measured; of any other factor, each of these may be meant.
_MEASURED_IN = {"equity": ("index",), "volatility": ("%",), "oil": ("USD",)}
_ANY_LEVEL = ("%", "USD", "index")


@dataclass(frozen=True)
class Shock:
    """One shock: the text, what kind it is, and its value.

    A change of one per cent is 0.01, of a percentage point 1.0, of a basis point 0.01; a level is the number
    as written ("to 60 %" is 60.0).
    """

    text: str
    kind: Literal["relative", "points", "level"]
    value: float

    @property
    def is_percent_level(self) -> bool:
        """Return whether the factor's level is taken to be in per cent: 60 and not 0.6 for 60 %."""
        return self.kind == "level" and self.text.endswith("%")

    def change(self, points: bool, level: float) -> float:
        """Return the shock as the model takes it, given the factor's level today.

        A difference for a factor measured in percentage points, else a log change.
        """
        if self.kind == "points":
            return self.value
        if self.kind == "relative":
            return math.log1p(self.value)
        return self.value - level if points else math.log(self.value / level)


def parse_shock(text: object, factor: str, points: bool) -> Shock:
    """Return the shock to a factor that a text says; `points` is True of one in percentage points.

    Raises:
        ValueError: it has no unit, one that does not fit the factor, or no sign; the message says which.
    """
    shown = str(text).strip().replace("\N{MINUS SIGN}", "-")
    match = _SHOCK.fullmatch(shown)
    if match is None:
        raise ValueError(f"'{shown}' is not a shock; write for example {EXAMPLES}")
    unit, is_level = match["unit"], match["to"] is not None
    if unit is None:
        raise ValueError(f"'{shown}' has no unit; write for example {EXAMPLES}")
    if not is_level and match["sign"] is None:
        raise ValueError(f"'{shown}' needs a sign, + or -, or 'to' in front of a level")
    value = float(match["number"]) * (-1.0 if match["sign"] == "-" else 1.0)
    if points:
        if unit not in _IN_POINTS:
            raise ValueError(f"'{shown}' does not fit {factor}, measured in percentage points; use pp or bp")
        return Shock(shown, "level" if is_level else "points", value * _IN_POINTS[unit])
    if is_level:
        allowed = _MEASURED_IN.get(factor, _ANY_LEVEL)
        if unit not in allowed:
            raise ValueError(f"'{shown}' does not fit {factor}; a level of it is in {' or '.join(allowed)}")
        if value <= 0.0:
            raise ValueError(f"'{shown}' does not fit {factor}, which is always above zero")
        return Shock(shown, "level", value)
    if unit != "%":
        raise ValueError(f"'{shown}' does not fit {factor}; use a change in % or a level, as in 'to 60 %'")
    if value <= -100.0:
        raise ValueError(f"'{shown}' does not fit {factor}, which cannot lose 100 % or more")
    return Shock(shown, "relative", value / 100.0)


def parse_share(text: object) -> float:
    """Return a loss such as "10 %" as a fraction.

    Raises:
        ValueError: it is not a percentage above 0 and below 100.
    """
    match = _SHOCK.fullmatch(str(text).strip())
    if match is None or match["to"] or match["sign"] or match["unit"] != "%":
        raise ValueError(f"'{text}' is not a loss; write for example '10 %'")
    share = float(match["number"]) / 100.0
    if not 0.0 < share < 1.0:
        raise ValueError(f"'{text}' must lie above 0 % and below 100 %")
    return share
