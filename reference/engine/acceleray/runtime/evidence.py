"""Evidence: one row for the run, one for every table version it touched, one for every input from outside."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa

from acceleray.runtime.inputs import history, rows_of
from acceleray.runtime.run import Run
from acceleray.tables import RUN_INPUTS, RUN_TABLES, RUN_WORK, RUNS


def record(run: Run, model_uri: str = "") -> None:
    """Commit what the run read and wrote, and the address of the model it made or used.

    A run that changed nothing keeps the record of the run that did: its numbers come from those versions.
    """
    run.kept.wait()
    run.notices.commit()
    touches = list(run.touches)
    # The row in gold.runs is committed last: without it an earlier attempt was killed before it could finish.
    if not any(touch.changed for touch in touches) and run.rows(RUNS).num_rows:
        return
    identity = run.identity
    run.commit(RUN_WORK, run.kept.account())
    earlier = history(run.lake.looked_up, identity.run_id, run.lake.exists, run.version)
    run.commit(RUN_INPUTS, rows_of([*run.outside, *earlier]))
    last = {(t.stage, t.direction, t.table.label): t for t in touches}.values()
    run.commit(
        RUN_TABLES,
        pa.table(
            {
                "stage": [touch.stage for touch in last],
                "direction": [touch.direction for touch in last],
                "table_name": [touch.table.label for touch in last],
                "version": [touch.version for touch in last],
                "row_count": [touch.rows for touch in last],
                "fingerprint": [touch.fingerprint for touch in last],
            }
        ),
    )
    run.commit(
        RUNS,
        pa.table(
            {
                "workload": [run.workload],
                "source": [identity.source],
                "load_id": [identity.load_id],
                "seed": [run.settings.seed],
                "code_version": [identity.code_version],
                "settings_json": [json.dumps(run.settings.numbers(), sort_keys=True)],
                "model_uri": [model_uri],
                "mlflow_run_id": [run.tracker.run_id],
                "finished_at": [datetime.now(UTC)],
            }
        ),
    )
