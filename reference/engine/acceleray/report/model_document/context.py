"""Inputs of every section of a model document: the run, its rows, and the previous model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from acceleray.errors import PortfolioError
from acceleray.report.backtest import HEADLINE_MODEL, of_headline
from acceleray.report.model_document.cells import Row, setting
from acceleray.report.model_document.run_rows import Kept, reads
from acceleray.report.rows import Reads, narrowed
from acceleray.settings import Settings
from acceleray.tables import BACKTEST_VERDICTS, MODEL_DECISIONS, RUNS

Kind = Literal["risk", "signal"]
KINDS: tuple[Kind, ...] = ("risk", "signal")
PROMOTED = "promoted"
# A rollback decides about models and makes none.
_MAKES_NO_MODEL = ("rollback",)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """One run that made a model, and what its gate decided about it, in its word and with its reason."""

    run: Row
    decision: str
    reason: str

    @property
    def promoted(self) -> bool:
        """Return whether the gate let the model through."""
        return self.decision == PROMOTED


@dataclass(frozen=True)
class Context:
    """Queries of sections.

    Attributes:
        kind: of model.
        made: the run that the document is about.
        read: its rows.
        kept: rows of all runs.
        settings: of the project, for names alone.
        chosen: the settings as the run recorded them.
        before: the run before it that made such a model from the same price source, None if it is the first.
        earlier: all such runs up to this one, the latest first.
    """

    kind: Kind
    made: Made
    read: Reads
    kept: Kept
    settings: Settings
    chosen: Mapping[str, Any]
    before: Made | None
    earlier: tuple[Made, ...]

    @property
    def read_before(self) -> Reads | None:
        """Return what gives the rows of the run before, None if there is none."""
        if self.before is None:
            return None
        return reads(self.kept, str(self.before.run["run_id"]), str(self.before.run["source"]))

    def setting(self, section: str, name: str) -> tuple[str, str]:
        """Return a setting of the run as text, and where it is recorded."""
        return setting(self.chosen, section, name)


def context(kept: Kept, kind: Kind, run_id: str, settings: Settings) -> Context:
    """Return what the document about a run is written from.

    Raises:
        PortfolioError: no run of that name made such a model.
    """
    every = models(kept, kind)
    made = next((each for each in every if each.run["run_id"] == run_id), None)
    if made is None:
        raise PortfolioError(_unknown(kind, run_id, every))
    source = made.run["source"]
    alike = [each for each in every if each.run["source"] == source and _when(each) <= _when(made)]
    before = next((each for each in alike if each is not made), None)
    return Context(
        kind=kind,
        made=made,
        read=reads(kept, run_id, str(source)),
        kept=kept,
        settings=settings,
        chosen=json.loads(made.run["settings_json"]),
        before=before,
        earlier=tuple(alike),
    )


def models(kept: Kept, kind: Kind) -> list[Made]:
    """Return every run that made a model of this kind, the latest first."""
    decided = _risk(kept) if kind == "risk" else _signal(kept)
    runs = [row for row in kept.rows(RUNS).to_pylist() if row["workload"] not in _MAKES_NO_MODEL]
    made = [Made(row, *decided[row["run_id"]]) for row in runs if row["run_id"] in decided]
    return sorted(made, key=_when, reverse=True)


def _risk(kept: Kept) -> dict[str, tuple[str, str]]:
    names = ("run_id", "model", "decision", "reason", "headline")
    rows = of_headline(kept.rows(narrowed(BACKTEST_VERDICTS, *names)).to_pylist())
    return {r["run_id"]: (r["decision"], r["reason"]) for r in rows if r["model"] == HEADLINE_MODEL}


def _signal(kept: Kept) -> dict[str, tuple[str, str]]:
    rows = kept.rows(narrowed(MODEL_DECISIONS, "run_id", "decision", "reason")).to_pylist()
    return {r["run_id"]: (r["decision"], r["reason"]) for r in rows}


def _when(made: Made) -> tuple[Any, ...]:
    return made.run["finished_at"] or _BEGINNING, made.run["run_id"]


def _unknown(kind: Kind, run_id: str, every: list[Made]) -> str:
    if not every:
        return f"Run {run_id} made no {kind} model, and no other run has; {to_make(kind)}."
    return f"Run {run_id} made no {kind} model; the latest that did is {every[0].run['run_id']}."


def to_make(kind: Kind) -> str:
    """Return what to run for a model of this kind, in words."""
    if kind == "risk":
        return "backtest one first: `portfolio run risk_stress_testing`"
    return "train one first: `portfolio run distributed_training`"
