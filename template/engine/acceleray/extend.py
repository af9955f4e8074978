"""What a project declares to extend the engine: the types of its extension points, and nothing else.

`docs/extending.md` of a project shows each of them at work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Signal:
    """One signal, computed for each instrument and day, before it is ranked among the instruments of the day.

    Attributes:
        name: column of gold.features.
        of: what the windows contain: prices, returns, or returns and the market's of the same days.
        length: of a window; a change over 21 days takes 22 prices.
        statistic: a function of a module from windows of shape (rows, length), each ending on its row's own
            day, to one number per row, NaN where it is not defined; for returns and market it takes two.
        meaning: the same in words that are enough to compute it again.
        proposed_by: author and year.
    """

    name: str
    of: Literal["prices", "returns", "returns and market"]
    length: int
    statistic: Callable[..., Any]
    meaning: str
    proposed_by: str
