"""Instruments that are named like the fields of one instrument's quotes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection

import numpy as np

from acceleray.quant.price_findings.finding import THE_FILE, Finding

# fmt: off
FIELDS = frozenset(
    {
        "open", "high", "low", "close", "adj close", "adjusted close", "volume", "vol", "vwap", "turnover",
        "bid", "ask", "mid", "last", "settle", "open interest", "dividends", "stock splits",
        "capital gains", "change", "change %", "px last", "px open", "px high", "px low", "px volume",
        "year", "month", "weekday",
    }
)
"""Columns of the quotes that data vendors and their libraries deliver, and parts of a date."""

SURE = frozenset(
    {
        "adj close", "adjusted close", "volume", "vwap", "open interest", "dividends", "stock splits",
        "px last", "year", "month", "weekday",
    }
)
# fmt: on
"""Fields that are no ticker; LOW (Lowe's), OPEN, LAST, MID and others are."""

FEWEST_UNSURE = 3
"""So many fields that may be tickers are fields when they stand together."""

_SHOWN = 6


def field_names(instruments: Collection[str], first: np.datetime64, last: np.datetime64) -> Finding | None:
    """Return the finding that instruments are fields: `Open` and `Volume`, or `AAA Close` and `AAA Volume`.

    Args:
        instruments: all names.
        first: first day of all.
        last: last day of all.
    """
    by_stem: dict[str, dict[str, str]] = defaultdict(dict)
    for name in instruments:
        words = [word for word in re.split(r"[\s_/|,.:;()'\"]+", name.casefold()) if word]
        for length in (2, 1):
            for field, rest in ((words[-length:], words[:-length]), (words[:length], words[length:])):
                if len(field) == length and " ".join(field) in FIELDS:
                    by_stem[" ".join(rest)].setdefault(" ".join(field), name)
    named: set[str] = set()
    for stem, fields in by_stem.items():
        sure = SURE & fields.keys()
        # With a stem, one field may be how a source names its tickers: AAA_Close, BBB_Close.
        if (sure and (not stem or len(fields) > 1)) or len(fields) >= FEWEST_UNSURE:
            named |= set(fields.values())
    if not named:
        return None
    shown = ", ".join(sorted(named)[:_SHOWN]) + (", ..." if len(named) > _SHOWN else "")
    text = f"{len(named):,} of {len(instruments):,} instruments have names of fields: {shown}"
    advice = "keep one column of closes for each instrument, or name the columns in market_data.columns"
    return Finding("field_names", "error", THE_FILE, first, last, len(named), float(len(named)), text, advice)
