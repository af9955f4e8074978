"""The model that made the scores, and every decision on who is champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from acceleray.report.formats import printable

SHOWN_DECISIONS = 10


@dataclass(frozen=True)
class Decision:
    """One decision on one version; `later` is one that the as-of date does not know of."""

    version: int
    decision: str
    effective_from: date
    decided_at: datetime
    rank_ic: float | None
    rank_ic_t: float | None
    reason: str
    run_id: str
    chosen: bool
    later: bool


@dataclass(frozen=True)
class Champion:
    """The model's address, the decision that made it champion (None if not recorded), and all decisions.

    The address is empty where no model scored.
    """

    uri: str
    decision: Decision | None
    # Newest first.
    decisions: tuple[Decision, ...]
    more: int


def gather(rows: Sequence[Mapping[str, Any]], model_uri: str, as_of: date) -> Champion:
    """Return the champion of a run and all decisions, newest first; `rows` are in order of decision."""
    every = tuple(_decision(row, model_uri, as_of) for row in reversed(rows))
    promoted = [one for one in every if one.chosen and one.decision == "promoted" and not one.later]
    return Champion(
        printable(model_uri),
        promoted[0] if promoted else None,
        every[:SHOWN_DECISIONS],
        max(0, len(every) - SHOWN_DECISIONS),
    )


def _decision(row: Mapping[str, Any], model_uri: str, as_of: date) -> Decision:
    return Decision(
        version=row["model_version"],
        decision=row["decision"],
        effective_from=row["effective_from"],
        decided_at=row["decided_at"],
        rank_ic=row["rank_ic"],
        rank_ic_t=row["rank_ic_t"],
        reason=printable(row["reason"]),
        run_id=row["run_id"],
        chosen=row["model_uri"] == model_uri,
        later=row["effective_from"] > as_of,
    )
