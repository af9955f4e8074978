"""One input at a time, from the risk of yesterday to that of today.

The order is stated, because the parts depend on it: (1) yesterday's positions, market and parameters, (2)
today's positions at yesterday's prices, (3) and today's instruments, (4) and today's prices and returns, with
the volatility that yesterday's parameters make of them, (5) and today's parameters. What is reported today is
(5); each part is a step less the one before.

Where quantities stay and prices move, weights move with step (4); see `drift`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.garch import GjrFit
from acceleray.quant.residuals import filtered
from acceleray.settings import Settings
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.residuals import seen_and_unseen
from acceleray.stages.calibrate.stage import Calibration


@dataclass(frozen=True)
class Inputs:
    """Inputs of a number from filtered historical simulation.

    All inputs that are compared have the same instruments, lines and portfolios, in the same order.
    """

    calibration: Calibration
    book: Book


def steps(
    before: Inputs, today: Inputs, settings: Settings, then: NDArray[np.float64] | None = None
) -> tuple[Inputs, ...]:
    """Return the inputs of steps (1) to (4); those of (5) are `today`.

    An instrument is new, or has ended, where it has a model on one of the two days alone. A position in it
    changes with step (3), any other with step (2).

    `then` (portfolios, lines) are today's positions at yesterday's prices; today's weights where none are
    given.
    """
    then = today.book.weights if then is None else then
    lines = today.book.lines
    known = [_known(lines.known(each.calibration.usable), len(lines)) for each in (before, today)]
    both, ended = known[0] & known[1], known[0] & ~known[1]
    kept = np.where(both, then, np.where(ended, before.book.weights, 0.0))
    second = Inputs(before.calibration, replace(before.book, weights=kept))
    universe = replace(before.calibration, fits=_fits(before.calibration, today.calibration))
    third = Inputs(universe, replace(today.book, weights=np.where(both, then, today.book.weights)))
    fourth = Inputs(_with_returns(universe, before.calibration, today.calibration, settings), today.book)
    return before, second, third, fourth


def _known(places: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    found = np.zeros(count, dtype=np.bool_)
    found[places] = True
    return found


def _fits(before: Calibration, today: Calibration) -> tuple[GjrFit, ...]:
    """Return yesterday's fits of the instruments that have a model on both days, today's of the others."""
    return tuple(
        old if old.modelled and new.modelled else new
        for old, new in zip(before.fits, today.fits, strict=True)
    )


def _with_returns(
    universe: Calibration, before: Calibration, today: Calibration, settings: Settings
) -> Calibration:
    """Return today's returns with yesterday's parameters: their volatility forecast sees today's returns."""
    moved = replace(universe, returns=today.returns)
    window_d, standstill_d = settings.calibration.window_d, settings.market_data.stale_price_d
    seen, _ = seen_and_unseen(moved, window_d, standstill_d)
    fits = []
    for place, fit in enumerate(universe.fits):
        forecast = fit.next_sigma
        # Held and proxied instruments have one volatility for all days.
        if fit is before.fits[place] and fit.status == "calibrated" and fit.parameters is not None:
            _, sigma = filtered(seen[:, place], fit.parameters, fit.initial_variance)
            forecast = float(sigma[-1])
        fits.append(replace(fit, next_sigma=forecast))
    return replace(moved, fits=tuple(fits))
