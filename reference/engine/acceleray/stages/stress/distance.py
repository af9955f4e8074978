"""How far a scenario is from no change: in which factors, over which span, and by which months of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.stress import mahalanobis, normal_tail

if TYPE_CHECKING:
    from acceleray.stages.calibrate.factor_model import FactorModel


@dataclass(frozen=True)
class Distance:
    """sqrt(x' (h Sigma)^-1 x) of the factor moves x of a scenario over h months, and what it is measured by.

    `factors` is how many factors x has, `normal_tail` the probability of a move at least as far in so many
    under a normal law. NaN where x is empty or Sigma cannot be inverted.
    """

    value: float = np.nan
    horizon_m: float = np.nan
    factors: int = 0
    normal_tail: float = np.nan


UNMEASURED = Distance()
"""That of a scenario that was not run."""


def measured(
    model: FactorModel,
    changes: NDArray[np.float64],
    horizon_m: float,
    covariance: NDArray[np.float64] | None = None,
) -> Distance:
    """Return the distance of changes of shape (factors,), by all factors that are known (not NaN).

    Months are taken to be independent: the covariance over h months is h times that of one month, which is
    that of the model unless another is given. Replays and shocks alike are measured in every factor of the
    model they are priced with, what is implied included, so that their distances are on one scale.

    Raises:
        ValueError: the covariance of the factors known cannot be inverted.
    """
    known = np.flatnonzero(np.isfinite(changes))
    if not known.size:
        return Distance(horizon_m=horizon_m)
    monthly = model.covariance if covariance is None else covariance
    value = mahalanobis(horizon_m * monthly[np.ix_(known, known)], changes[known])
    return Distance(value, horizon_m, known.size, normal_tail(value, known.size))
