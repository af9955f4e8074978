"""The final model in one process; several processes are tested with the engine and with the workload."""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from acceleray.errors import PortfolioError
from acceleray.quant.bins import binned
from acceleray.quant.boosting import fit, saved
from acceleray.quant.examples import Examples
from acceleray.runtime.notices import Notices
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import NOTHING_ADDED
from acceleray.settings import Model, Settings, Train
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.train import fitting
from acceleray.stages.train.alone import FINAL, TrainingRows, fit_alone
from acceleray.stages.train.fitting import final_dates, fit_final
from train.panels import SEED, examples

MODEL = Model(rounds=20)
EVERY_DAY = "train.refit_every_d=1"


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


class Shelf(dict[str, bytes]):
    """Kept work in memory."""

    def find(self, kind: Any, key: str) -> bytes | None:
        return self.get(key)

    def take(self, kind: Any, key: str) -> Any:
        return kind.decode(self[key])

    def add(self, kind: Any, key: str, result: Any) -> None:
        self[key] = kind.encode(result)

    def save(self, kind: Any) -> None:
        assert kind is FINAL


class Alone:
    """What fitting needs of a run, without Spark and Ray."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.project = NOTHING_ADDED
        self.fan_out = Here()
        self.kept = Shelf()
        self.said = io.StringIO()
        self.reporter = Reporter(Console(file=self.said, width=200))
        self.last_stage, self.notices = "Train the signal model (Ray)", Notices(self)


def run(settings: Callable[..., Settings], *more: str) -> Any:
    return Alone(settings(f"seed={SEED}", *more))


def test_in_one_process_the_model_is_that_of_the_rows_in_order(settings: Callable[..., Settings]) -> None:
    panel = examples(0.3)
    found = fit_final(run(settings, EVERY_DAY), panel, MODEL, distributed=False)
    assert found.content == saved(fit(binned(panel.features), panel.target, FEATURE_NAMES, MODEL, SEED))
    assert found.shards == 1
    assert math.isnan(found.difference)
    again = fit_final(run(settings, EVERY_DAY, "train.shards=1"), panel, MODEL, distributed=True)
    assert (again.content, again.sha256) == (found.content, found.sha256)


def by_instrument(panel: Examples) -> Examples:
    """Return the examples in the order of those of a run: a new date comes between the rows of two."""
    order = np.lexsort((panel.date, panel.instrument))
    names = ("features", "target", "forward_return", "date", "instrument")
    return replace(panel, **{name: getattr(panel, name)[order] for name in names})


def first(panel: Examples, dates: int) -> Examples:
    """Return the examples of the first dates."""
    rows = panel.within(slice(0, dates))
    own = {name: getattr(panel, name)[rows] for name in ("features", "target", "forward_return", "date")}
    return replace(panel, **own, instrument=panel.instrument[rows], dates=panel.dates[:dates])


def test_a_new_date_leaves_the_final_model_as_it_was_until_it_is_fitted_again(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few rows at a time have the digests of many.
    monkeypatch.setattr(fitting, "_TOGETHER", 1000)
    panel, alone = (
        by_instrument(examples(0.3)),
        run(settings, "train.refit_every_d=100", "train.minimum_train_d=300"),
    )
    assert len(panel.dates) >= 500
    whole = fit_final(run(settings, EVERY_DAY), first(panel, 400), MODEL, distributed=False)
    monday = fit_final(alone, first(panel, 450), MODEL, distributed=False)
    assert (monday.content, monday.dates) == (whole.content, 400)
    said = alone.said.getvalue()
    left = f"labels up to {panel.dates[399]}; 50 newer dates left to the next fit"
    assert left in said
    assert left in alone.notices.lines[0]
    with monkeypatch.context() as none:
        # Nothing is fitted on Tuesday.
        none.setattr(Here, "map", None)
        tuesday = fit_final(alone, first(panel, 451), MODEL, distributed=False)
    assert (tuesday.content, tuesday.dates, math.isnan(tuesday.seconds)) == (whole.content, 400, True)
    later = fit_final(alone, first(panel, 500), MODEL, distributed=False)
    assert (later.dates, later.content != whole.content) == (500, True)
    # A corrected feature or another setting is another model.
    moved = first(panel, 451)
    moved.features[7, 3] += 0.01
    fit_final(alone, moved, MODEL, distributed=False)
    fit_final(alone, first(panel, 451), MODEL.model_copy(update={"rounds": 21}), distributed=False)
    assert len(alone.kept) == 4


@pytest.mark.parametrize(("dates", "found"), [(1000, 987), (987, 987), (990, 987), (980, 980), (0, 0)])
def test_the_final_model_is_fitted_on_a_multiple_of_dates_unless_they_are_few(dates: int, found: int) -> None:
    assert final_dates(Train(refit_every_d=21, minimum_train_d=981), dates) == found


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
