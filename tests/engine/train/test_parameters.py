"""Hyperparameters from the settings, or from the newest search on the same prices that knew no later ones."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from acceleray.advice import TO_SEARCH
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import Model
from acceleray.stages.train.parameters import Chosen, deciding, parameters
from acceleray.tables import RUNS, TRIALS, TUNING_EVIDENCE, Table

AS_OF, HELD_BACK = date(2020, 6, 30), date(2018, 1, 2)
CHOSEN = {
    "rounds": 70,
    "max_depth": 4,
    "learning_rate": 0.1,
    "min_child_weight": 2.0,
    "subsample": 1.0,
    "colsample": 0.8,
    "reg_lambda": 3.0,
}


def search(run: Run, run_id: str, as_of: date, depth: int, source: str = "csv:x", finished: int = 1) -> None:
    """Commit a search that chose the second of two trials; `finished` 0 was killed before its end."""
    common = {"run_id": run_id, "as_of": as_of, "source": source}
    trials = [
        common
        | CHOSEN
        | {"trial": number, "max_depth": number * depth, "status": "completed", "chosen": number == 2}
        for number in (1, 2)
    ]
    commit(run, TRIALS, run_id, trials)
    if finished:
        commit(run, RUNS, run_id, [common | {"finished_at": datetime(2026, 1, finished, tzinfo=UTC)}])


def commit(run: Run, table: Table, run_id: str, rows: list[dict[str, Any]]) -> None:
    # What a search says of itself besides is its own business.
    plain = {"string": "x", "double": 0.5, "long": 1, "boolean": False}
    filled = [
        {c.name: None if c.nullable else plain.get(c.type) for c in table.columns} | row for row in rows
    ]
    run.lake.commit(table, pa.Table.from_pylist(filled, schema=table.arrow_schema), run_id)


@pytest.mark.nightly
def test_the_newest_finished_search_up_to_the_date_on_the_same_prices_is_taken(
    make_run: Callable[..., Run],
) -> None:
    def new(*more: str) -> Run:
        run = make_run("market_data.source=csv", "market_data.path=x.csv", *more)
        run.identify("load", AS_OF)
        return run

    assert parameters(new()) == Chosen(Model(), "model")
    assert deciding(new(), AS_OF) == ()
    tuned = new("train.parameters=tuned")
    line = f"no search has ended on csv:x up to 2020-06-30; run one first: {TO_SEARCH}"
    for ask in (lambda: parameters(tuned), lambda: deciding(tuned, AS_OF)):
        with pytest.raises(PortfolioError, match=line):
            ask()
    search(tuned, "future", date(2020, 7, 1), depth=9)
    search(tuned, "elsewhere", AS_OF, depth=8, source="csv:y")
    search(tuned, "killed", AS_OF, depth=7, finished=0)
    with pytest.raises(PortfolioError, match=line):
        parameters(tuned)
    search(tuned, "old", date(2019, 1, 1), depth=1, finished=9)
    search(tuned, "first", AS_OF, depth=2, finished=3)
    search(tuned, "again", AS_OF, depth=3, finished=4)
    # What the search saw decides on which dates its choice may be judged.
    with pytest.raises(PortfolioError, match=r"no row of search again, so its dates are unknown"):
        parameters(tuned)
    evidence = {"run_id": "again", "as_of": AS_OF, "holdout_first": HELD_BACK, "holdout_last": AS_OF}
    commit(tuned, TUNING_EVIDENCE, "again", [evidence | {"finding": "weak"}])
    found = parameters(tuned)
    assert found == Chosen(Model(**(CHOSEN | {"max_depth": 6})), "again", HELD_BACK)
    assert deciding(tuned, AS_OF) == ("again",)
    # A search says nothing of where its model is fitted; the run does.
    assert parameters(new("train.parameters=tuned", "model.device=cuda")).model.device == "cuda"
