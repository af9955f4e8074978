"""Scores of forecasts, and the error of a mean difference between two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from acceleray.quant.evaluation import newey_west_p, newey_west_t, overlap_lags
from acceleray.quant.forecasts import forecast_expected_shortfall, forecast_value_at_risk
from choices_record import RISK


@dataclass(frozen=True)
class Difference:
    """The mean of a paired difference, the ends of its interval, the two-sided p-value, and the pairs."""

    mean: float
    low: float
    high: float
    p: float
    count: int

    @property
    def better(self) -> bool:
        """Return whether a gain is above zero by more than its error."""
        return self.low > 0.0

    @property
    def worse(self) -> bool:
        """Return whether a gain is below zero by more than its error."""
        return self.high < 0.0

    def told(self, digits: int) -> str:
        """Return the mean with its interval and p-value in words."""
        sign = f"+.{digits}f"
        return f"{self.mean:{sign}} [{self.low:{sign}}, {self.high:{sign}}], p {self.p:.2g}"


def difference(gains: NDArray[np.float64], confidence: float = 0.95) -> Difference:
    """Return the mean of gains in time order and its interval (Diebold & Mariano 1995).

    The variance is that of Newey & West with the lags of ``overlap_lags``; the reference is that of
    ``newey_west_p``, so an interval of 1 - a leaves zero out where p is below a.
    """
    count, mean = gains.size, float(np.mean(gains))
    lags = overlap_lags(count, 1)
    # The t-statistic of the same deviations around one is the reciprocal of their standard error.
    error = 1.0 / newey_west_t(gains - mean + 1.0, lags)
    p = newey_west_p(mean / error, count, lags, 1)
    width = float(stdtrit(1.5 * count / lags, 0.5 + confidence / 2.0)) * error / (1.0 - lags / count) ** 0.5
    return Difference(mean, mean - width, mean + width, p, count)


def fissler_ziegel(
    losses: NDArray[np.float64],
    value_at_risk: NDArray[np.float64],
    shortfall: NDArray[np.float64],
    confidence: float,
) -> NDArray[np.float64]:
    """Return the FZ0 loss of each forecast pair (Patton, Ziegel & Chen 2019, equation 6); less is better.

    With x the loss, V and E > 0 its forecasts: ``1{x >= V} (x - V) / ((1 - c) E) + V / E + ln E - 1``. The
    paper states it for returns, whose quantile and shortfall are -V and -E.
    """
    beyond = np.maximum(losses - value_at_risk, 0.0) / ((1.0 - confidence) * shortfall)
    return np.asarray(beyond + value_at_risk / shortfall + np.log(shortfall) - 1.0)


def quantile_loss(
    losses: NDArray[np.float64], value_at_risk: NDArray[np.float64], confidence: float
) -> NDArray[np.float64]:
    """Return the tick loss of a forecast of the c-quantile, in the unit of the losses; less is better."""
    return np.asarray((confidence - (losses < value_at_risk)) * (losses - value_at_risk))


def three_measures(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return VaR at a confidence, and VaR and ES at the level of the latter, of past losses (days,)."""
    level = RISK.es_confidence
    value_at_risk, threshold = (forecast_value_at_risk(losses, each) for each in (confidence, level))
    return np.stack([value_at_risk, threshold, forecast_expected_shortfall(losses, level)])
