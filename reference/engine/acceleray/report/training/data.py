"""Everything the training page shows, gathered from tables into one frozen object."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from acceleray.errors import PortfolioError
from acceleray.governance.champion import champion_as_of
from acceleray.quant.targets import RAW, RESIDUAL, VOLATILITY_SCALED
from acceleray.report import heading, lineage
from acceleray.report.formats import printable
from acceleray.report.rows import Read, first
from acceleray.settings import Settings
from acceleray.tables import (
    FEATURE_IMPORTANCE,
    MODEL_DECISIONS,
    RUNS,
    SIGNAL_TARGETS,
    SIGNAL_VALIDATION,
    TRAINING,
)

SHOWN_DECISIONS = 30
_TARGETS = (RAW, VOLATILITY_SCALED, RESIDUAL)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """One training run, ready to be drawn and written.

    Attributes:
        decision: on the version this run trained.
        folds: in the order of time.
        targets: rank IC of the same scores against each target, the raw one first.
        features: in the order of the model.
        history: decisions on all versions of the same prices, the latest first.
        champion: version that is champion now, None if there is none.
    """

    heading: heading.Heading
    settings: Settings
    decision: Row
    training: Row
    folds: tuple[Row, ...]
    targets: tuple[Row, ...]
    features: tuple[Row, ...]
    parameters: tuple[tuple[str, Any], ...]
    history: tuple[Row, ...]
    champion: int | None
    lineage: lineage.Lineage

    @property
    def simulated(self) -> bool:
        """Return whether the prices, and the signal in them, are made up."""
        return self.heading.source.startswith("simulated")

    @property
    def suspicious(self) -> tuple[int, ...]:
        """Return the folds whose rank IC is too good to be true on real prices."""
        limit = self.settings.leakage.maximum_rank_ic
        return (
            ()
            if self.simulated
            else tuple(row["fold"] for row in self.folds if (row["rank_ic"] or 0) > limit)
        )

    @property
    def unseen_from(self) -> date | None:
        """Return the first day that the search of the hyperparameters never saw; None if none chose them."""
        found: date | None = self.decision.get("unseen_from")
        return found

    @property
    def lower(self) -> float | None:
        """Return the lower end of the interval of the mean rank IC; None if it was not recorded."""
        return self.decision.get("rank_ic_lower")

    @property
    def difference_lower(self) -> float | None:
        """Return the lower end of the interval of the difference from the champion."""
        return self.decision.get("rank_ic_difference_lower")

    @property
    def same(self) -> bool:
        """Return whether the champion it was compared with has the same hyperparameters."""
        return self.decision["rank_ic_difference"] == 0.0 and self.decision["rank_ic_difference_t"] == 0.0

    def mean(self, name: str) -> float | None:
        """Return the mean of a column over the folds, None if no fold has it."""
        values = [row[name] for row in self.folds if row[name] is not None and math.isfinite(row[name])]
        return sum(values) / len(values) if values else None


def gather(read: Read, settings: Settings, decisions: Sequence[Row] = ()) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run trained nothing, so there is nothing to say.
    """
    training = first(read(TRAINING))
    mine = read(MODEL_DECISIONS).to_pylist()
    if training is None or not mine:
        raise PortfolioError(
            "This run has no model to report on; run `portfolio run distributed_training` first."
        )
    run = first(read(RUNS)) or {}
    every = sorted(decisions or mine, key=lambda row: (row["decided_at"], row["model_version"]), reverse=True)
    champion = champion_as_of(every, date.max)
    command = lineage.command(TRAINING, training["run_id"])
    return Report(
        heading=heading.gather(training, run, settings, mine[0]["source"]),
        settings=settings,
        decision=mine[0],
        training=training,
        folds=tuple(sorted(read(SIGNAL_VALIDATION).to_pylist(), key=lambda row: row["fold"])),
        targets=tuple(
            sorted(read(SIGNAL_TARGETS).to_pylist(), key=lambda row: _TARGETS.index(row["target"]))
        ),
        features=tuple(sorted(read(FEATURE_IMPORTANCE).to_pylist(), key=lambda row: row["position"])),
        parameters=tuple(json.loads(training["parameters_json"]).items()),
        history=tuple({**row, "reason": printable(row["reason"])} for row in every),
        champion=int(champion["model_version"]) if champion is not None else None,
        lineage=lineage.gather(read, run, training["run_id"], settings, command),
    )
