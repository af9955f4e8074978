import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.quant.boosting import fit, predict
from acceleray.quant.examples import Examples
from acceleray.quant.validation import WalkForwardFold, purged_walk_forward
from acceleray.settings import Model, Settings
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.train.validation import (
    FoldScore,
    FoldTask,
    Validation,
    first_unseen,
    fit_fold,
    score_fold,
    validate,
    validation_rows,
    walk_forward,
)
from train.panels import DATES, HORIZON_D, NAMES, SEED, examples

MODEL = Model(rounds=40)


def task(fold: WalkForwardFold, cost_bp: float = 10.0) -> FoldTask:
    return FoldTask(fold, FEATURE_NAMES, MODEL, SEED, HORIZON_D, cost_bp)


def scored(one: FoldTask, panel: Examples) -> FoldScore:
    return score_fold(replace(one, content=fit_fold(one, panel)), panel)


def scores(panel: Examples) -> list[FoldScore]:
    return [scored(task(fold), panel) for fold in purged_walk_forward(DATES, 2, 400, HORIZON_D, 5)]


def test_a_planted_signal_is_found_out_of_sample() -> None:
    for score in scores(examples(0.3)):
        assert score.rank_ic > 0.3
        assert score.rank_ic_t > 10
        assert score.r2 > 0.05
        # The forward return is a tenth of the target, which lies between -0.5 and 0.5.
        assert 0.02 < score.quantile_spread < 0.1


def test_on_shuffled_labels_nothing_is_found() -> None:
    panel = examples(0.3)
    shuffled = np.random.default_rng(8).permutation(panel.target)
    for score in scores(replace(panel, target=shuffled, forward_return=0.1 * shuffled)):
        # Two test blocks of 145 dates and 15 names: the standard error of the mean rank IC is about 0.022.
        assert abs(score.rank_ic) < 0.08
        assert score.r2 < 0.02
        assert abs(score.quantile_spread) < 0.02


def test_labels_of_test_dates_do_not_reach_the_model_of_their_fold() -> None:
    panel = examples(0.3)
    fold = WalkForwardFold(slice(0, 400), slice(410, 500))
    changed = np.where(panel.within(slice(400, DATES)), 99.0, panel.target)
    rows = panel.within(fold.train_dates)
    models = [
        fit(panel.features[rows], target[rows], FEATURE_NAMES, MODEL, SEED)
        for target in (panel.target, changed)
    ]
    before, after = (predict(model, panel.features, FEATURE_NAMES) for model in models)
    np.testing.assert_array_equal(before, after)
    honest = scored(task(fold), panel)
    leaky = scored(task(WalkForwardFold(slice(0, 500), slice(410, 500))), panel)
    assert leaky.rank_ic > honest.rank_ic
    assert (honest.train_rows, honest.test_rows) == (400 * NAMES, 90 * NAMES)


def test_trading_costs_are_taken_off_the_spread_by_what_is_traded() -> None:
    fold = WalkForwardFold(slice(0, 400), slice(410, 500))
    free, dear = (scored(task(fold, cost_bp), examples(0.3)) for cost_bp in (0.0, 50.0))
    assert free.net_spread == free.quantile_spread
    # Features are drawn anew each day, so of a book of three out of fifteen a fifth stays by chance.
    assert 0.6 < free.turnover < 0.95
    # 50 basis points, four times the turnover: what is replaced is sold and bought, on two sides of one unit.
    assert dear.net_spread == pytest.approx(free.quantile_spread - 0.005 * 4 * free.turnover)


def test_the_mean_rank_ic_weighs_dates_and_not_folds() -> None:
    folds = (WalkForwardFold(slice(0, 5), slice(5, 8)), WalkForwardFold(slice(0, 8), slice(8, 9)))
    one = scored(task(WalkForwardFold(slice(0, 400), slice(410, 500))), examples(0.3))
    daily = np.array([0.1, np.nan, 0.3]), np.array([0.8])
    found = Validation(folds, tuple(replace(one, daily=values) for values in daily), HORIZON_D)
    assert found.rank_ic == pytest.approx(0.4)


def test_the_rows_say_which_dates_were_trained_on_and_tested() -> None:
    panel = examples(0.3)
    folds = tuple(purged_walk_forward(DATES, 2, 400, HORIZON_D, 5))
    found = Validation(folds, tuple(scores(panel)), HORIZON_D)
    for row, fold in zip(validation_rows(panel, found).to_pylist(), folds, strict=True):
        assert np.datetime64(row["train_first"]) == panel.dates[0]
        assert np.datetime64(row["train_last"]) == panel.dates[fold.train_dates.stop - 1]
        assert np.datetime64(row["test_first"]) == panel.dates[fold.test_dates.start]
        # Purged over the horizon and embargoed for five days more.
        assert (row["test_first"] - row["train_last"]).days == HORIZON_D + 5 + 1


def settings(**train: Any) -> Settings:
    return Settings.model_validate(
        {"project": {"name": "tests", "customer": "Tests"}, "train": {"minimum_train_d": 400, **train}}
    )


