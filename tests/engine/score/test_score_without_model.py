"""A book of one or two instruments has its risk; that there is no signal model is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.governance.registry import RegisteredModel
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run
from acceleray.stages.train import stage
from acceleray.stages.train.stage import Trained, train
from acceleray.stages.train.validation import Validation
from acceleray.tables import FEATURE_IMPORTANCE, SIGNAL_TARGETS, SIGNAL_VALIDATION, TRAINING

TABLES = (SIGNAL_VALIDATION, SIGNAL_TARGETS, TRAINING, FEATURE_IMPORTANCE)


class Kept:
    """A run that remembers what it was told."""

    def __init__(self, settings: Any) -> None:
        self.settings, self.said, self.rows = settings, [], {}
        self.reporter = self

    def say(self, line: str) -> None:
        self.said.append(line)

    def commit(self, table: Any, rows: Any) -> None:
        self.rows[table.label] = rows.num_rows


def examples(instruments: int) -> Examples:
    nothing: Any = np.empty(0)
    names = tuple(f"N{number}" for number in range(instruments))
    return Examples(nothing, nothing, nothing, nothing, nothing, nothing, names)


@pytest.mark.parametrize("instruments", [0, 1, 2])
def test_with_too_few_instruments_training_is_left_out_and_says_so(
    instruments: int, settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Run | Any = Kept(settings())
    monkeypatch.setattr(stage, "load_examples", lambda run, **how: examples(instruments))
    found = train(run)
    assert (found.model.uri, found.model.content, found.decision) == ("", b"", "left out")
    assert f"and {instruments} with known labels are too few: 3 are needed" in run.said[0]
    assert run.rows == {table.label: 0 for table in TABLES}
    with pytest.raises(PortfolioError, match=r"No signal model: .* provide prices of more instruments\."):
        train(run, distributed=True)


@pytest.mark.parametrize(
    ("decision", "scores"), [("promoted", True), ("refused", False), ("left out", False)]
)
def test_only_a_model_that_the_gate_promoted_scores(decision: str, scores: bool) -> None:
    model = RegisteredModel("models:/x/1", b"trees", "x", 1)
    found = Trained(model, decision, "why", Validation((), (), 21), 0.0, None, Path())
    assert bool(found.scoring.content) == bool(found.scoring.uri) == scores
