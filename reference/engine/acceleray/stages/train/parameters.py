"""Which hyperparameters the model is trained with: those of the settings, or those a search chose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from acceleray.advice import TO_SEARCH
from acceleray.engines.delta.lake import Lake
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Model
from acceleray.tables import RUNS, TRIALS, TUNING_EVIDENCE
from acceleray.tables.contract import literal

SETTINGS = "model"


@dataclass(frozen=True)
class Chosen:
    """Hyperparameters, and where they come from: `model`, or the run_id of a search.

    `unseen_from` is the first date that the search never saw, None where none chose them.
    """

    model: Model
    origin: str
    unseen_from: date | None = None


def parameters(run: Run) -> Chosen:
    """Return the hyperparameters of a run that knows its as-of date.

    Raises:
        PortfolioError: they are to come from a search, and there is none, or what it saw is not known.
    """
    if run.settings.train.parameters == "model":
        return Chosen(run.settings.model, SETTINGS)
    found = _searched(run.lake, run.source, run.as_of)
    # Tuned parameters are fitted on the device of this run.
    device = {"device": run.settings.model.device}
    seen = unseen_from(run.lake, found.origin)
    if seen is None:
        raise PortfolioError(
            f"gold.tuning_evidence has no row of search {found.origin}, so its dates are unknown; "
            f"search again: {TO_SEARCH}, or set train.parameters=model."
        )
    return Chosen(found.model.model_copy(update=device), found.origin, seen)


def unseen_from(lake: Lake, origin: str) -> date | None:
    """Return the first date that a search never saw; None if it is not known, or settings were no search.

    It is the first of the search's holdout: before it lie the dates by which it chose, and those that their
    labels look into. On them its choice is the best of many, so they prove nothing about it.
    """
    if origin == SETTINGS or not lake.exists(TUNING_EVIDENCE):
        return None
    rows = lake.rows(TUNING_EVIDENCE, origin, columns=("holdout_first",)).to_pylist()
    return rows[0]["holdout_first"] if rows else None


def deciding(run: Run, as_of: date) -> tuple[str, ...]:
    """Return what belongs to a run's identity besides its settings: the search it takes its parameters from.

    Raises:
        PortfolioError: they are to come from a search, and there is none.
    """
    if run.settings.train.parameters == "model":
        return ()
    return (_searched(run.lake, run.source, as_of).origin,)


def _searched(lake: Lake, source: str, as_of: date) -> Chosen:
    none = PortfolioError(
        f"train.parameters=tuned, but no search has ended on {source} up to {as_of}; run one first: "
        f"{TO_SEARCH}, or set train.parameters=model."
    )
    if not (lake.exists(TRIALS) and lake.exists(RUNS)):
        raise none
    # A search that was killed has no row in gold.runs, so it is not taken.
    runs = lake.read(RUNS).where(f"source = {literal(source)} AND as_of <= DATE'{as_of}'")
    chosen = lake.read(TRIALS).where("chosen").join(runs.select("run_id", "finished_at"), "run_id")
    rows = sorted(chosen.toArrow().to_pylist(), key=lambda row: (row["as_of"], row["finished_at"]))
    if not rows:
        raise none
    newest = rows[-1]
    return Chosen(
        Model(**{name: newest[name] for name in Model.model_fields if name != "device"}),
        newest["run_id"],
    )
