"""Train: the signal model, with purged walk-forward evidence, one fold a task.

The final model is one more task: with 166,000 rows one node is enough, and one thread a fit gives the same
bits for any number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from portfolio.engines.arrays import as_date, column
from portfolio.errors import PortfolioError
from portfolio.governance.registry import RegisteredModel, register_model
from portfolio.quant.evaluation import newey_west_t, out_of_sample_r2, rank_information_coefficient
from portfolio.quant.validation import WalkForwardFold, purged_walk_forward
from portfolio.run import Run
from portfolio.settings import Train
from portfolio.tables import FEATURES, SIGNAL_VALIDATION

# The order of the columns is the order the model knows; it comes from the table contract alone.
FEATURE_NAMES = tuple(
    name
    for name in FEATURES.column_names
    if name not in {"source", "instrument_id", "date", "forward_return", "target"}
)


@dataclass(frozen=True)
class Examples:
    """Labelled rows: features (rows, features), target (rows,), and positions of date and instrument."""

    features: NDArray[np.float64]
    target: NDArray[np.float64]
    date: NDArray[np.int64]
    instrument: NDArray[np.int64]
    dates: NDArray[np.datetime64]

    def within(self, dates: slice) -> NDArray[np.bool_]:
        """Return which rows lie in a slice of the unique dates."""
        return (self.date >= dates.start) & (self.date < dates.stop)


@dataclass(frozen=True)
class FoldScore:
    """Out-of-sample evidence of one fold."""

    train_rows: int
    test_rows: int
    rank_ic: float
    rank_ic_t: float
    r2: float


def train(run: Run) -> RegisteredModel:
    """Validate and fit the signal model on labels known at the as-of date, register it, and return it.

    Raises:
        PortfolioError: the history is too short for the walk-forward folds.
    """
    settings = run.settings
    examples = load_examples(run)
    try:
        folds = purged_walk_forward(
            len(examples.dates),
            settings.train.folds,
            settings.train.minimum_train_d,
            settings.features.horizon_d,
            settings.train.embargo_d,
        )
    except ValueError as error:
        raise PortfolioError(
            f"The signal model cannot be validated: {error}; lower train.minimum_train_d or train.folds."
        ) from None
    done = run.reporter.counter(len(folds) + 1, "models trained")
    tasks: list[tuple[WalkForwardFold | None, Train, int, int]] = [
        (fold, settings.train, settings.features.horizon_d, settings.seed) for fold in (*folds, None)
    ]
    *scores, final = run.fan_out.map(fit_fold, tasks, (examples,), done)
    run.commit(SIGNAL_VALIDATION, _rows(examples, folds, scores))
    return register_model(
        run.settings,
        run.tracker,
        run.identity.run_id,
        final,
        FEATURE_NAMES,
        {"rank_ic": float(np.nanmean([score.rank_ic for score in scores]))},
    )


def load_examples(run: Run) -> Examples:
    """Return all rows whose target was known at the as-of date.

    The target of day t looks `features.horizon_d` trading days ahead, so the last such days are left out even
    if the table, written with later prices, knows them.
    """
    wanted = ("date", "instrument_id", *FEATURE_NAMES, "target")
    rows = run.arrow(FEATURES, wanted, f"date <= DATE'{run.as_of}'")
    every = np.unique(column(rows, "date"))
    known = every[: -run.settings.features.horizon_d]
    target, date = column(rows, "target"), column(rows, "date")
    keep = np.isfinite(target) & np.isin(date, known)
    dates, position = np.unique(date[keep], return_inverse=True)
    instrument = np.unique(column(rows, "instrument_id").astype(str), return_inverse=True)[1]
    features = np.column_stack([column(rows, name)[keep] for name in FEATURE_NAMES])
    return Examples(features, target[keep], position, instrument[keep], dates)


def fit_fold(task: tuple[WalkForwardFold | None, Train, int, int], examples: Examples) -> Any:
    """Return the out-of-sample score of a fold, or for None the bytes of a model fitted on everything."""
    fold, settings, horizon_d, seed = task
    rows = np.ones(len(examples.target), bool) if fold is None else examples.within(fold.train_dates)
    booster = fit(examples.features[rows], examples.target[rows], settings, seed)
    if fold is None:
        return bytes(booster.save_raw("ubj"))
    test = examples.within(fold.test_dates)
    score = predict(booster, examples.features[test])
    scores, targets = _matrices(examples, test, score)
    daily = rank_information_coefficient(scores, targets)
    return FoldScore(
        train_rows=int(rows.sum()),
        test_rows=int(test.sum()),
        rank_ic=float(np.nanmean(daily)) if np.isfinite(daily).any() else float("nan"),
        # Targets of neighbouring days overlap over the horizon; the lags cover that.
        rank_ic_t=newey_west_t(daily[np.isfinite(daily)], horizon_d),
        r2=out_of_sample_r2(targets, scores),
    )


def fit(features: NDArray[np.float64], target: NDArray[np.float64], settings: Train, seed: int) -> Any:
    """Return an XGBoost booster fitted on one thread, so that the same rows give the same bits."""
    import xgboost

    parameters = {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "max_depth": settings.max_depth,
        "eta": settings.learning_rate,
        "subsample": settings.subsample,
        "seed": seed % 2**31,
        "nthread": 1,
        "base_score": 0.0,
    }
    matrix = xgboost.QuantileDMatrix(features, target, feature_names=list(FEATURE_NAMES), nthread=1)
    return xgboost.train(parameters, matrix, settings.rounds)


def predict(booster: Any, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores of shape (rows,) for features in the order of FEATURE_NAMES."""
    import xgboost

    matrix = xgboost.DMatrix(features, feature_names=list(FEATURE_NAMES), nthread=1)
    return np.asarray(booster.predict(matrix), dtype=np.float64)


def _matrices(
    examples: Examples, test: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    dates, row = np.unique(examples.date[test], return_inverse=True)
    place = examples.instrument[test]
    shape = (dates.size, int(examples.instrument.max()) + 1)
    scores, targets = np.full(shape, np.nan), np.full(shape, np.nan)
    scores[row, place] = score
    targets[row, place] = examples.target[test]
    return scores, targets


def _rows(examples: Examples, folds: list[WalkForwardFold], scores: list[FoldScore]) -> pa.Table:
    edges = [
        (fold.train_dates.start, fold.train_dates.stop - 1, fold.test_dates.start, fold.test_dates.stop - 1)
        for fold in folds
    ]
    first, last, test_first, test_last = (
        pa.array([as_date(examples.dates[position]) for position in side], pa.date32())
        for side in zip(*edges, strict=True)
    )
    return pa.table(
        {
            "fold": list(range(1, len(folds) + 1)),
            "train_first": first,
            "train_last": last,
            "test_first": test_first,
            "test_last": test_last,
            "train_rows": [score.train_rows for score in scores],
            "test_rows": [score.test_rows for score in scores],
            "rank_ic": [score.rank_ic for score in scores],
            "rank_ic_t": [score.rank_ic_t for score in scores],
            "r2_out_of_sample": [score.r2 for score in scores],
        }
    )
