"""The final model: fitted on every label that is known, in one process or by several with a share each.

At the size of daily prices one process is enough, and quicker than starting several. Several are for more
rows than a machine has memory for; they must give the same model.
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

from acceleray.engines.ray.training import Boosting, fit_on_shards, forget
from acceleray.errors import PortfolioError
from acceleray.quant.bins import binned
from acceleray.quant.boosting import fit, parameters, predict, restored, saved
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run
from acceleray.settings import Model


@dataclass(frozen=True)
class TrainingRows:
    """All labelled rows: features (rows, features), single precision and few values each; target (rows,)."""

    features: NDArray[np.float32]
    target: NDArray[np.float64]


@dataclass(frozen=True)
class FinalModel:
    """The model's bytes, and how it came about.

    `difference` is the largest one of any training score from a single process, NaN where it is that model.
    `resumed_from` is the round from which an interrupted fit went on, 0 if nothing interrupted it.
    """

    content: bytes
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
    """Return the model fitted on all examples, by `train.shards` processes if `distributed`.

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
    rows = TrainingRows(binned(examples.features), examples.target)
    shared = fan_out.share(rows)
    if shards == 1:
        # They are in the store, and nothing more is asked of them here.
        del rows
        done = run.reporter.counter(1, "models trained")
        alone = fan_out.map(fit_alone, [model], (shared,), done, seed=seed, names=names)
        content, seconds, _ = next(alone)
        return FinalModel(content, 1, math.nan, seconds, seconds, 0)
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
    return FinalModel(fitted.content, shards, difference, seconds, alone_s, fitted.resumed_from, boosting.key)


def forget_checkpoints(run: Run, final: FinalModel) -> None:
    """Remove what was kept for an interruption: everything about the model is committed."""
    if final.key:
        forget(run.settings, final.key)


def fit_alone(
    model: Model, rows: TrainingRows, seed: int, names: Sequence[str], other: bytes | None = None
) -> tuple[bytes, float, float]:
    """Return the model of a single process, its seconds, and how far its scores are from another's."""
    started = time.monotonic()
    booster = fit(rows.features, rows.target, names, model, seed)
    seconds = time.monotonic() - started
    if other is None:
        return saved(booster), seconds, math.nan
    features = rows.features.astype(np.float64)
    mine, theirs = (predict(one, features, names) for one in (booster, restored(other)))
    return saved(booster), seconds, float(np.abs(mine - theirs).max())


def _key(rows: TrainingRows, names: Sequence[str], model: Model, seed: int, shards: int) -> str:
    import xgboost

    content = [model.model_dump(), seed, shards, names, rows.features.shape, xgboost.__version__]
    digest = hashlib.sha256(json.dumps(content).encode())
    for values in (rows.features, rows.target):
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()[:16]
