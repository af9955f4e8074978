"""From evidence to a decision: the champion it is compared with, what is committed, what MLflow is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pyarrow as pa

from acceleray.governance.champion import Decision, champion_as_of, decisions, trained_by
from acceleray.governance.registry import RegisteredModel, mirror_decision
from acceleray.runtime.run import Run
from acceleray.settings import Model
from acceleray.stages.train.gate import Comparison, Evidence, Verdict
from acceleray.stages.train.parameters import Chosen, unseen_from
from acceleray.tables import MODEL_DECISIONS, TRAINING

# The newest state there is: later than any as-of date.
LATEST = date.max
_FILLED_BY_THE_RUN = ("run_id", "as_of", "source")


def reigning(run: Run, contract: str) -> tuple[Decision, Chosen] | None:
    """Return the champion as of the run's date, its hyperparameters and where they come from.

    None if there is no champion, if it was trained on other features, or if how it was trained is not known
    any more: then there is nothing that could be compared.
    """
    others = [row for row in decisions(run.lake, run.source) if row["run_id"] != run.identity.run_id]
    found = champion_as_of(others, run.as_of)
    if found is None or found["features_contract"] != contract or not run.lake.exists(TRAINING):
        return None
    trained = run.lake.rows(TRAINING, trained_by(others, found)).to_pylist()
    if not trained:
        return None
    # It is refitted together with the challenger, on the same device.
    known = json.loads(trained[0]["parameters_json"]) | {"device": run.settings.model.device}
    origin = trained[0]["parameters_from"]
    return found, Chosen(Model(**known), origin, unseen_from(run.lake, origin))


def decided_before(run: Run, model: RegisteredModel) -> Decision | None:
    """Return what an earlier attempt at this run decided about this version, or None.

    A decision is made once: by the time a run is repeated its own model may be the champion.
    """
    for row in decisions(run.lake, run.source):
        if row["run_id"] == run.identity.run_id and row["model_uri"] == model.uri:
            return row
    return None


def commit_decision(
    run: Run, model: RegisteredModel, contract: str, verdict: Verdict, found: Evidence
) -> None:
    """Commit a decision on a version, effective from the run's as-of date."""
    versus: Comparison | None = found.comparison
    commit_decisions(
        run,
        [
            {
                "model_name": model.name,
                "model_version": model.version,
                "model_uri": model.uri,
                "decision": verdict.decision,
                "effective_from": run.as_of,
                "features_contract": contract,
                "rank_ic": found.rank_ic,
                "rank_ic_t": found.rank_ic_t,
                "rank_ic_lower": found.rank_ic_lower,
                "unseen_from": found.unseen_from,
                "compared_with": versus.version if versus else None,
                "rank_ic_difference": versus.difference if versus else None,
                "rank_ic_difference_t": versus.t if versus else None,
                "rank_ic_difference_lower": versus.lower if versus else None,
                "reason": verdict.reason,
            }
        ],
    )


def commit_decisions(run: Run, rows: Sequence[Decision]) -> None:
    """Commit all decisions of a run, stamped with the present time."""
    now = datetime.now(UTC)
    schema = pa.schema(f for f in MODEL_DECISIONS.arrow_schema if f.name not in _FILLED_BY_THE_RUN)
    run.commit(MODEL_DECISIONS, pa.Table.from_pylist([{**row, "decided_at": now} for row in rows], schema))


def mirror(run: Run, name: str, version: int) -> int | None:
    """Tell MLflow what the table says of a version and who is champion now, and return that version."""
    rows = [row for row in decisions(run.lake, run.source) if row["model_name"] == name]
    champion = champion_as_of(rows, LATEST)
    last = [row for row in rows if row["model_version"] == version][-1]
    number = int(champion["model_version"]) if champion is not None else None
    mirror_decision(run.tracker.client, name, version, last["decision"], last["effective_from"], number)
    return number
