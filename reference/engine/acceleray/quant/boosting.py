"""The signal model: gradient-boosted trees, fitted and applied in one process.

One thread gives the same bits for the same rows wherever it runs; many models at once use many cores. A GPU
adds in another order: its models are close to those of a CPU and not the same bits. Saved models are applied
on the CPU, wherever they were fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.settings import Model


def parameters(model: Model, seed: int) -> dict[str, Any]:
    """Return what `xgboost.train` is given by XGBoost's own names, less the number of rounds."""
    return {
        "objective": "reg:squarederror",
        "tree_method": "hist",
        "device": model.device,
        "max_depth": model.max_depth,
        "eta": model.learning_rate,
        "min_child_weight": model.min_child_weight,
        "subsample": model.subsample,
        "colsample_bytree": model.colsample,
        "lambda": model.reg_lambda,
        "seed": seed % 2**31,
        "nthread": 1,
        # Targets are ranks about zero; without this the first guess would be estimated from the labels.
        "base_score": 0.0,
    }


def fit(
    features: NDArray[np.float64] | NDArray[np.float32],
    target: NDArray[np.float64],
    names: Sequence[str],
    model: Model,
    seed: int,
) -> Any:
    """Return a booster fitted on one thread, so that the same rows give the same bits.

    Args:
        features: (rows, features), NaN where not known.
        target: (rows,).
        names: of the features, in their order; the booster refuses any other.
        model: hyperparameters.
        seed: for drawing rows and columns.
    """
    import xgboost

    matrix = xgboost.QuantileDMatrix(features, target, feature_names=list(names), nthread=1)
    # Of millions of rows XGBoost keeps its own form.
    del features
    return xgboost.train(parameters(model, seed), matrix, model.rounds)


def predict(
    booster: Any, features: NDArray[np.float64] | NDArray[np.float32], names: Sequence[str]
) -> NDArray[np.float64]:
    """Return scores of shape (rows,) for features (rows, features) in the order of `names`.

    Raises:
        ValueError: the booster was fitted on other names or another order.
    """
    import xgboost

    matrix = xgboost.DMatrix(features, feature_names=list(names), nthread=1)
    return np.asarray(booster.predict(matrix), dtype=np.float64)


def restored(content: bytes) -> Any:
    """Return the booster that was saved as these bytes (UBJSON)."""
    import xgboost

    return xgboost.Booster(model_file=bytearray(content))


def saved(booster: Any) -> bytes:
    """Return a booster as bytes (UBJSON), the same for the same booster."""
    return bytes(booster.save_raw("ubj"))
