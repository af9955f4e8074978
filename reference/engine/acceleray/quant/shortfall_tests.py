"""Tests of expected shortfall forecasts: Z2 of Acerbi & Szekely, and the residuals of McNeil & Frey.

A loss is positive; an *exceedance* is a day whose loss was larger than the value-at-risk at the level of the
expected shortfall. Z2 sees too many exceedances and too large ones together; the residuals see their size
alone.
"""

import math

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.streams import Purpose, Stream

# Fewer exceedances than this say nothing about their mean.
FEWEST = 8
BOOTSTRAPS = 5000


def acerbi_szekely_z2(
    losses: NDArray[np.float64],
    value_at_risk: NDArray[np.float64],
    expected_shortfall: NDArray[np.float64],
    confidence: float,
) -> float:
    """Return Z2 of Acerbi & Szekely 2014: zero on average if the model is right, negative if too mild.

    All arrays are of shape (days,), losses positive, forecasts made the day before. Its spread falls with the
    number of days: about -0.70 is critical at 5 % for 250 days and 97.5 %, and about -0.12 for 7,312 (both
    normal); see `null_record` for the value of a record. Fewer exceptions than expected make it positive.
    """
    hits = np.asarray(losses) > np.asarray(value_at_risk)
    excess = np.where(hits, np.asarray(losses) / np.asarray(expected_shortfall), 0.0)
    return float(1.0 - excess.sum() / (excess.size * (1.0 - confidence)))


def exceedance_residuals(
    losses: NDArray[np.float64],
    value_at_risk: NDArray[np.float64],
    expected_shortfall: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return loss / expected shortfall - 1 of each exceedance, of shape (exceedances,), in the order of time.

    McNeil & Frey 2000, section 4.2, scaled by the forecast shortfall instead of the volatility, which not
    every model has: if the model is right they have mean zero either way.
    """
    losses = np.asarray(losses)
    hits = losses > np.asarray(value_at_risk)
    return np.asarray(losses[hits] / np.asarray(expected_shortfall)[hits] - 1.0)


def mean_in_errors(residuals: NDArray[np.float64]) -> float:
    """Return the mean of residuals in its standard errors; NaN with fewer than `FEWEST` or without spread."""
    if residuals.size < FEWEST:
        return math.nan
    spread = float(residuals.std(ddof=1))
    return float(residuals.mean()) / (spread / math.sqrt(residuals.size)) if spread > 0.0 else math.nan


def mcneil_frey(residuals: NDArray[np.float64], seed: int, index: int = 0) -> float:
    """Return the p-value that exceedance residuals have a mean of zero, against one above it.

    A bootstrap of the residuals less their mean, by their t statistic (McNeil & Frey 2000, section 4.2, after
    Efron & Tibshirani 1993, section 16.4), `BOOTSTRAPS` times; small: losses beyond value-at-risk are larger
    than the expected shortfall says. NaN with fewer than `FEWEST` residuals.
    """
    found = mean_in_errors(residuals)
    if not math.isfinite(found):
        return math.nan
    stream = Stream(seed, index, Purpose.EXCEEDANCES)
    drawn = np.asarray(stream.uniforms(BOOTSTRAPS * residuals.size) * residuals.size, dtype=np.int64)
    values = (residuals - residuals.mean())[drawn.reshape(BOOTSTRAPS, residuals.size)]
    spread = values.std(axis=1, ddof=1)
    usable = spread > 0.0
    statistics = values.mean(axis=1)[usable] / (spread[usable] / math.sqrt(residuals.size))
    return float((1 + np.sum(statistics >= found)) / (1 + statistics.size))
