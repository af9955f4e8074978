"""Which hyperparameters are searched, and between which limits."""

from __future__ import annotations

from collections.abc import Mapping

from acceleray.engines.ray.proposals import Range
from acceleray.settings import Model

# Wide enough to hold what works for noisy ranks: trees from stumps to six levels, leaves from one row to
# thousands, penalties from none that matters to one that dominates.
SPACE: Mapping[str, Range] = {
    "max_depth": Range(1, 6, whole=True),
    "learning_rate": Range(0.01, 0.3, log=True),
    "min_child_weight": Range(1.0, 3000.0, log=True),
    "subsample": Range(0.4, 1.0),
    "colsample": Range(0.3, 1.0),
    "reg_lambda": Range(0.1, 100.0, log=True),
}


def parameters_of(model: Model) -> dict[str, float]:
    """Return the searched hyperparameters of a model."""
    return {name: getattr(model, name) for name in SPACE}


def model_of(parameters: Mapping[str, float], rounds: int, device: str = "cpu") -> Model:
    """Return a model with proposed hyperparameters, fitted on a device."""
    return Model.model_validate({**parameters, "rounds": rounds, "device": device})
