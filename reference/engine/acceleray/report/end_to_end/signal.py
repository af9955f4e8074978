"""The evidence for the signal model, and its scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from acceleray.report.formats import printable
from acceleray.report.rows import Read, first
from acceleray.tables import MODEL_DECISIONS, PREDICTIONS, SIGNAL_VALIDATION

SHOWN_SCORES = 5
# Above this a daily rank IC on real prices is leakage until proven otherwise.
LEAKAGE_RANK_IC = 0.1


@dataclass(frozen=True)
class Signal:
    """Walk-forward evidence by fold, the gate's decision, and the scores as of the run's date, best first."""

    decision: dict[str, Any] | None
    folds: tuple[dict[str, Any], ...]
    scores: tuple[tuple[str, float], ...]
    feature_date: Any

    @property
    def mean_rank_ic(self) -> float:
        """Return the mean of the folds' rank IC, each fold counted once; NaN without folds."""
        values = [fold["rank_ic"] for fold in self.folds if math.isfinite(fold["rank_ic"])]
        return sum(values) / len(values) if values else math.nan

    @property
    def positive_folds(self) -> int:
        """Return the number of folds with a rank IC above zero."""
        return sum(1 for fold in self.folds if fold["rank_ic"] > 0)

    @property
    def suspicious_folds(self) -> tuple[int, ...]:
        """Return the folds whose rank IC is too good to be true."""
        return tuple(fold["fold"] for fold in self.folds if fold["rank_ic"] > LEAKAGE_RANK_IC)

    @property
    def best(self) -> tuple[tuple[str, float], ...]:
        """Return the highest scores, or all of them if there are few."""
        few = len(self.scores) <= 2 * SHOWN_SCORES
        return self.scores if few else self.scores[:SHOWN_SCORES]

    @property
    def worst(self) -> tuple[tuple[str, float], ...]:
        """Return the lowest scores, lowest last; empty if all are among the best."""
        return () if len(self.scores) <= 2 * SHOWN_SCORES else self.scores[-SHOWN_SCORES:]


def gather(read: Read) -> Signal:
    """Return the decision, the evidence by fold and the scores, highest first."""
    folds = sorted(read(SIGNAL_VALIDATION).to_pylist(), key=lambda fold: fold["fold"])
    predictions = read(PREDICTIONS).to_pylist()
    scores = sorted(
        ((printable(row["instrument_id"]), row["score"]) for row in predictions),
        key=lambda item: (-item[1], item[0]),
    )
    newest = max((row["feature_date"] for row in predictions), default=None)
    return Signal(first(read(MODEL_DECISIONS)), tuple(folds), tuple(scores), newest)
