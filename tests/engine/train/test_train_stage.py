"""Training from examples to the verdict in one process: what a search saw is in no number that is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.governance.registry import RegisteredModel
from acceleray.quant.examples import Examples
from acceleray.quant.targets import OtherTargets
from acceleray.runtime.kept_work import Kind
from acceleray.settings import Model
from acceleray.stages.train import stage
from acceleray.stages.train.gate import Evidence
from acceleray.stages.train.parameters import Chosen
from acceleray.stages.train.stage import Trained, train
from acceleray.tables import SIGNAL_TARGETS, SIGNAL_VALIDATION
from train.panels import DATES, HORIZON_D, SEED, examples

MINE, THEIRS = Model(rounds=30), Model(rounds=30, max_depth=1)


class InProcess:
    """A run whose fan-out is a loop, and which keeps what was committed."""

    def __init__(self, settings: Any) -> None:
        self.settings, self.rows = settings, {}
        self.fan_out = self.reporter = self.kept = self
        self.project = SimpleNamespace(
            feature_names=lambda: tuple(f"f{place}" for place in range(14)), own_gate_rules=lambda gate: ()
        )

    def on(self, device: str) -> InProcess:
        return self

    def share(self, value: Any) -> Any:
        return value

    held = share

    def counter(self, count: int, what: str) -> Callable[..., None]:
        return lambda *done: None

    def map(self, function: Any, *given: Any) -> Iterator[Any]:
        if isinstance(function, Kind):
            # Kept work is asked for by keys.
            function, given = function.function, given[1:]
        tasks, shared = given[:2]
        return (function(task, *shared) for task in tasks)

    def commit(self, table: Any, rows: Any) -> None:
        self.rows[table.label] = rows.to_pylist()


@pytest.fixture
def trained(
    settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Trained, Evidence, InProcess]]:
    """Return a function that trains on a planted signal, with hyperparameters from a search or not."""

    def run(chosen: Chosen, champion: Chosen | None = None) -> tuple[Trained, Evidence, InProcess]:
        here: Any = InProcess(
            settings(
                *(f"features.horizon_d={HORIZON_D}", f"seed={SEED}", "leakage.maximum_rank_ic=0.9"),
                *("train.minimum_train_d=400", "train.folds=2"),
            )
        )
        panel, kept = examples(0.3), []
        reigns = None if champion is None else ({"model_version": 3}, champion)
        final = SimpleNamespace(difference=0.0, content=b"")
        replaced = {
            "load_examples": lambda run, **how: panel,
            "parameters": lambda run: chosen,
            "load_other_targets": others,
            "reigning": lambda run, contract: reigns,
            "fit_final": lambda *given: final,
            "_register": lambda *given: RegisteredModel("models:/x/4", b"trees", "x", 4),
            "_training_rows": lambda *given: SIGNAL_TARGETS.arrow_schema.empty_table(),
            "_importance": lambda *given: SIGNAL_TARGETS.arrow_schema.empty_table(),
            "decided_before": lambda run, model: None,
            "commit_decision": lambda run, model, contract, verdict, found: kept.append(found),
            "mirror": lambda *given: None,
            "forget_checkpoints": lambda *given: None,
            "card": SimpleNamespace(write=lambda *given: Path()),
        }
        for name, value in replaced.items():
            monkeypatch.setattr(stage, name, value)
        done = train(here)
        return done, kept[0], here

    return run


def others(run: Any, panel: Examples) -> OtherTargets:
    return OtherTargets(panel.forward_return / 0.01, np.full(panel.target.size, np.nan))


def day(position: int) -> Any:
    return examples(0.3).dates[position].item()


def test_of_tuned_parameters_only_dates_after_the_search_are_tested(trained: Callable[..., Any]) -> None:
    done, found, run = trained(Chosen(MINE, "search", day(550)))
    tested = run.rows[SIGNAL_VALIDATION.label]
    assert min(row["test_first"] for row in tested) == day(550)
    assert (found.dates, found.unseen_from) == (DATES - 550, day(550))
    assert done.decision == "promoted"
    assert f"over 150 dates from {day(550)} on, which the search never saw, has" in done.reason
    _, every, _ = trained(Chosen(MINE, "model"))
    assert (every.dates, every.unseen_from) == (DATES - 400 - HORIZON_D - 5, None)


@pytest.mark.parametrize("left", [0, 1, 44])
def test_too_few_dates_after_the_search_refuse_in_words(trained: Callable[..., Any], left: int) -> None:
    seen = day(DATES - left) if left else day(DATES - 1).replace(year=1999)
    done, found, _ = trained(Chosen(MINE, "search", seen))
    assert (done.decision, found.dates) == ("refused", left)
    assert f"{left} dates from {seen} on, which the search never saw, are too few" in done.reason
    assert "an interval needs 45" in done.reason
    assert not done.scoring.content


def test_the_champion_is_compared_on_dates_that_neither_search_saw(trained: Callable[..., Any]) -> None:
    _, found, _ = trained(Chosen(MINE, "search", day(500)), Chosen(THEIRS, "older", day(600)))
    assert (found.dates, found.comparison.dates) == (200, 100)
    done, found, _ = trained(Chosen(MINE, "model"), Chosen(MINE, "older", day(600)))
    assert found.comparison.same
    assert (done.decision, done.scoring.version) == ("promoted", 4)


def test_the_same_scores_are_held_against_other_targets(trained: Callable[..., Any]) -> None:
    _, found, run = trained(Chosen(MINE, "model"))
    rank, scaled, residual = run.rows[SIGNAL_TARGETS.label]
    assert (rank["target"], rank["gated"]) == ("rank", True)
    assert (rank["rank_ic"], rank["rank_ic_lower"]) == (found.rank_ic, found.rank_ic_lower)
    # One volatility for all leaves the order of returns, and so their rank IC, as it is.
    assert scaled["rank_ic"] == pytest.approx(rank["rank_ic"])
    assert (residual["dates"], scaled["gated"]) == (0, False)
