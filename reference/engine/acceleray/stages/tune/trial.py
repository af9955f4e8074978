"""One trial: a model for every fold, a chunk of rounds at a time, judged on the dates after each fold.

One thread and a seed for every round make what a trial reports depend on its parameters alone: the same bits
in any process, whatever ran before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.ray.proposals import Report
from acceleray.quant.boosting import parameters
from acceleray.quant.evaluation import (
    newey_west_t,
    overlap_lags,
    quantile_spread,
    rank_information_coefficient,
    sharpe_ratio,
)
from acceleray.stages.tune.problem import Problem
from acceleray.stages.tune.space import model_of


@dataclass(frozen=True)
class Prepared:
    """Data shared by trials within a process: quantised rows and comparison values of scores.

    Attributes:
        problem: what is searched.
        train: a matrix for each fold, quantised once for all trials.
        test: a matrix for each fold.
        rows: (rows,) which rows of the problem the test matrices hold, one after another.
        targets: (validation dates, instruments).
        forward: (every horizon-th validation date, instruments), so that no two returns overlap.
    """

    problem: Problem
    train: tuple[Any, ...]
    test: tuple[Any, ...]
    rows: NDArray[np.int64]
    targets: NDArray[np.float64]
    forward: NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Evaluation of a trial at some round.

    Attributes:
        rank_ic: mean over the validation dates; a date on which all scores are equal counts as zero.
        rank_ic_t: its Newey-West t-statistic, with the lags of `overlap_lags`.
        sharpe: of `spreads`, per horizon.
        spreads: (periods,) return of the best fifth less that of the worst over periods that do not overlap.
    """

    rank_ic: float
    rank_ic_t: float
    sharpe: float
    spreads: NDArray[np.float64]


def prepare(problem: Problem) -> Prepared:
    """Return what all trials of a process share."""
    import xgboost

    examples, names = problem.examples, list(problem.names)
    train, test, rows = [], [], []
    for fold in problem.folds:
        seen, judged = examples.within(fold.train_dates), np.flatnonzero(examples.within(fold.test_dates))
        train.append(
            xgboost.QuantileDMatrix(
                examples.features[seen], examples.target[seen], feature_names=names, nthread=1
            )
        )
        test.append(xgboost.DMatrix(examples.features[judged], feature_names=names, nthread=1))
        rows.append(judged)
    order = np.concatenate(rows)
    return Prepared(
        problem=problem,
        train=tuple(train),
        test=tuple(test),
        rows=order,
        targets=_validation(problem, order, examples.target[order]),
        forward=_validation(problem, order, examples.forward_return[order])[:: problem.horizon_d],
    )


def trial(proposed: Mapping[str, float], prepared: Prepared) -> Iterator[Report]:
    """Yield a report after every chunk of rounds, with its t-statistic and Sharpe ratio in its note.

    One better than all before has its spreads there as well: only such a one can be chosen.
    """
    best = -np.inf
    for rounds, scores in _boosted(proposed, prepared):
        judged = _judged(prepared, scores)
        spreads = None
        if judged.rank_ic > best:
            best, spreads = judged.rank_ic, judged.spreads.tolist()
        yield Report(rounds, judged.rank_ic, json.dumps([judged.rank_ic_t, judged.sharpe, spreads]))


def read(report: Report) -> Judged:
    """Return the details of a report; its spreads are empty unless it was better than all before."""
    t, sharpe, spreads = json.loads(report.note)
    return Judged(report.value, t, sharpe, np.asarray(spreads or [], dtype=np.float64))


def evaluate(problem: Problem, proposed: Mapping[str, float], rounds: int) -> Judged:
    """Return what a trial of these parameters reports after so many rounds, by computing it again.

    Raises:
        ValueError: a trial does not report after so many rounds.
    """
    prepared = prepare(problem)
    for reached, scores in _boosted(proposed, prepared):
        if reached == rounds:
            return _judged(prepared, scores)
    raise ValueError(f"trials report every {problem.chunk} rounds up to {problem.rounds}, not after {rounds}")


def _boosted(proposed: Mapping[str, float], prepared: Prepared) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield rounds so far and the scores of all validation rows, of shape (rows,)."""
    import xgboost

    problem = prepared.problem
    # They draw by the number of the round: boosters that take turns in one process, as those of the folds do,
    # would otherwise share one stream of numbers, and depend on each other and on trials before.
    given = parameters(model_of(proposed, problem.rounds, problem.device), problem.seed)
    given |= {"seed_per_iteration": True}
    boosters = [xgboost.Booster(given, [matrix]) for matrix in prepared.train]
    scores = [np.zeros(matrix.num_row()) for matrix in prepared.test]
    for start in range(0, problem.rounds, problem.chunk):
        stop = min(start + problem.chunk, problem.rounds)
        for place, booster in enumerate(boosters):
            for number in range(start, stop):
                booster.update(prepared.train[place], number)
            # Only the new trees: what older ones say is in the sum already.
            scores[place] += booster.predict(prepared.test[place], iteration_range=(start, stop))
        yield stop, np.concatenate(scores)


def _judged(prepared: Prepared, scores: NDArray[np.float64]) -> Judged:
    problem = prepared.problem
    matrix = _validation(problem, prepared.rows, scores)
    daily = daily_rank_ic(matrix, prepared.targets)
    spreads = quantile_spread(matrix[:: problem.horizon_d], prepared.forward)
    # Where all scores are equal there is nothing to buy or sell.
    spreads[np.isnan(spreads) & np.isfinite(prepared.forward).any(axis=1)] = 0.0
    return Judged(
        rank_ic=float(daily.mean()) if daily.size else 0.0,
        rank_ic_t=newey_west_t(daily, overlap_lags(daily.size, problem.horizon_d)),
        sharpe=sharpe_ratio(spreads),
        spreads=spreads,
    )


def daily_rank_ic(scores: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank correlation of each date on which at least three targets differ, zero for equal scores.

    Scores that do not tell instruments apart are worth nothing, not unknown: leaving their dates out would
    let a model choose the dates it is judged on.
    """
    daily = rank_information_coefficient(scores, targets)
    # A target agrees with itself wherever a correlation can be measured at all.
    usable = np.isfinite(rank_information_coefficient(targets, targets))
    return np.nan_to_num(daily[usable])


def _validation(
    problem: Problem, rows: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    examples, dates = problem.examples, problem.validation
    matrix = np.full((dates.stop - dates.start, len(examples.instruments)), np.nan)
    matrix[examples.date[rows] - dates.start, examples.instrument[rows]] = values
    return matrix
