"""Standardised residuals of all calibrated instruments: what simulation and dependence rest on."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.residuals import fill_missing, filtered
from acceleray.quant.spans import outside
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.calibrate.stand_ins import stand_in


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
    residual. A day on which its market was closed has a residual of zero, one that ends a suspension that of
    one day (see `spans.outside`); one that moves by proxy has those of what stands in for it,
    brought to variance one. Days before its listing are filled (see `quant.residuals`).
    """
    returns, usable = calibration.returns, calibration.usable
    values, unseen = seen_and_unseen(calibration, window_d, standstill_d)
    residuals = np.full((len(values), usable.size), np.nan)
    for place, position in enumerate(usable):
        fit = calibration.fits[position]
        assert fit.parameters is not None
        if fit.status != "proxied":
            residuals[:, place], _ = filtered(
                values[:, position], fit.parameters, fit.initial_variance, unseen[:, position]
            )
    residuals = residuals[-residual_window_d:]
    residuals = with_moves_of_proxies(calibration, residuals)
    # A day on which every market was closed is not drawn.
    some = np.isfinite(values[-residual_window_d:, usable]).any(axis=1)
    keys = [instrument_key(returns.instruments[position]) for position in usable]
    filled, _ = fill_missing(residuals[some], seed, keys)
    return filled, returns.dates[-len(residuals) :][some]


def seen_and_unseen(
    calibration: Calibration, window_d: int, standstill_d: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the returns of the last days that models see, and what the other days did as returns of one day.

    Both of shape (days, instruments), NaN elsewhere and before the end of an instrument's last standstill.
    """
    seen = after_standstills(calibration.seen[-window_d:], standstill_d, calibration.held)
    other = outside(
        calibration.returns.values[-window_d:],
        calibration.returns.spans[-window_d:],
        calibration.longest_span_d,
    )
    begun = np.isfinite(seen).argmax(axis=0)
    return seen, np.where(np.arange(len(seen))[:, None] < begun, np.nan, other)


def with_moves_of_proxies(calibration: Calibration, residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return residuals (days, usable instruments) with those of instruments that move by proxy."""
    names = [calibration.returns.instruments[position] for position in calibration.usable]
    places = {name: place for place, name in enumerate(names)}
    moves = residuals.copy()
    for place, position in enumerate(calibration.usable):
        if calibration.fits[position].status == "proxied":
            lent = residuals[:, [places[name] for name in stand_in(calibration, names[place]).of]]
            moves[:, place] = lent[:, 0] if lent.shape[1] == 1 else common_move(lent)
    return moves


def common_move(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each day's mean of the residuals (days, instruments) known on it, brought to variance one.

    Of shape (days,), NaN on a day without any.
    """
    known = np.isfinite(residuals)
    total, count = np.where(known, residuals, 0.0).sum(axis=1), known.sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(residuals), np.nan), where=count > 0)
    spread = float(np.nanstd(mean)) if np.isfinite(mean).any() else 0.0
    return mean / spread if spread > 0.0 else mean


def instrument_key(name: str) -> int:
    """Return a number that stays with an instrument whatever else is in the universe."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
