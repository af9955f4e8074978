"""Everything the tuning page shows, gathered from tables into one frozen object."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.report import heading, lineage
from acceleray.report.formats import printable
from acceleray.report.quality import newest_load
from acceleray.report.rows import Read, first, floats, narrowed
from acceleray.report.tuning.importance import Importance, importances
from acceleray.settings import Settings
from acceleray.stages.tune.leakage import MODEL
from acceleray.tables import FEATURES, LEAKAGE_CHECKS, PRICES, RUNS, TRIAL_PROGRESS, TRIALS, TUNING_EVIDENCE

PARAMETERS = ("max_depth", "learning_rate", "min_child_weight", "subsample", "colsample", "reg_lambda")


@dataclass(frozen=True)
class Trial:
    """One trial at its best rounds; numbers are NaN and `rounds` is 0 where it failed."""

    number: int
    status: str
    proposed_by: str
    rounds: int
    rounds_spent: int
    parameters: dict[str, float]
    rank_ic: float
    rank_ic_t: float
    sharpe: float
    reason: str
    # Rounds and rank IC after each chunk, up to where the trial counts.
    curve: tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Check:
    """One look for knowledge of the future."""

    subject: str
    name: str
    value: float
    maximum: float
    suspected: bool
    reason: str


@dataclass(frozen=True)
class Report:
    """One search, ready to be drawn and written."""

    heading: heading.Heading
    settings: Settings
    evidence: dict[str, Any]
    # In order of number.
    trials: tuple[Trial, ...]
    best: Trial
    # Whether the best trial is marked as the one to use.
    chosen: bool
    importance: Importance
    checks: tuple[Check, ...]
    simulated: bool
    lineage: lineage.Lineage

    @property
    def finding(self) -> str:
        """Return found, weak, nothing or suspect."""
        return str(self.evidence["finding"])

    @property
    def ranked(self) -> tuple[Trial, ...]:
        """Return the trials that did not fail, best first."""
        return tuple(sorted(self.usable, key=lambda one: (-one.rank_ic, one.number)))

    @property
    def usable(self) -> tuple[Trial, ...]:
        """Return the trials that did not fail."""
        return tuple(one for one in self.trials if one.status != "failed" and math.isfinite(one.rank_ic))

    @property
    def failed(self) -> tuple[Trial, ...]:
        """Return the trials that failed."""
        return tuple(one for one in self.trials if one.status == "failed")

    @property
    def own(self) -> Trial | None:
        """Return the trial of what the settings say, if it was tried and did not fail."""
        return next((one for one in self.usable if one.proposed_by == "settings"), None)

    @property
    def suspects(self) -> tuple[str, ...]:
        """Return the subjects under suspicion, each once."""
        return tuple(dict.fromkeys(check.subject for check in self.checks if check.suspected))

    @property
    def rungs(self) -> tuple[int, ...]:
        """Return the rounds at which trials were compared."""
        tune, found = self.settings.tune, []
        rounds = tune.chunk_rounds
        while rounds < tune.maximum_rounds:
            found.append(rounds)
            rounds *= tune.reduction_factor
        return tuple(found)


def gather(read: Read, settings: Settings) -> Report:
    """Return everything the page shows about the run whose rows `read` gives.

    Raises:
        PortfolioError: the run has no search to report on.
    """
    evidence = first(read(TUNING_EVIDENCE))
    rows = read(TRIALS).sort_by("trial").to_pylist()
    if evidence is None or not any(row["rank_ic"] is not None for row in rows):
        raise PortfolioError(
            "This run has no search to report on; run `portfolio run hyperparameter_tuning` first."
        )
    progress = read(TRIAL_PROGRESS).sort_by([("trial", "ascending"), ("rounds", "ascending")])
    numbers = floats(progress, "trial")
    rounds, values = floats(progress, "rounds"), floats(progress, "rank_ic")
    trials = tuple(
        _trial(row, (rounds[numbers == row["trial"]], values[numbers == row["trial"]])) for row in rows
    )
    usable = [one for one in trials if one.status != "failed" and math.isfinite(one.rank_ic)]
    best = max(usable, key=lambda one: (one.rank_ic, -one.number))
    run = first(read(RUNS)) or {}
    load_id = newest_load(read(narrowed(PRICES, "date", "load_id"))) if not run else ""
    command = lineage.command(TRIALS, evidence["run_id"], trial=best.number)
    return Report(
        heading=heading.gather(evidence, run, settings),
        settings=settings,
        evidence=evidence,
        trials=trials,
        best=best,
        chosen=any(row["chosen"] for row in rows),
        importance=importances(
            [one.parameters for one in usable], np.array([one.rank_ic for one in usable]), settings.seed
        ),
        checks=_checks(read),
        simulated=settings.market_data.source == "simulated",
        lineage=lineage.gather(read, run, evidence["run_id"], settings, command, load_id),
    )


def _trial(row: dict[str, Any], curve: tuple[NDArray[np.float64], NDArray[np.float64]]) -> Trial:
    return Trial(
        number=row["trial"],
        status=row["status"],
        proposed_by=row["proposed_by"],
        rounds=row["rounds"] or 0,
        rounds_spent=row["rounds_spent"],
        parameters={name: float(row[name]) for name in PARAMETERS},
        rank_ic=_number(row["rank_ic"]),
        rank_ic_t=_number(row["rank_ic_t"]),
        sharpe=_number(row["sharpe"]),
        reason=printable(row["reason"] or ""),
        curve=curve,
    )


def _checks(read: Read) -> tuple[Check, ...]:
    rows = read(LEAKAGE_CHECKS).to_pylist()
    # Features in the order of the table they come from, then those of the project, then the model.
    order = {name: place for place, name in enumerate(FEATURES.column_names)}
    own = len(order)
    order[MODEL] = own + 1
    rows.sort(key=lambda row: (order.get(row["subject"], own), row["subject"], row["check_name"]))
    return tuple(
        Check(
            printable(row["subject"]),
            row["check_name"],
            _number(row["value"]),
            row["maximum"],
            row["suspected"],
            printable(row["reason"]),
        )
        for row in rows
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
