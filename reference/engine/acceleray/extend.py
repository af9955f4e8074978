"""Extension points of the engine: the types that a project declares, and nothing else.

`docs/extending.md` of a project shows each of them at work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


@dataclass(frozen=True)
class PriceSource:
    """One place that prices come from; a run takes it with `market_data.source=<name>`.

    Attributes:
        name: as the setting names it.
        read: a function from the Spark session and the settings to a DataFrame of prices: long, with the
            columns instrument_id, date and price (perhaps adjusted_price), or wide, with date and one column
            per instrument. Dates and prices may be text, read as those of a file; whatever is no price
            is put into quarantine with the reason.
    """

    name: str
    read: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class GateRule:
    """One condition more that a calibration or a model must meet.

    Attributes:
        name: as the gate's table and reasons name it.
        gate: `calibration`, before anything is simulated, or `training`, before a model becomes champion.
        refuses: a function from the gate's evidence to the reason against it, or None. The evidence is
            `acceleray.stages.calibrate.gate.Evidence` or `acceleray.stages.train.gate.Evidence`.
        meaning: what must be so, in words.
    """

    name: str
    gate: Literal["calibration", "training"]
    refuses: Callable[[Any], str | None]
    meaning: str


@dataclass(frozen=True)
class Rows:
    """A small table on a page: a caption, names of columns, and rows of cells."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Section:
    """One section more on the report of some workloads.

    Attributes:
        name: of its place on the page, and of the link to it.
        title: its heading.
        workloads: names of those whose report has it.
        write: a function from `read` to paragraphs of text and tables. `read(TABLE)` returns the rows of the
            run as an Arrow table, of the engine's tables and of the project's own. Text is shown as it is.
    """

    name: str
    title: str
    workloads: Sequence[str]
    write: Callable[[Callable[..., Any]], Sequence[str | Rows]]
