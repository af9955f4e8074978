"""Out-of-sample evidence of the signal model: one purged walk-forward fold per task.

A fold's model depends on its training dates alone, and most days move none of them: the model is kept. What
it is worth is measured again.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import as_date
from acceleray.errors import PortfolioError
from acceleray.quant.boosting import fit, predict, restored, saved
from acceleray.quant.evaluation import (
    newey_west_lower,
    newey_west_t,
    out_of_sample_r2,
    overlap_lags,
    quantile_spread,
    rank_information_coefficient,
)
from acceleray.quant.examples import Examples
from acceleray.quant.targets import RAW, RESIDUAL, VOLATILITY_SCALED, OtherTargets
from acceleray.quant.turnover import long_short_weights, trading_cost, turnover
from acceleray.quant.validation import WalkForwardFold, purged_walk_forward
from acceleray.runtime.content import content_key
from acceleray.runtime.kept_work import Kind
from acceleray.runtime.run import Run
from acceleray.settings import Model, Settings
from acceleray.tables import SIGNAL_VALIDATION

# Test blocks have a multiple of so many dates, a quarter: so training dates do not move with every day.
STEP_D = 63


@dataclass(frozen=True)
class FoldTask:
    """One model to fit and to judge: names of features, hyperparameters, training and test dates.

    `content` is the model as `fit_fold` returns it.
    """

    fold: WalkForwardFold
    names: tuple[str, ...]
    model: Model
    seed: int
    horizon_d: int
    cost_bp: float
    content: bytes = b""


@dataclass(frozen=True)
class FoldScore:
    """Out-of-sample evidence of one fold; `daily` is the rank IC of each test date, NaN where there is none.

    The spread is a simple return over the horizon, the turnover a share of the book per horizon. `others` is
    the rank IC of each test date against other targets, by their name.
    """

    train_rows: int
    test_rows: int
    daily: NDArray[np.float64]
    rank_ic: float
    rank_ic_t: float
    r2: float
    quantile_spread: float
    turnover: float
    net_spread: float
    others: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Validation:
    """All folds of one set of hyperparameters."""

    folds: tuple[WalkForwardFold, ...]
    scores: tuple[FoldScore, ...]
    horizon_d: int

    @property
    def daily(self) -> NDArray[np.float64]:
        """Return the rank IC of every date that was tested, in the order of time."""
        return np.concatenate([np.empty(0), *(score.daily for score in self.scores)])

    def against(self, target: str) -> NDArray[np.float64]:
        """Return the rank IC of every date against the raw or another target, all NaN if not measured."""
        if target == RAW:
            return self.daily
        missing = (np.full(score.daily.size, np.nan) for score in self.scores)
        measured = (score.others.get(target, none) for score, none in zip(self.scores, missing, strict=True))
        return np.concatenate([np.empty(0), *measured])

    @property
    def dates(self) -> int:
        """Return how many dates have a rank IC."""
        return int(np.isfinite(self.daily).sum())

    def since(self, position: int) -> NDArray[np.float64]:
        """Return the rank IC of every date that was tested from a position among all dates on."""
        first = self.folds[0].test_dates.start if self.folds else 0
        return self.daily[max(0, position - first) :]

    @property
    def rank_ic(self) -> float:
        """Return the mean over all dates, NaN if there is none."""
        return _mean(self.daily)

    @property
    def rank_ic_t(self) -> float:
        """Return the Newey-West t statistic of that mean, which allows for labels that overlap."""
        return _t(self.daily, self.horizon_d)

    def rank_ic_lower(self, confidence: float) -> float:
        """Return the lower end of the one-sided interval of the mean, NaN where the dates are too few."""
        return newey_west_lower(self.daily, self.horizon_d, confidence)

    def means(self) -> tuple[tuple[str, float], ...]:
        """Return name and mean over the folds of R2, spread, turnover and net spread."""
        names = {
            "r2_out_of_sample": [score.r2 for score in self.scores],
            "quantile_spread": [score.quantile_spread for score in self.scores],
            "turnover": [score.turnover for score in self.scores],
            "net_spread": [score.net_spread for score in self.scores],
        }
        return tuple((name, _mean(np.array(values))) for name, values in names.items())


def validate(
    run: Run,
    examples: Examples,
    shared: Any,
    model: Model,
    folds: Sequence[WalkForwardFold],
    others: Any = None,
) -> Validation:
    """Return the walk-forward evidence for hyperparameters, one fold a task.

    Args:
        run: what to work on and with.
        examples: labelled rows.
        shared: a reference to them in Ray's object store.
        model: the hyperparameters.
        folds: as `walk_forward` returns them; the evidence of none is empty.
        others: a reference to other targets that the same scores are held against, None for none.
    """
    settings = run.settings
    if not folds:
        return Validation((), (), settings.features.horizon_d)
    horizon_d, cost_bp = settings.features.horizon_d, settings.train.cost_bp
    names = run.project.feature_names()
    tasks = [FoldTask(fold, names, model, settings.seed, horizon_d, cost_bp) for fold in folds]
    done = run.reporter.counter(len(tasks), "folds validated")
    if model.device == "cpu":
        models = run.kept.map(FOLD, [_key(task, examples) for task in tasks], tasks, (shared,), done)
    else:
        # A GPU adds in another order each time.
        models = run.fan_out.on(model.device).map(fit_fold, tasks, (shared,), done)
    fitted = [replace(task, content=content) for task, content in zip(tasks, models, strict=True)]
    given = (shared,) if others is None else (shared, others)
    scores = run.fan_out.map(score_fold, fitted, given)
    return Validation(tuple(folds), tuple(scores), horizon_d)


def first_unseen(examples: Examples, unseen_from: date | None) -> int:
    """Return the position of the first date from that day on, 0 without a day."""
    if unseen_from is None:
        return 0
    return int(np.searchsorted(examples.dates, np.datetime64(unseen_from).astype(examples.dates.dtype)))


def walk_forward(settings: Settings, dates_count: int, first: int = 0) -> list[WalkForwardFold]:
    """Return the folds of the settings; none tests a date before position `first`.

    With `first`, where fewer dates than folds are left there are fewer folds, and none where no date is: then
    the gate says so.

    Raises:
        PortfolioError: the history is too short for them.
    """
    train, horizon_d = settings.train, settings.features.horizon_d
    least = max(train.minimum_train_d, first - horizon_d - train.embargo_d)
    folds = train.folds
    if first > 0:
        folds = min(folds, max(0, dates_count - least - horizon_d - train.embargo_d))
    if not folds:
        return []
    try:
        return purged_walk_forward(dates_count, folds, least, horizon_d, train.embargo_d, STEP_D)
    except ValueError as error:
        raise PortfolioError(
            f"The signal model cannot be validated: {error}; lower train.minimum_train_d or train.folds."
        ) from None


def fit_fold(task: FoldTask, examples: Examples) -> bytes:
    """Return the model fitted on the training dates of a fold."""
    rows = examples.within(task.fold.train_dates)
    return saved(fit(examples.features[rows], examples.target[rows], task.names, task.model, task.seed))


FOLD = Kind("fold of the signal model", fit_fold, zlib.compress, zlib.decompress)


def _key(task: FoldTask, examples: Examples) -> str:
    """Return the digest of everything that decides the model of a fold."""
    rows = examples.within(task.fold.train_dates)
    return content_key(examples.features[rows], examples.target[rows], task.names, task.model, task.seed)


def score_fold(task: FoldTask, examples: Examples, others: OtherTargets | None = None) -> FoldScore:
    """Return what the model of a fold is worth on its test dates."""
    rows = examples.within(task.fold.train_dates)
    booster = restored(task.content)
    test = examples.within(task.fold.test_dates)
    scores = examples.matrix(predict(booster, examples.features[test], task.names), test)
    targets = examples.matrix(examples.target[test], test)
    daily = rank_information_coefficient(scores, targets)
    spread = _mean(quantile_spread(scores, examples.matrix(examples.forward_return[test], test)))
    replaced = turnover(long_short_weights(scores), task.horizon_d)
    return FoldScore(
        train_rows=int(rows.sum()),
        test_rows=int(test.sum()),
        daily=daily,
        rank_ic=_mean(daily),
        rank_ic_t=_t(daily, task.horizon_d),
        r2=out_of_sample_r2(targets, scores),
        quantile_spread=spread,
        turnover=replaced,
        net_spread=spread - trading_cost(replaced, task.cost_bp),
        others={
            name: rank_information_coefficient(scores, examples.matrix(values[test], test))
            for name, values in _named(others).items()
        },
    )


def _named(others: OtherTargets | None) -> dict[str, NDArray[np.float64]]:
    if others is None:
        return {}
    return {VOLATILITY_SCALED: others.volatility_scaled, RESIDUAL: others.residual}


def validation_rows(examples: Examples, found: Validation) -> pa.Table:
    """Return the rows of gold.signal_validation."""
    if not found.folds:
        return SIGNAL_VALIDATION.arrow_schema.empty_table()
    edges = [
        (fold.train_dates.start, fold.train_dates.stop - 1, fold.test_dates.start, fold.test_dates.stop - 1)
        for fold in found.folds
    ]
    first, last, test_first, test_last = (
        pa.array([as_date(examples.dates[position]) for position in side], pa.date32())
        for side in zip(*edges, strict=True)
    )
    scores = found.scores
    return pa.table(
        {
            "fold": list(range(1, len(found.folds) + 1)),
            "train_first": first,
            "train_last": last,
            "test_first": test_first,
            "test_last": test_last,
            "train_rows": [score.train_rows for score in scores],
            "test_rows": [score.test_rows for score in scores],
            "rank_ic": [score.rank_ic for score in scores],
            "rank_ic_t": [score.rank_ic_t for score in scores],
            "r2_out_of_sample": [score.r2 for score in scores],
            "quantile_spread": [score.quantile_spread for score in scores],
            "turnover": [score.turnover for score in scores],
            "net_spread": [score.net_spread for score in scores],
        }
    )


def _t(daily: NDArray[np.float64], horizon_d: int) -> float:
    return newey_west_t(daily, overlap_lags(int(np.isfinite(daily).sum()), horizon_d))


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
