"""One-day-ahead risk forecasts of one portfolio, each from the days before it only.

Four models side by side, from plain history to a calibrated filter. A result is a positive loss as a fraction
of the portfolio's value. The default measure is value-at-risk; pass ``expected_shortfall`` (or its Gaussian
sibling) for that instead. A measure may return several numbers of the same losses: then they come first in
the result's shape, and the days last.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.ewma import ewma_variance
from acceleray.quant.garch import GjrFit
from acceleray.quant.residuals import fill_missing, filtered
from acceleray.quant.risk import gaussian_value_at_risk, value_at_risk

Measure = Callable[[NDArray[np.float64], float], NDArray[np.float64]]

# Days of residuals before a block without which its forecasts would rest on a handful of days.
_MINIMUM_RESIDUAL_DAYS = 100


def historical_simulation(
    portfolio_returns: NDArray[np.float64],
    start: int,
    window: int = 500,
    confidence: float = 0.99,
    measure: Measure = value_at_risk,
) -> NDArray[np.float64]:
    """Return forecasts for days ``start`` to the last, of shape (days - start,), from the past as it was.

    Each is the risk of the portfolio in the ``window`` days before, all equally likely. Raises ValueError
    where a return is missing or ``start`` leaves less than a window before it.
    """
    returns = _series(portfolio_returns, start, window)
    return np.asarray(measure(_windows(-returns, start, window).T, confidence))


def ewma_normal(
    portfolio_returns: NDArray[np.float64],
    start: int,
    decay: float = 0.94,
    confidence: float = 0.99,
    measure: Measure = gaussian_value_at_risk,
) -> NDArray[np.float64]:
    """Return forecasts for days ``start`` to the last from a normal return of mean zero.

    Its variance is exponentially weighted: J.P. Morgan/Reuters 1996. Arguments, shape and errors as in
    ``historical_simulation``.
    """
    returns = _series(portfolio_returns, start, 1)
    sigma = np.sqrt(ewma_variance(returns, decay)[start:-1])
    return np.asarray(measure(sigma, confidence))


def filtered_historical_ewma(
    portfolio_returns: NDArray[np.float64],
    start: int,
    window: int = 500,
    decay: float = 0.94,
    confidence: float = 0.99,
    measure: Measure = value_at_risk,
) -> NDArray[np.float64]:
    """Return forecasts for days ``start`` to the last from past days rescaled to today's volatility.

    Hull & White 1998 with exponentially weighted variances: each day is divided by the volatility forecast
    for it and multiplied by that for the day ahead.
    The first day has no volatility, so ``start`` must exceed ``window``. Otherwise as
    ``historical_simulation``.
    """
    returns = _series(portfolio_returns, start, window + 1)
    sigma = np.sqrt(ewma_variance(returns, decay)[:-1])
    if not bool(np.all(sigma[1:] > 0.0)):
        raise ValueError("the series starts with returns of zero: leave them out")
    residuals = np.zeros(returns.size)
    residuals[1:] = returns[1:] / sigma[1:]
    return np.asarray(
        measure((_windows(-residuals, start, window) * sigma[start:, np.newaxis]).T, confidence)
    )


def available_weights(weights: NDArray[np.float64], fits: Sequence[GjrFit | None]) -> NDArray[np.float64]:
    """Return the weights of the assets with a calibrated fit, scaled to keep the gross weight.

    The other assets get zero. Gross weight is the sum of sizes: the sum of a hedged portfolio may be zero.
    The realised return to test a calibrated forecast against is that of these weights.
    Raises ValueError where no asset is calibrated, or none that is held.
    """
    usable = np.array([fit is not None and fit.modelled for fit in fits], dtype=bool)
    kept = np.where(usable, np.asarray(weights, dtype=np.float64), 0.0)
    gross = float(np.abs(kept).sum())
    if gross == 0.0:
        raise ValueError("no part of the portfolio has a calibrated volatility model")
    return np.asarray(kept * (float(np.abs(weights).sum()) / gross))


def filtered_historical_calibrated(
    asset_returns: NDArray[np.float64],
    weights: NDArray[np.float64],
    first: int,
    last: int,
    fits: Sequence[GjrFit | None],
    window: int = 2000,
    confidence: float = 0.99,
    seed: int = 0,
    measure: Measure = value_at_risk,
    unseen: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return forecasts for days ``first`` to ``last - 1``, of shape (last - first,), from one set of fits.

    ``asset_returns`` (days, assets) may have gaps; ``fits`` must have been estimated on days before
    ``first``. ``unseen``, of the same shape, are returns of days that the fits left out (see
    ``spans.outside``). For day t each asset's returns before t are filtered with its fit, the residuals of
    one past day are replayed for all assets together at the volatilities forecast for t (Barone-Adesi,
    Giannopoulos & Vosper 1999), and the portfolio of ``available_weights`` is valued in each of the last
    ``window`` days before t, or as many as there are.
    Gaps are filled as in ``fill_missing``, learnt from days before ``first``; ``seed`` serves only there.
    Residuals, unlike returns, are close to identically distributed, so the window can be long: 2,000 days put
    20 scenarios beyond 99 %, where 500 put 5.
    """
    asset_returns = np.asarray(asset_returns, dtype=np.float64)
    if not 0 < first < last <= asset_returns.shape[0]:
        raise ValueError(f"days {first} to {last} do not lie within the {asset_returns.shape[0]} days given")
    held = available_weights(weights, fits)
    columns = np.flatnonzero(held)
    # Nothing on or after the last day forecast is looked at, and its own return only drops off the end.
    known = asset_returns[: last - 1, columns]
    sigma = np.empty((last - first, columns.size))
    means = np.empty(columns.size)
    residuals = np.full(known.shape, np.nan)
    for place, column in enumerate(columns):
        fit = fits[int(column)]
        if fit is None or fit.parameters is None:
            raise ValueError("a calibrated fit must carry parameters")
        left_out = None if unseen is None else unseen[: last - 1, column]
        residuals[:, place], path = filtered(known[:, place], fit.parameters, fit.initial_variance, left_out)
        sigma[:, place] = path[first:last]
        means[place] = fit.parameters.mu

    some = np.isfinite(residuals).any(axis=1)
    days = np.flatnonzero(some)
    before_first = int(np.searchsorted(days, first))
    if before_first < _MINIMUM_RESIDUAL_DAYS:
        raise ValueError(f"{before_first} days before day {first} are too few to replay")
    skipped = max(before_first - window, 0)
    days = days[skipped:]
    filled, _ = fill_missing(
        residuals[days], seed, [int(column) for column in columns], before_first - skipped
    )

    forecasts = []
    for step, day in enumerate(range(first, last)):
        end = int(np.searchsorted(days, day))
        replayed = filled[max(end - window, 0) : end] * sigma[step] + means
        forecasts.append(measure(-(np.maximum(replayed, -1.0) @ held[columns]), confidence))
    return np.stack(forecasts, axis=-1)


def _series(returns: NDArray[np.float64], start: int, needed: int) -> NDArray[np.float64]:
    returns = np.asarray(returns, dtype=np.float64)
    if returns.ndim != 1 or not bool(np.all(np.isfinite(returns))):
        raise ValueError("forecasts need one series of portfolio returns, none of them missing")
    if not needed <= start < returns.size:
        raise ValueError(f"the first forecast is for day {start}: it must be {needed} to {returns.size - 1}")
    return returns


def _windows(values: NDArray[np.float64], start: int, window: int) -> NDArray[np.float64]:
    """Return the values of the ``window`` days before each day from start, of shape (forecasts, window)."""
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    return np.asarray(views[start - window : values.size - window])
