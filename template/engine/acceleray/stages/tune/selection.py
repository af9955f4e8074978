"""Evidence of a search: its best trial, corrected for all others, and tested once on the holdout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import as_date
from acceleray.engines.ray.proposals import Trial
from acceleray.quant.boosting import fit, predict
from acceleray.quant.evaluation import newey_west_p, newey_west_t, overlap_lags
from acceleray.quant.examples import Examples
from acceleray.quant.overfitting import blocks_for, deflated_sharpe_of, probability_of_overfitting
from acceleray.stages.tune.space import model_of
from acceleray.stages.tune.trial import Judged, daily_rank_ic, read


@dataclass(frozen=True)
class HoldoutTask:
    """A fit on the first `development` dates, scored from position `first` on."""

    parameters: dict[str, float]
    rounds: int
    names: tuple[str, ...]
    development: int
    first: int
    horizon_d: int
    seed: int
    device: str = "cpu"


@dataclass(frozen=True)
class Holdout:
    """First and last date, mean rank IC, its Newey-West t and two-sided p-value on dates nobody had seen."""

    first: date
    last: date
    rank_ic: float
    rank_ic_t: float
    rank_ic_p: float


@dataclass(frozen=True)
class Worth:
    """The evidence of a search.

    Attributes:
        expected_maximum_sharpe: what the best of so many trials without skill would have, per horizon.
        deflated_sharpe: probability that the chosen trial's Sharpe ratio is above that.
        overfitting: probability of backtest overfitting.
        blocks: into which history was cut for it; 0 if it was too short.
        periods: in the series of spreads.
        tried: what could have been chosen: every report, after so many rounds, of every trial that did not
            fail.
        tried_before: the same of searches before on the same prices.
    """

    expected_maximum_sharpe: float
    deflated_sharpe: float
    overfitting: float
    blocks: int
    periods: int
    tried: int
    tried_before: int


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest rank IC, the first of equal ones; None if all failed."""
    usable = [one for one in trials if one.best is not None and one.fate and one.fate.status != "failed"]
    return max(usable, key=lambda one: one.best.value if one.best else -math.inf, default=None)


def judged_at_best(trials: Sequence[Trial]) -> dict[int, Judged]:
    """Return what each trial that did not fail was worth at its best rounds, by number."""
    return {
        one.number: read(one.best)
        for one in trials
        if one.best is not None and one.fate is not None and one.fate.status != "failed"
    }


def sharpes_tried(trials: Sequence[Trial]) -> NDArray[np.float64]:
    """Return the Sharpe ratio of whatever could have been chosen, NaN where there is none.

    Each trial is taken at the rounds where it was best, so each of its reports was a candidate, not the trial
    alone. One that failed is never chosen.
    """
    usable = [one for one in trials if one.fate is not None and one.fate.status != "failed"]
    return np.array([read(report).sharpe for one in usable for report in one.reports], dtype=np.float64)


def worth(judged: Mapping[int, Judged], chosen: int, sharpes: NDArray[np.float64], before: int = 0) -> Worth:
    """Return what the chosen trial is worth, once it is counted how many were tried.

    Args:
        judged: each trial at its best rounds, by number.
        chosen: number of the best.
        sharpes: of whatever could have been chosen, as `sharpes_tried` returns them.
        before: candidates of searches before on the same prices.
    """
    performance = np.column_stack([one.spreads for one in judged.values()])
    highest, deflated = deflated_sharpe_of(judged[chosen].spreads, sharpes, before)
    blocks = blocks_for(len(performance))
    overfitting = probability_of_overfitting(performance, blocks) if blocks else math.nan
    return Worth(highest, deflated, overfitting, blocks, len(performance), sharpes.size, before)


def held_out(task: HoldoutTask, examples: Examples) -> Holdout:
    """Return how a model does in the holdout: fitted once on the dates before, scored once.

    `examples` are those of all labelled dates.
    """
    seen = examples.within(slice(0, task.development))
    unseen = examples.within(slice(task.first, len(examples.dates)))
    model = model_of(task.parameters, task.rounds, task.device)
    booster = fit(examples.features[seen], examples.target[seen], task.names, model, task.seed)
    scores = predict(booster, examples.features[unseen], task.names)
    daily = daily_rank_ic(examples.matrix(scores, unseen), examples.matrix(examples.target[unseen], unseen))
    lags = overlap_lags(daily.size, task.horizon_d)
    t = newey_west_t(daily, lags)
    return Holdout(
        as_date(examples.dates[task.first]),
        as_date(examples.dates[-1]),
        float(daily.mean()) if daily.size else math.nan,
        t,
        newey_west_p(t, daily.size, lags, task.horizon_d),
    )
