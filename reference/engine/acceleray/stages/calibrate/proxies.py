"""Instruments without a model: why they have none, and the proxy by which they move all the same.

An instrument that calibration refused is still in the book. Left out of the scenarios it would be at no risk,
and the headline would be too small. So it moves as its group or all others do, at its own volatility: see
`stand_ins`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.cash_like import of_constant_variance
from acceleray.quant.garch import GjrFit
from acceleray.settings import Settings
from acceleray.stages.calibrate.stand_ins import stand_in
from acceleray.tables import CALIBRATION

if TYPE_CHECKING:
    from acceleray.stages.calibrate.stage import Calibration

# A return this many robust deviations from the median is no news about volatility but a fault in the price,
# or a story of its own. GARCH-t innovations of real stocks stay below some 15.
OUTLYING = 20.0
# The standard deviation of a normal variable over its median absolute deviation.
_NORMAL = 1.4826
# Instruments that have a line each on the console.
TOLD = 5
# Fewer returns than a month say nothing about volatility.
_MINIMUM_RETURNS = 21


def causes(returns: Panel, fits: Sequence[GjrFit], window_d: int) -> dict[str, str]:
    """Return why each instrument without a model has none: its largest jump, if it has one, or the fit's
    reason.

    Args:
        returns: those of positions.
        fits: one an instrument.
        window_d: days that the fits have seen.
    """
    found = {}
    for place, fit in enumerate(fits):
        if not fit.modelled:
            jump = _largest_jump(returns, place, window_d) if fit.status == "failed" else ""
            found[returns.instruments[place]] = jump or fit.reason
    return found


def with_proxies(calibration: Calibration, settings: Settings, why: Mapping[str, str]) -> Calibration:
    """Return a calibration in which every instrument that trades and has no model moves by proxy.

    Its variance is constant: that of its returns in the residual window without outlying ones, or where there
    are fewer than a month of them the median of those that stand in for it. Without any calibrated instrument
    nothing can stand in, and the calibration is returned as it is.

    Args:
        calibration: fits as they came.
        settings: windows, and after how many days an instrument has ended.
        why: reasons in words, by instrument.
    """
    own = {
        name: (fit.next_sigma, fit.parameters.nu)
        for name, fit in zip(calibration.returns.instruments, calibration.fits, strict=True)
        if fit.status == "calibrated" and fit.parameters is not None
    }
    if not own:
        return calibration
    trading = calibration.returns.trading(settings.market_data.stale_after_d)
    window = calibration.seen[-settings.simulation.residual_window_d :]
    fits = list(calibration.fits)
    for place in np.flatnonzero(trading):
        if not fits[place].modelled:
            name = calibration.returns.instruments[place]
            typical, nu = np.median([own[one] for one in stand_in(calibration, name).of], axis=0)
            known = window[np.isfinite(window[:, place]), place]
            sigma = usual_deviation(known) if known.size >= _MINIMUM_RETURNS else float(typical)
            fits[place] = of_constant_variance("proxied", why[name], known.size, 0.0, sigma, float(nu))
    return replace(calibration, fits=tuple(fits))


def told(calibration: Calibration) -> list[str]:
    """Return a line for each instrument that moves by proxy; of many at most `TOLD` and one that counts."""
    names, places = calibration.returns.instruments, calibration.proxied.tolist()
    shown = places if len(places) <= TOLD + 1 else places[:TOLD]
    lines = [
        f"{names[place]} moves by proxy, {stand_in(calibration, names[place]).words}:"
        f" {calibration.fits[place].reason}"
        for place in shown
    ]
    if rest := len(places) - len(shown):
        lines.append(f"{rest:,} more instruments move by proxy: see {CALIBRATION.label}")
    return lines


def usual_deviation(returns: NDArray[np.float64]) -> float:
    """Return the standard deviation of returns of shape (days,) without the outlying ones."""
    usual = np.abs(returns - np.median(returns)) <= OUTLYING * _robust_deviation(returns)
    return float(np.std(returns[usual]))


def _largest_jump(returns: Panel, place: int, window_d: int) -> str:
    series = returns.values[-window_d:, place]
    known = np.flatnonzero(np.isfinite(series))
    values = series[known]
    distance = np.abs(values - np.median(values)) if values.size else values
    if not values.size or distance.max() <= OUTLYING * _robust_deviation(values):
        return ""
    at = known[int(distance.argmax())]
    day = returns.day(len(returns.dates) - len(series) + int(at))
    return f"jump of {100.0 * series[at]:+.0f} % on {day}"


def _robust_deviation(returns: NDArray[np.float64]) -> float:
    return _NORMAL * float(np.median(np.abs(returns - np.median(returns))))
