"""Standardised residuals of all calibrated instruments: what simulation and dependence rest on."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.garch import standardised_residuals
from acceleray.quant.residuals import fill_missing
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.stages.calibrate.stage import Calibration


def standardised(
    calibration: Calibration,
    window_d: int,
    residual_window_d: int,
    seed: int,
    standstill_d: int = LONGEST_STANDSTILL_D,
) -> tuple[NDArray[np.float64], NDArray[np.datetime64]]:
    """Return complete residuals of shape (days, usable instruments) and their days, ascending.

    The instruments stand in the order of `calibration.usable`. Each one's filter runs over the last
    `window_d` days, as its fit did; the last `residual_window_d` of them are kept, less days without any
    residual. Gaps are filled by proxy (see `quant.residuals`).
    """
    returns, usable = calibration.returns, calibration.usable
    values = after_standstills(returns.values[-window_d:], standstill_d)
    residuals = np.full((len(values), usable.size), np.nan)
    for place, position in enumerate(usable):
        fit = calibration.fits[position]
        assert fit.parameters is not None
        known = np.isfinite(values[:, position])
        series = values[known, position]
        residuals[known, place] = standardised_residuals(series, fit.parameters, fit.initial_variance)
    residuals = residuals[-residual_window_d:]
    some = np.isfinite(residuals).any(axis=1)
    keys = [instrument_key(returns.instruments[position]) for position in usable]
    filled, _ = fill_missing(residuals[some], seed, keys)
    return filled, returns.dates[-len(residuals) :][some]


def instrument_key(name: str) -> int:
    """Return a number that stays with an instrument whatever else is in the universe."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
