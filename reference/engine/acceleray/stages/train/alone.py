"""The final model of a single process, kept while its rows stay, and how far another's scores are from it."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.bins import binned
from acceleray.quant.boosting import fit, predict, restored, saved
from acceleray.quant.examples import Examples
from acceleray.runtime.shelf import Kind
from acceleray.settings import Model


@dataclass(frozen=True)
class TrainingRows:
    """All rows of a fit: features (rows, features), single precision and few values each; target (rows,)."""

    features: NDArray[np.float32]
    target: NDArray[np.float64]

    @classmethod
    def of(cls, examples: Examples, chosen: NDArray[np.bool_]) -> TrainingRows:
        """Return the chosen examples, binned here because a kept model depends on how that is done."""
        return cls(binned(examples.features, chosen), examples.target[chosen])


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


# What is kept are the bytes of the model.
FINAL = Kind("final signal model", fit_alone, zlib.compress, zlib.decompress)
