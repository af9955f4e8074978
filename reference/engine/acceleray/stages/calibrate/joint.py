"""One estimate of how instruments move together, for the risk of today and for every block of the past."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.correlation import (
    CopulaFit,
    ShrunkCorrelation,
    fit_copula_nu,
    normal_scores,
    shrink_correlation,
)


def estimate(shape: tuple[int, int], residuals: NDArray[np.float64]) -> tuple[ShrunkCorrelation, CopulaFit]:
    """Return correlation and copula of complete residuals of this shape (days, instruments).

    The correlation is that of normal scores: on the record it describes the next year better than Pearson's,
    which single jumps pull down, and no worse than Kendall's tau (decision 44).
    """
    shrunk = shrink_correlation(normal_scores(residuals))
    return shrunk, fit_copula_nu(residuals, shrunk.correlation)
