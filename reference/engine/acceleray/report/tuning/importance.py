"""Which hyperparameters mattered: how much of the spread between trials each accounts for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

# With fewer trials a forest of trees explains nothing.
LEAST_TRIALS = 8


@dataclass(frozen=True)
class Importance:
    """Shares by parameter, largest first, and the rank correlation of parameter and value; empty if unknown.

    Shares are of the variance between trials (fANOVA, Hutter, Hoos and Leyton-Brown 2014, as Optuna computes
    it with a random forest). They say how much a parameter moved the value, the correlation in which
    direction, where the effect goes one way.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]
    correlations: tuple[float, ...]


def importances(parameters: Sequence[dict[str, float]], values: NDArray[np.float64], seed: int) -> Importance:
    """Return what mattered among these trials; empty where there are too few, or all are equally good."""
    if len(parameters) < LEAST_TRIALS or np.ptp(values) == 0.0:
        return Importance((), (), ())
    names = [name for name in parameters[0] if len({one[name] for one in parameters}) > 1]
    shares = _shares(parameters, names, values, seed)
    order = sorted(names, key=lambda name: (-shares[name], name))
    correlations = [spearmanr([one[name] for one in parameters], values).statistic for name in order]
    return Importance(
        tuple(order), tuple(shares[name] for name in order), tuple(float(one) for one in correlations)
    )


def _shares(
    parameters: Sequence[dict[str, float]], names: list[str], values: NDArray[np.float64], seed: int
) -> dict[str, float]:
    import optuna
    from optuna.distributions import FloatDistribution
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(direction="maximize")
        spans = {name: [one[name] for one in parameters] for name in names}
        space = {name: FloatDistribution(min(span), max(span)) for name, span in spans.items()}
        for one, value in zip(parameters, values, strict=True):
            given = {name: one[name] for name in names}
            study.add_trial(
                optuna.trial.create_trial(params=given, distributions=dict(space), value=float(value))
            )
        found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed % 2**32))
    finally:
        optuna.logging.set_verbosity(before)
    return {name: float(found[name]) for name in names}
