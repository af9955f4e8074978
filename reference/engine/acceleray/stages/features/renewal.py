"""Dates of a table to recompute: those whose inputs have changed, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column
from acceleray.engines.handoff.driver_read import rows_here
from acceleray.engines.handoff.selection import Selection
from acceleray.runtime.kept_work import ASKED
from acceleray.runtime.run import Run
from acceleray.stages.features.origin import MADE_BY, MADE_FROM
from acceleray.stages.features.part import runs
from acceleray.stages.features.recipe import Expected
from acceleray.tables.contract import Table, quoted

# Ranges of dates that one commit replaces; more are joined, with what lies between them.
_RANGES = 8
_NEW = "the date is new"
_MOVED = "inputs of the date have changed"
_TOGETHER = "computed with adjacent dates"
_LAST = "every run computes the last date"


@dataclass(frozen=True)
class Held:
    """State of a source in a table: one entry for each date, origin and run.

    Attributes:
        dates: of shape (entries,).
        origins: what the rows are made from, None where they do not say.
        runs: that made them.
        rows: how many.
    """

    dates: NDArray[np.datetime64]
    origins: tuple[str | None, ...]
    runs: tuple[str | None, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Renewal:
    """Dates to recompute.

    Attributes:
        wanted: whether each risk day is, of shape (days,).
        where: condition on the rows that are replaced, None for all.
        made: risk days that have rows and are made, by the reason.
        reused: those that stay, by the run that made them.
    """

    wanted: NDArray[np.bool_]
    where: str | None
    made: dict[str, int]
    reused: dict[str, int]


def held(run: Run, table: Table) -> Held:
    """Return what the table holds of the run's source; nothing if it is to be made without looking."""
    if run.settings.anew or not run.lake.exists(table):
        return Held(np.empty(0, "datetime64[D]"), (), (), ())
    version, names = run.lake.version(table), ("date", MADE_FROM, MADE_BY)
    rows = rows_here(run.lake, Selection(table, version, run.source, names), {})
    if rows is None:
        found = run.lake.read(table, run.source, version).groupBy(*map(quoted, names)).count().toArrow()
    else:
        found = rows.group_by(list(names)).aggregate([([], "count_all")]).rename_columns([*names, "count"])
    return Held(
        column(found, "date").astype("datetime64[D]"),
        *(tuple(found.column(name).to_pylist()) for name in (MADE_FROM, MADE_BY, "count")),
    )


def renewal(expected: Expected, there: Held, asked: bool = False) -> Renewal:
    """Return what of the expected is made.

    A date stays if all its rows are made from what they would be made from now, and they are as many as they
    can be. The last date is made in any case, so that every run commits what it stands on.

    Args:
        expected: of the present prices, settings and code.
        there: in the table.
        asked: that everything is made, whatever is there.
    """
    days, possible = expected.days, expected.most > 0
    place = np.searchsorted(days, there.dates)
    known = np.append(days, np.datetime64("NaT"))[place] == there.dates
    found = np.zeros((2, len(days)), dtype=np.int64)
    by = [""] * len(days)
    for number, at in enumerate(place.tolist()):
        if known[number]:
            same = there.origins[number] == expected.origins[at] and there.runs[number] is not None
            found[int(same), at] += there.rows[number]
            by[at] = there.runs[number] or ""
    others, rows = found
    stays = (others == 0) & (rows >= expected.least) & (rows <= expected.most)
    wanted = np.where((others > 0) | (rows > 0) | possible, ~stays, False)
    if len(days):
        wanted[-1] = True
    whole = asked or not there.dates.size or 2 * int(wanted.sum()) > len(days)
    if whole:
        wanted = np.ones(len(days), dtype=np.bool_)
    where = None if whole else _where(wanted, days, there.dates[~known])
    if where is None:
        wanted[:] = True
    else:
        wanted = _joined(wanted)
    made = wanted & possible
    if asked:
        reasons = {ASKED: int(made.sum())}
    else:
        new = others + rows == 0
        last = np.arange(len(days)) == len(days) - 1
        named = ((_NEW, new), (_MOVED, ~new & ~stays), (_LAST, stays & last), (_TOGETHER, stays & ~last))
        reasons = {reason: int((made & which).sum()) for reason, which in named}
    reused: dict[str, int] = {}
    for at in np.flatnonzero(~wanted & possible).tolist():
        reused[by[at]] = reused.get(by[at], 0) + 1
    return Renewal(wanted, where, reasons, reused)


def _joined(wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the wanted days in at most `_RANGES` runs: those that lie nearest to each other are joined."""
    found, ranges = wanted.copy(), runs(wanted)
    gaps = sorted(pairwise(ranges), key=lambda pair: pair[1][0] - pair[0][1])
    for (_, stop), (start, _) in gaps[: max(0, len(ranges) - _RANGES)]:
        found[stop:start] = True
    return found


def _where(
    wanted: NDArray[np.bool_], days: NDArray[np.datetime64], gone: NDArray[np.datetime64]
) -> str | None:
    """Return the condition on dates of the wanted days, up to the next one that stays.

    None if rows of dates that are risk days no more lie elsewhere.
    """
    conditions, covered = [], np.zeros(gone.size, dtype=np.bool_)
    for low, high in runs(_joined(wanted)):
        bounds, inside = [], np.ones(gone.size, dtype=np.bool_)
        if low > 0:
            bounds.append(f"date > DATE'{days[low - 1]}'")
            inside &= gone > days[low - 1]
        if high < len(days):
            bounds.append(f"date < DATE'{days[high]}'")
            inside &= gone < days[high]
        conditions.append(" AND ".join(bounds) or "true")
        covered |= inside
    if not covered.all():
        return None
    return " OR ".join(f"({one})" for one in conditions)
