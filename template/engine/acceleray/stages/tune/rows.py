"""Results of a search, as rows of its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from acceleray.engines.ray.proposals import Trial
from acceleray.stages.tune.leakage import Check
from acceleray.stages.tune.selection import Holdout, Worth
from acceleray.stages.tune.space import SPACE
from acceleray.stages.tune.trial import Judged
from acceleray.stages.tune.verdict import Verdict
from acceleray.tables import LEAKAGE_CHECKS, TRIAL_PROGRESS, TRIALS, TUNING_EVIDENCE, Table


def trial_rows(
    trials: Sequence[Trial],
    judged: Mapping[int, Judged],
    chosen: int | None,
    first: Mapping[str, float],
    patience: int,
) -> pa.Table:
    """Return one row for each trial; `first` is what the model section of the settings says."""
    rows = []
    for trial in trials:
        assert trial.fate is not None
        at_best, best = judged.get(trial.number), trial.best
        parameters: dict[str, object] = {name: trial.parameters[name] for name in SPACE}
        rows.append(
            parameters
            | {
                "trial": trial.number,
                "proposed_by": "settings" if trial.parameters == dict(first) else "optuna",
                "status": trial.fate.status,
                "chosen": trial.number == chosen,
                "rounds": best.rounds if at_best and best else None,
                "rounds_spent": trial.fate.rounds,
                "rank_ic": at_best.rank_ic if at_best else None,
                "rank_ic_t": at_best.rank_ic_t if at_best else None,
                "sharpe": at_best.sharpe if at_best else None,
                "reason": trial.reason or _why_stopped(trial, patience),
            }
        )
    return _table(TRIALS, rows)


def progress_rows(trials: Sequence[Trial]) -> pa.Table:
    """Return one row for each report."""
    return _table(
        TRIAL_PROGRESS,
        [
            {"trial": trial.number, "rounds": report.rounds, "rank_ic": report.value}
            for trial in trials
            for report in trial.reports
        ],
    )


def evidence_rows(
    trials: Sequence[Trial],
    full: int,
    searched_last: date,
    chosen: Judged,
    worth: Worth,
    held: Holdout,
    verdict: Verdict,
) -> pa.Table:
    """Return the one row of a search.

    `full` is the rounds of a trial that is not stopped, `searched_last` the last date by whose label trials
    were judged.
    """
    status = [trial.fate.status for trial in trials if trial.fate]
    spent = [trial.fate.rounds for trial in trials if trial.fate]
    row = {
        "trials": len(trials),
        "completed": status.count("completed"),
        "stopped": status.count("stopped"),
        "failed": status.count("failed"),
        "rounds_spent": sum(spent),
        "rounds_full": full * len(trials),
        "validation_rank_ic": chosen.rank_ic,
        "holdout_first": held.first,
        "holdout_last": held.last,
        "holdout_rank_ic": held.rank_ic,
        "holdout_rank_ic_t": held.rank_ic_t,
        "holdout_rank_ic_p": held.rank_ic_p,
        "periods": worth.periods,
        "sharpe": chosen.sharpe,
        "expected_maximum_sharpe": worth.expected_maximum_sharpe,
        "deflated_sharpe": worth.deflated_sharpe,
        "overfitting": worth.overfitting,
        "overfitting_blocks": worth.blocks,
        "searched_last": searched_last,
        "tried": worth.tried,
        "tried_before": worth.tried_before,
        "finding": verdict.finding,
        "verdict": verdict.words,
    }
    return _table(TUNING_EVIDENCE, [row])


def leakage_rows(checks: Sequence[Check]) -> pa.Table:
    """Return one row for each check."""
    return _table(
        LEAKAGE_CHECKS,
        [
            {
                "subject": check.subject,
                "check_name": check.name,
                "value": check.value if np.isfinite(check.value) else None,
                "maximum": check.maximum,
                "suspected": check.suspected,
                "reason": check.reason,
            }
            for check in checks
        ],
    )


def _why_stopped(trial: Trial, patience: int) -> str | None:
    if trial.fate is None or trial.fate.status != "stopped" or trial.best is None:
        return None
    rounds = trial.fate.rounds
    if rounds - trial.best.rounds >= patience:
        return f"no better for {patience} rounds"
    return f"not among the best at {rounds} rounds"


def _table(table: Table, rows: list[dict[str, object]]) -> pa.Table:
    given = [field for field in table.arrow_schema if field.name not in {"run_id", "as_of"}]
    return pa.Table.from_pylist(rows, pa.schema(given))
