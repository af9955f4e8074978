"""The final model: fitted on labels that are known, in one process or by several with a share each.

At the size of daily prices one process is enough, and quicker than starting several. Several are for more
rows than a machine has memory for; they must give the same model.

Walk-forward folds say what a model is worth that was fitted months before. So the final one is not fitted
again with every new date, but after so many of them; on days between the kept one is what a fit would give.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import as_date
from acceleray.engines.ray.training import Boosting, fit_on_shards, forget
from acceleray.errors import PortfolioError
from acceleray.quant.boosting import parameters
from acceleray.quant.examples import Examples
from acceleray.runtime.content import content_key
from acceleray.runtime.run import Run
from acceleray.settings import Model, Train
from acceleray.stages.train.alone import FINAL, TrainingRows, fit_alone

# Rows that are copied for their digest at a time: some megabytes.
_TOGETHER = 100_000


@dataclass(frozen=True)
class FinalModel:
    """The model's bytes, and how it came about.

    It was fitted on the first `dates` of the examples. `difference` is the largest one of any training score
    from a single process, NaN where it is that model. Seconds of a kept model are NaN.
    `resumed_from` is the round from which an interrupted fit went on, 0 if nothing interrupted it.
    """

    content: bytes
    dates: int
    shards: int
    difference: float
    seconds: float
    single_process_s: float
    resumed_from: int
    key: str = ""

    @property
    def sha256(self) -> str:
        """Return the digest by which the registry knows the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def fit_final(run: Run, examples: Examples, model: Model, distributed: bool) -> FinalModel:
    """Return the model fitted on examples, by `train.shards` processes if `distributed`.

    Raises:
        PortfolioError: there are fewer GPUs than shards, or training failed or made no progress in time.
    """
    shards = run.settings.train.shards if distributed else 1
    if shards > 1 and model.subsample < 1.0:
        run.reporter.say(
            f"    subsample {model.subsample:g} would draw other rows on each shard: trained in one process"
        )
        shards = 1
    seed, fan_out = run.settings.seed, run.fan_out.on(model.device)
    names = run.project.feature_names()
    if model.device == "cuda" and shards > fan_out.workers:
        raise PortfolioError(
            f"train.shards is {shards}, each needs its own GPU, and there are {fan_out.workers}; "
            f"lower train.shards to {fan_out.workers} or add workers."
        )
    dates = final_dates(run.settings.train, len(examples.dates))
    chosen = _chosen(run, examples, dates)
    # A GPU adds in another order each time.
    kept = shards == 1 and model.device == "cpu"
    key = content_key(_digests(examples, chosen), names, model, seed) if kept else ""
    if kept and run.kept.find(FINAL, key) is not None:
        content = run.kept.take(FINAL, key)
        return FinalModel(content, dates, 1, math.nan, math.nan, math.nan, 0)
    rows = TrainingRows.of(examples, chosen)
    shared = fan_out.share(rows)
    if shards == 1:
        # They are in the store, and nothing more is asked of them here.
        del rows
        done = run.reporter.counter(1, "models trained")
        alone = fan_out.map(fit_alone, [model], (shared,), done, seed=seed, names=names)
        content, seconds, _ = next(alone)
        if kept:
            run.kept.add(FINAL, key, content)
            run.kept.save(FINAL)
        return FinalModel(content, dates, 1, math.nan, seconds, seconds, 0)
    boosting = Boosting(
        parameters=parameters(model, seed),
        rounds=model.rounds,
        names=names,
        shards=shards,
        checkpoint_rounds=run.settings.train.checkpoint_rounds,
        key=_key(rows, names, model, seed, shards),
    )
    started = time.monotonic()
    fitted = fit_on_shards(run.settings, boosting, shared, run.reporter.counter(model.rounds, "rounds"))
    seconds = time.monotonic() - started
    if fitted.resumed_from:
        run.reporter.say(f"    training resumed from round {fitted.resumed_from}")
    alone = fan_out.map(fit_alone, [model], (shared,), seed=seed, names=names, other=fitted.content)
    _, alone_s, difference = next(alone)
    took = seconds, alone_s, fitted.resumed_from
    return FinalModel(fitted.content, dates, shards, difference, *took, boosting.key)


def final_dates(train: Train, dates: int) -> int:
    """Return how many of the first dates the final model is fitted on, a multiple of `train.refit_every_d`.

    All of them where that would be fewer than `train.minimum_train_d`.
    """
    whole = dates - dates % train.refit_every_d
    return whole if whole >= train.minimum_train_d else dates


def _chosen(run: Run, examples: Examples, dates: int) -> NDArray[np.bool_]:
    """Return which examples are of the first dates; what is left out is a notice."""
    if newer := len(examples.dates) - dates:
        last, every = as_date(examples.dates[dates - 1]), run.settings.train.refit_every_d
        run.notices.add(
            f"final model: labels up to {last}; {counted(newer, 'newer date')} left to the next fit"
            f" (train.refit_every_d is {every})"
        )
    return examples.within(slice(0, dates))


def _digests(examples: Examples, chosen: NDArray[np.bool_]) -> list[str]:
    """Return digests of the chosen features and targets, of some rows at a time."""
    rows = np.flatnonzero(chosen)
    return [
        content_key(values[rows[first : first + _TOGETHER]])
        for values in (examples.features, examples.target)
        for first in range(0, rows.size, _TOGETHER)
    ]


def forget_checkpoints(run: Run, final: FinalModel) -> None:
    """Remove what was kept for an interruption: everything about the model is committed."""
    if final.key:
        forget(run.settings, final.key)


def _key(rows: TrainingRows, names: Sequence[str], model: Model, seed: int, shards: int) -> str:
    import xgboost

    content = [model.model_dump(), seed, shards, names, rows.features.shape, xgboost.__version__]
    digest = hashlib.sha256(json.dumps(content).encode())
    for values in (rows.features, rows.target):
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()[:16]
