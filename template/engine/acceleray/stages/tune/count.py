"""How much was tried on the same prices before: a search that is repeated until it pleases is one search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acceleray.runtime.run import Run
from acceleray.tables import RUNS, TUNING_EVIDENCE
from acceleray.tables.contract import literal


def tried_before(run: Run) -> int:
    """Return how many candidates searches that ended before this one tried on the run's price source.

    Prices grow by a day and are corrected, and the history that a search looks at stays nearly the same, so
    all searches on a source count, whatever their date, settings or code. They are rows of gold tables, and
    so the count outlives runs and machines. A run that is repeated counts what it counted first.
    """
    lake = run.lake
    if not (lake.exists(TUNING_EVIDENCE) and lake.exists(RUNS)):
        return 0
    ended = lake.rows(RUNS, where=f"source = {literal(run.source)}", columns=("run_id",))
    evidence = lake.rows(TUNING_EVIDENCE).to_pylist()
    return counted(evidence, set(ended["run_id"].to_pylist()), run.identity.run_id)


def counted(evidence: Sequence[Mapping[str, Any]], ended: set[str], run_id: str) -> int:
    """Return the candidates of all searches that have ended but this one.

    Args:
        evidence: rows of gold.tuning_evidence; those of releases before 0.3.0 know their trials alone.
        ended: run_id of whatever has ended on the same prices.
        run_id: of this search; what it counted the first time stands.
    """
    for row in evidence:
        if row["run_id"] == run_id and row.get("tried_before") is not None:
            return int(row["tried_before"])
    others = [row for row in evidence if row["run_id"] in ended and row["run_id"] != run_id]
    return sum(int(row.get("tried") or row["trials"]) for row in others)