def test_dates_that_a_search_saw_are_trained_on_and_never_tested() -> None:
    panel = examples(0.3)
    first = first_unseen(panel, panel.dates[500].item())
    assert first == 500
    folds = walk_forward(settings(folds=3), DATES, first)
    assert (folds[0].test_dates.start, folds[-1].test_dates.stop, len(folds)) == (500, DATES, 3)
    # The gap before the first tested date is that of the settings, horizon and embargo.
    assert folds[0].train_dates.stop == 500 - 21 - 5
    # A search that saw less than the first fold trains on changes nothing.
    assert walk_forward(settings(), DATES, 100) == walk_forward(settings(), DATES)
    assert first_unseen(panel, None) == 0


def test_where_a_search_leaves_few_dates_there_are_fewer_folds_and_no_crash() -> None:
    assert len(walk_forward(settings(folds=5), DATES, DATES - 2)) == 2
    assert walk_forward(settings(folds=5), DATES, DATES) == []
    panel = examples(0.3)
    assert first_unseen(panel, date(2100, 1, 1)) == DATES
    none = Validation((), (), HORIZON_D)
    assert math.isnan(none.rank_ic)
    assert math.isnan(none.rank_ic_lower(0.95))
    assert none.dates == none.since(3).size == validation_rows(panel, none).num_rows == 0


def test_the_dates_since_a_day_are_those_from_its_position_on() -> None:
    folds = (WalkForwardFold(slice(0, 5), slice(8, 11)), WalkForwardFold(slice(0, 8), slice(11, 12)))
    one = scored(task(WalkForwardFold(slice(0, 400), slice(410, 500))), examples(0.3))
    daily = np.array([0.1, 0.2, 0.3]), np.array([0.4])
    found = Validation(folds, tuple(replace(one, daily=values) for values in daily), HORIZON_D)
    assert list(found.since(0)) == list(found.since(8)) == [0.1, 0.2, 0.3, 0.4]
    assert list(found.since(10)) == [0.3, 0.4]
    assert found.since(12).size == 0


def test_a_history_too_short_for_the_folds_is_one_plain_line() -> None:
    with pytest.raises(PortfolioError, match=r"lower train\.minimum_train_d or train\.folds"):
        walk_forward(settings(minimum_train_d=1000), 900)


def until(panel: Examples, dates: int) -> Examples:
    """Return the examples as they were so many dates into the history."""
    rows = panel.date < dates
    names = ("features", "target", "forward_return", "date", "instrument")
    values = {name: getattr(panel, name)[rows] for name in names}
    return replace(panel, dates=panel.dates[:dates], **values)


class Keeping:
    """A run that computes in a loop, and keeps what it has computed by its key."""

    def __init__(self) -> None:
        self.settings = settings(folds=3)
        self.project = self.reporter = self.kept = self.fan_out = self
        self.made: dict[str, bytes] = {}
        self.fitted: list[int] = []

    def feature_names(self) -> tuple[str, ...]:
        return FEATURE_NAMES

    def counter(self, count: int, what: str) -> Any:
        return lambda *done: None

    def map(self, kind: Any, *given: Any) -> Any:
        if kind is score_fold:
            return [score_fold(one, *given[1]) for one in given[0]]
        keys, tasks, shared, _ = given
        self.fitted.append(sum(key not in self.made for key in keys))
        for key, one in zip(keys, tasks, strict=True):
            content = kind.decode(kind.encode(kind.function(one, *shared)))
            assert self.made.setdefault(key, content) == content
        return [self.made[key] for key in keys]


def test_new_dates_leave_the_models_of_all_folds_as_they_were() -> None:
    run: Any = Keeping()
    panel = examples(0.3)
    found = []
    for dates in (DATES - 3, DATES):
        now = until(panel, dates)
        folds = walk_forward(run.settings, dates)
        found.append(validate(run, now, now, MODEL, folds))
        assert folds[-1].test_dates.stop == dates
    assert run.fitted == [3, 0]
    np.testing.assert_array_equal(found[0].daily, found[1].daily[:-3])
    # Another seed, hyperparameter, label or feature makes another model.
    moved = replace(panel, target=np.where(panel.date == 3, -panel.target, panel.target))
    validate(run, moved, moved, MODEL, folds)
    validate(run, panel, panel, MODEL.model_copy(update={"max_depth": 2}), folds)
    run.settings = run.settings.model_copy(update={"seed": 5})
    validate(run, panel, panel, MODEL, folds)
    assert run.fitted[2:] == [3, 3, 3]


def test_a_label_of_the_last_test_dates_moves_no_model() -> None:
    run: Any = Keeping()
    panel = examples(0.3)
    folds = walk_forward(run.settings, DATES)
    validate(run, panel, panel, MODEL, folds)
    moved = replace(panel, target=np.where(panel.date == DATES - 1, -panel.target, panel.target))
    validate(run, moved, moved, MODEL, folds)
    assert run.fitted == [3, 0]
