"""Exponentially weighted variance, as in the RiskMetrics technical document."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


def ewma_variance(returns: NDArray[np.float64], decay: float = 0.94) -> NDArray[np.float64]:
    """Return variances of shape (days + 1,) in squared decimal returns (J.P. Morgan/Reuters 1996, 5.2).

    The mean return is taken as zero. Element t is the weighted mean of the squared returns up to t-1 with
    weights ``decay**age`` that sum to one; the last element is the forecast for the day after the last
    return.
    Dividing by the weights seen so far starts the recursion without a look ahead and without an arbitrary
    first value: element 1 is the first squared return, and after some hundred days the usual recursion
    ``v[t+1] = decay v[t] + (1 - decay) r[t]^2`` holds to rounding. Element 0 is NaN: nothing is known yet.
    Raises ValueError for a missing return or a decay outside (0, 1).
    """
    returns = np.asarray(returns, dtype=np.float64)
    if returns.ndim != 1 or not bool(np.all(np.isfinite(returns))):
        raise ValueError("the variance needs one series of returns, none of them missing")
    if not 0.0 < decay < 1.0:
        raise ValueError(f"the decay must lie between 0 and 1, not at {decay}")
    variance = np.full(returns.size + 1, np.nan)
    weighted = lfilter([1.0 - decay], [1.0, -decay], returns * returns)
    variance[1:] = weighted / (1.0 - decay ** np.arange(1, returns.size + 1))
    return variance
