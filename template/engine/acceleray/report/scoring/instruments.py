"""Instruments: how many rows came in and out, the scores of today, and what was quarantined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.report.formats import printable
from acceleray.report.rows import floats, narrowed, where
from acceleray.tables import PREDICTIONS, PREDICTIONS_QUARANTINED

SHOWN_SCORES = 10
SHOWN_QUARANTINED = 20
SHOWN_WITHOUT = 20
_EXAMPLES = 3
# How a reason begins or what it contains, and what such reasons are called together.
_KINDS = (
    ("ended on ", "The instrument has ended: no price for too long"),
    ("no features", "No features yet: the history is too short"),
    ("its features ended", "No features any more, although there are prices"),
    (", not from ", "A feature outside its contract"),
)


@dataclass(frozen=True)
class Score:
    """The score of one instrument; the bar shares one zero line with all others."""

    instrument: str
    score: float
    feature_date: date
    bar_left_pct: float
    bar_width_pct: float


@dataclass(frozen=True)
class Kind:
    """Quarantined rows of one kind of reason, with the first of them."""

    title: str
    rows: int
    instruments: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """Rows scored (None if not recorded) and quarantined, and the newest scores.

    values (instruments,) are those of the newest date, best first; best and worst are shown.
    """

    scored: int | None
    quarantined: int
    values: NDArray[np.float64]
    newest: date | None
    best: tuple[Score, ...]
    worst: tuple[Score, ...]
    kinds: tuple[Kind, ...]

    @property
    def rows_in(self) -> int | None:
        """Return how many rows came in: the run stops unless each was scored or quarantined."""
        return None if self.scored is None else self.scored + self.quarantined


def gather(read: Callable[..., pa.Table], touched: pa.Table, as_of: date, history_d: int) -> Scores:
    """Return the counts of the run and its newest scores.

    `touched` are the tables the run recorded, `history_d` how many dates it scored: of more than one, only
    the scores of the as-of date are read, so that memory does not grow with them.
    """
    wrote = where(touched, table_name=PREDICTIONS.label, direction="wrote")["row_count"].to_pylist()
    few = narrowed(PREDICTIONS, "instrument_id", "feature_date", "score")
    rows = read(few) if history_d == 1 else read(few, feature_date=[as_of])
    ordered = rows.sort_by([("score", "descending"), ("instrument_id", "ascending")])
    lines = _lines(ordered)
    left = read(PREDICTIONS_QUARANTINED)
    split = len(lines) > 2 * SHOWN_SCORES
    return Scores(
        scored=wrote[-1] if wrote else None,
        quarantined=left.num_rows,
        values=floats(ordered, "score"),
        newest=max(ordered["feature_date"].to_pylist(), default=None),
        best=lines[:SHOWN_SCORES] if split else lines,
        worst=lines[-SHOWN_SCORES:] if split else (),
        kinds=_kinds(left),
    )


def _lines(rows: pa.Table) -> tuple[Score, ...]:
    values = rows["score"].to_pylist()
    low, high = min([0.0, *values]), max([0.0, *values])
    span = (high - low) or 1.0
    if len(rows) > 2 * SHOWN_SCORES:
        ends = [rows.slice(0, SHOWN_SCORES), rows.slice(len(rows) - SHOWN_SCORES)]
        rows = pa.concat_tables(ends) if len(rows) == 2 * SHOWN_SCORES else _with_middle(rows, ends)
    return tuple(
        Score(
            printable(row["instrument_id"]),
            row["score"],
            row["feature_date"],
            100 * (min(row["score"], 0.0) - low) / span,
            100 * abs(row["score"]) / span,
        )
        for row in rows.to_pylist()
    )


def _with_middle(rows: pa.Table, ends: list[pa.Table]) -> pa.Table:
    return pa.concat_tables([ends[0], rows.slice(SHOWN_SCORES, 1), ends[1]])


def _kinds(rows: pa.Table) -> tuple[Kind, ...]:
    found: dict[str, list[dict[str, object]]] = {}
    for row in rows.sort_by([("instrument_id", "ascending"), ("feature_date", "ascending")]).to_pylist():
        reason = row["reason"]
        title = next((name for part, name in _KINDS if part in reason), printable(reason))
        found.setdefault(title, []).append(row)
    kinds = [
        Kind(
            title,
            len(some),
            len({row["instrument_id"] for row in some}),
            tuple(
                printable(f"{row['instrument_id']}, {row['feature_date']}: {row['reason']}")
                for row in some[:_EXAMPLES]
            ),
        )
        for title, some in found.items()
    ]
    return tuple(sorted(kinds, key=lambda kind: (-kind.rows, kind.title)))
