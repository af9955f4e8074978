"""Who scores: the champion, or nobody where every model was refused; a step left out is still refused."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.governance.champion import features_contract
from acceleray.settings import Settings
from acceleray.stages.score.scorer import find_scorer

NAMES = ("momentum", "reversal")
AS_OF = date(2022, 12, 28)


class Decided:
    """A lake that knows decisions alone."""

    def __init__(self, decisions: list[dict[str, Any]]) -> None:
        self.decisions = decisions

    def exists(self, table: Any) -> bool:
        return bool(self.decisions)

    def rows(self, table: Any, where: str | None = None) -> pa.Table:
        return pa.Table.from_pylist(self.decisions)


def run_of(rows: list[dict[str, Any]]) -> Any:
    said: list[str] = []
    return SimpleNamespace(
        lake=Decided(rows),
        settings=Settings.model_validate({"project": {"name": "tests", "customer": "Tests"}}),
        source="sample",
        tracker=SimpleNamespace(client=None),
        project=SimpleNamespace(feature_names=lambda: NAMES),
        reporter=SimpleNamespace(say=said.append),
        said=said,
    )


def decided(decision: str, day: date) -> dict[str, Any]:
    return {
        "run_id": "train",
        "model_name": "signal",
        "model_version": 1,
        "model_uri": "models:/signal/1",
        "decision": decision,
        "effective_from": day,
        "features_contract": features_contract(NAMES, 21),
        "decided_at": day,
    }


def test_where_every_model_was_refused_nobody_scores_and_that_is_said() -> None:
    run = run_of([decided("refused", AS_OF)])
    found = find_scorer(run, AS_OF)
    assert (found.champion, found.model.content, found.model.uri) == (None, b"", "")
    assert found.identity == ("no champion",)
    (line,) = run.said
    assert line.strip().startswith("no scores, risk only: There is no champion of sample as of 2022-12-28")
    assert found.reason in line


def test_where_no_model_was_judged_a_step_was_left_out() -> None:
    with pytest.raises(PortfolioError, match="no champion of sample yet; train one first"):
        find_scorer(run_of([]), AS_OF)
    with pytest.raises(PortfolioError, match="the first is since 2022-12-28"):
        find_scorer(run_of([decided("promoted", AS_OF)]), date(2020, 1, 2))
