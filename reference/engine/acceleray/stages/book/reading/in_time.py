"""Positions up to the as-of date, and which of them are of their portfolio's last date."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.distinct import distinct

# The day of a row without one, before all others.
_NEVER = -(2**30)


def in_time(rows: pa.Table, as_of: date) -> tuple[pa.Table, list[str], list[str]]:
    """Return rows not dated later, with `current` (of the last date of their portfolio), and two lists.

    The first has lines on rows that are left out, the second on the dates of the others.
    A row that is kept out counts for the last date: a day whose rows are all wrong is no reason to go back.

    Raises:
        PortfolioError: all are dated later.
    """
    left_out: list[str] = []
    facts: list[str] = []
    days = rows["as_of"].cast(pa.int32()).fill_null(_NEVER).to_numpy()
    late = days > (as_of - date(1970, 1, 1)).days
    if late.any():
        number = int(late.sum())
        first = pc.min(rows["as_of"].filter(pa.array(late))).as_py()
        if late.all():
            raise PortfolioError(
                f"All positions are dated after the as-of date {as_of}, the first ones {first}; add those "
                "held by then, or set as_of."
            )
        left_out.append(
            f"{counted(number, 'position')} dated {first} or later, after the as-of date,"
            f" {'is' if number == 1 else 'are'} left out"
        )
        rows, days = rows.filter(pa.array(~late)), days[~late]
    whose = distinct([rows["portfolio_id"]])
    last = np.full(whose.first.size, _NEVER)
    np.maximum.at(last, whose.codes, days)
    current = days == last[whose.codes]
    newest = days[current & (days > _NEVER)]
    if newest.size:
        first, final = (np.datetime64(int(day), "D") for day in (newest.min(), newest.max()))
        facts.append(f"positions as of {final}" + (f", the oldest as of {first}" if first != final else ""))
    return rows.append_column("current", pa.array(current)), left_out, facts
