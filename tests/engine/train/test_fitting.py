"""The final model in one process; several processes are tested with the engine and with the workload."""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from acceleray.errors import PortfolioError
from acceleray.quant.bins import binned
from acceleray.quant.boosting import fit, saved
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import NOTHING_ADDED
from acceleray.settings import Model, Settings
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.train.fitting import TrainingRows, fit_alone, fit_final
from train.panels import SEED, examples

MODEL = Model(rounds=20)


class Here:
    """Runs tasks in this process."""

    workers = 2

    def on(self, device: str) -> "Here":
        return self

    def share(self, value: Any) -> Any:
        return value

    held = share

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any],
        *done: Any,
        **fixed: Any,
    ) -> Iterator[Any]:
        return (function(task, *shared, **fixed) for task in tasks)


class Alone:
    """What fitting needs of a run, without Spark and Ray."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.project = NOTHING_ADDED
        self.fan_out = Here()
        self.said = io.StringIO()
        self.reporter = Reporter(Console(file=self.said, width=200))


def run(settings: Callable[..., Settings], *more: str) -> Any:
    return Alone(settings(f"seed={SEED}", *more))


def test_in_one_process_the_model_is_that_of_the_rows_in_order(settings: Callable[..., Settings]) -> None:
    panel = examples(0.3)
    found = fit_final(run(settings), panel, MODEL, distributed=False)
    assert found.content == saved(fit(binned(panel.features), panel.target, FEATURE_NAMES, MODEL, SEED))
    assert found.shards == 1
    assert math.isnan(found.difference)
    again = fit_final(run(settings, "train.shards=1"), panel, MODEL, distributed=True)
    assert (again.content, again.sha256) == (found.content, found.sha256)


def test_drawing_rows_needs_one_process_and_says_so(settings: Callable[..., Settings]) -> None:
    alone = run(settings, "train.shards=4")
    found = fit_final(alone, examples(0.3), MODEL.model_copy(update={"subsample": 0.5}), distributed=True)
    assert found.shards == 1
    assert (
        "subsample 0.5 would draw other rows on each shard: trained in one process" in alone.said.getvalue()
    )


def test_a_model_that_differs_is_found_to_differ_by_its_largest_difference() -> None:
    panel = examples(0.3)
    rows = TrainingRows(binned(panel.features), panel.target)
    mine, _, nothing = fit_alone(MODEL, rows, SEED, FEATURE_NAMES)
    assert math.isnan(nothing)
    assert fit_alone(MODEL, rows, SEED, FEATURE_NAMES, mine)[2] == 0.0
    shuffled = TrainingRows(rows.features, np.random.default_rng(1).permutation(rows.target))
    other, _, _ = fit_alone(MODEL, shuffled, SEED, FEATURE_NAMES)
    assert fit_alone(MODEL, rows, SEED, FEATURE_NAMES, other)[2] > 0.01


def test_more_shards_than_gpus_are_refused_before_anything_is_fitted(
    settings: Callable[..., Settings],
) -> None:
    on_gpu = MODEL.model_copy(update={"device": "cuda"})
    with pytest.raises(PortfolioError, match=r"train\.shards is 3, .* there are 2; lower train\.shards to 2"):
        fit_final(run(settings, "train.shards=3"), examples(0.3), on_gpu, distributed=True)
