"""Answers that are kept: rows of gold.what_if under the run that was asked about."""

from __future__ import annotations

import hashlib
import json

import pyarrow as pa

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.reader import reader
from acceleray.engines.handoff.arrays import with_constants
from acceleray.engines.processes.lock import run_lock
from acceleray.engines.profiles import spark_alone
from acceleray.settings import Settings
from acceleray.stages.what_if.answer import Answer
from acceleray.stages.what_if.base import Base, literal
from acceleray.tables import WHAT_IF


def question_id(answer: Answer) -> str:
    """Return what identifies a question: asked again of the same run, it has the same."""
    asked = {
        "portfolio": answer.portfolio_id,
        "trades": {each.instrument_id: each.weight for each in answer.trades},
        "hedges": list(answer.hedges),
        "scenarios": [each.scenarios for each in answer.horizons],
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def keep(settings: Settings, base: Base, answer: Answer) -> str:
    """Add an answer to gold.what_if, where it replaces one to the same question, and return its id.

    Raises:
        PortfolioError: a run is at work, or Spark cannot be started.
    """
    asked = question_id(answer)
    constants = {"run_id": base.run_id, "as_of": base.as_of}
    rows = with_constants(answer.rows(asked), WHAT_IF, constants).select(WHAT_IF.column_names)
    rows = rows.cast(WHAT_IF.arrow_schema)
    with run_lock(settings.machine_dir):
        with reader(settings) as tables:
            if tables.exists(WHAT_IF):
                others = base.rows(tables, WHAT_IF, where=f"question_id <> {literal(asked)}")
                rows = pa.concat_tables([others.cast(WHAT_IF.arrow_schema), rows])
        with spark_alone(settings) as session:
            Lake(session, settings).commit(WHAT_IF, rows, base.run_id)
    return asked
