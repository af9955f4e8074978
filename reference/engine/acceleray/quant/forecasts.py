"""One-day-ahead risk forecasts of one portfolio, each from the days before it only.

Four models side by side, from plain history to a calibrated filter. A result is a positive loss as a fraction
of the portfolio's value. The default measure is value-at-risk; pass ``forecast_expected_shortfall`` (or its
Gaussian sibling) for that instead. A measure may return several numbers of the same losses: then they come
first in the result's shape, and the days last. Models that replay past losses share one rule: the last
``window`` of them, or as many as there are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.ewma import ewma_variance
from acceleray.quant.garch import GjrFit
from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.past import MINIMUM_DAYS, Past
from acceleray.quant.risk import gaussian_value_at_risk, largest_first

Measure = Callable[[NDArray[np.float64], float], NDArray[np.float64]]


def forecast_value_at_risk(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the value-at-risk that a sample of past losses (days,) forecasts, of shape ().

    The interpolated rank (n + 1)(1 - c), which the next loss exceeds with probability 1 - c whatever the law
    (Hyndman & Fan 1996, type 6); the plain quantile of ``risk.value_at_risk`` promises 1.198 % at 500 days
    and 99 %. Negative where even this quantile is a gain.
    """
    return _weighted(losses, quantile_weights(losses.size, confidence))


def forecast_expected_shortfall(losses: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Return the mean of the same quantile function beyond the confidence; arguments and shape as there."""
    return _weighted(losses, shortfall_weights(losses.size, confidence))


def forecast_at_both(
    losses: NDArray[np.float64], confidence: float, es_confidence: float
) -> NDArray[np.float64]:
    """Return value-at-risk at the first level, and value-at-risk and shortfall at the second, of shape (3,).

    The same numbers as those of the two functions above, from looking through the losses once. Of losses
    (portfolios, days) it is of shape (3, portfolios); a portfolio gets the bits it gets alone.
    """
    days = losses.shape[-1]
    weights = (
        quantile_weights(days, confidence),
        quantile_weights(days, es_confidence),
        shortfall_weights(days, es_confidence),
    )
    largest = _largest(losses, max(each.size for each in weights))
    found = np.array([weighted_losses(largest, each) for each in weights])
    return found.reshape(3, *losses.shape[:-1])


def _weighted(losses: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return weighted_losses(_largest(losses, weights.size), weights)[0]


def _largest(losses: NDArray[np.float64], kept: int) -> NDArray[np.float64]:
    rows, days = np.atleast_2d(losses), losses.shape[-1]
    return largest_first(rows if kept == days else np.partition(rows, days - kept)[:, days - kept :])


def over_windows(
    days: Iterable[NDArray[np.float64]], windows: Sequence[int], confidence: float, measure: Measure
) -> NDArray[np.float64]:
    """Return a measure of the last losses before each day, of shape (windows, ..., days).

    ``days`` yields for each day the losses (..., days) to be replayed on it, the oldest first, at least those
    of the longest window or as many as there are.
    """
    found = [[measure(losses[..., -window:], confidence) for window in windows] for losses in days]
    return np.moveaxis(np.array(found), 0, -1)


def historical_losses(portfolio_returns: NDArray[np.float64], start: int) -> Iterator[NDArray[np.float64]]:
    """Yield the losses before each day from ``start`` to the last, the oldest first, as they were."""
    losses = past_losses(portfolio_returns, start)
    return (losses[:day] for day in range(start, losses.size))


def past_losses(portfolio_returns: NDArray[np.float64], start: int) -> NDArray[np.float64]:
    """Return the losses (days,) of which historical simulation replays those before each day from
    ``start``.
    """
    return -_series(portfolio_returns, start, MINIMUM_DAYS)


def historical_simulation(
    portfolio_returns: NDArray[np.float64],
    start: int,
    window: int = 2000,
    confidence: float = 0.99,
    measure: Measure = forecast_value_at_risk,
) -> NDArray[np.float64]:
    """Return forecasts for days ``start`` to the last, of shape (days - start,), from the past as it was.

    Each is the risk of the portfolio in the ``window`` days before, all equally likely. Raises ValueError
    where a return is missing or ``start`` leaves fewer than `MINIMUM_DAYS` before it.
    """
    return over_windows(historical_losses(portfolio_returns, start), (window,), confidence, measure)[0]


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


def ewma_filtered_losses(
    portfolio_returns: NDArray[np.float64], start: int, decay: float = 0.94
) -> Iterator[NDArray[np.float64]]:
    """Yield the losses before each day, each over the volatility of its day times that of the day ahead.

    Hull & White 1998 with exponentially weighted variances. The first day of all has no volatility.
    """
    residuals, sigma = ewma_residuals(portfolio_returns, start, decay)
    return (residuals[: start - 1 + step] * today for step, today in enumerate(sigma))


def ewma_residuals(
    portfolio_returns: NDArray[np.float64], start: int, decay: float = 0.94
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return losses over the volatility of their day, from the second day on, and the volatilities from
    ``start``.
    """
    returns = _series(portfolio_returns, start, MINIMUM_DAYS + 1)
    sigma = np.sqrt(ewma_variance(returns, decay)[:-1])
    if not bool(np.all(sigma[1:] > 0.0)):
        raise ValueError("the series starts with returns of zero: leave them out")
    return -returns[1:] / sigma[1:], sigma[start:]


def filtered_historical_ewma(
    portfolio_returns: NDArray[np.float64],
    start: int,
    window: int = 2000,
    decay: float = 0.94,
    confidence: float = 0.99,
    measure: Measure = forecast_value_at_risk,
) -> NDArray[np.float64]:
    """Return forecasts for days ``start`` to the last from past days rescaled to today's volatility.

    The losses are those of ``ewma_filtered_losses``; otherwise as ``historical_simulation``.
    """
    return over_windows(
        ewma_filtered_losses(portfolio_returns, start, decay), (window,), confidence, measure
    )[0]


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
    measure: Measure = forecast_value_at_risk,
    unseen: NDArray[np.float64] | None = None,
    arithmetic: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return forecasts for days ``first`` to ``last - 1``, of shape (last - first,), from one set of fits.

    Each is a measure of the last ``window`` losses of ``calibrated_losses``, whose arguments these are.
    """
    days = calibrated_losses(
        asset_returns, weights, first, last, fits, window, seed, unseen, arithmetic=arithmetic
    )
    return over_windows(days, (window,), confidence, measure)[0]


def calibrated_losses(
    asset_returns: NDArray[np.float64],
    weights: NDArray[np.float64],
    first: int,
    last: int,
    fits: Sequence[GjrFit | None],
    window: int = 2000,
    seed: int = 0,
    unseen: NDArray[np.float64] | None = None,
    members: NDArray[np.bool_] | None = None,
    drift: Literal["fitted", "zero"] = "fitted",
    arithmetic: NDArray[np.bool_] | None = None,
) -> Iterator[NDArray[np.float64]]:
    """Yield the losses to be replayed on each of the days ``first`` to ``last - 1``, the oldest first.

    Those of the portfolio of ``available_weights``, in the ``calibrated_moves`` of the assets that it holds;
    all other arguments and errors are as there.
    """
    held = available_weights(weights, fits)
    columns = np.flatnonzero(held)
    moves = calibrated_moves(
        asset_returns, columns, first, last, fits, window, seed, unseen, members, drift, arithmetic
    )
    return (-(moved @ held[columns]) for moved in moves)


def calibrated_moves(
    asset_returns: NDArray[np.float64],
    columns: NDArray[np.int64],
    first: int,
    last: int,
    fits: Sequence[GjrFit | None],
    window: int = 2000,
    seed: int = 0,
    unseen: NDArray[np.float64] | None = None,
    members: NDArray[np.bool_] | None = None,
    drift: Literal["fitted", "zero"] = "fitted",
    arithmetic: NDArray[np.bool_] | None = None,
) -> Iterator[NDArray[np.float64]]:
    """Yield the moves (replayed days, columns) of some assets for each of the days ``first`` to ``last - 1``.

    They do not depend on what a portfolio holds: made once, they serve any number of portfolios.
    ``asset_returns`` (days, assets) may have gaps; ``columns`` are the places of the assets, all with a fit;
    ``fits`` must have been estimated on days before ``first``. ``unseen``, of the shape of the returns, are
    returns of days that the fits left out (see ``spans.outside``). For day t each asset's returns before t
    are filtered with its fit, and the residuals of one past day are replayed for all assets together at the
    volatilities forecast for t (Barone-Adesi, Giannopoulos & Vosper 1999) and at the correlation of that time
    (see ``comovement``; ``members`` (assets,) are those whose mean it follows). `replay` gives the losses of
    portfolios in these moves without making them. Replayed are the last
    ``window`` days before t, or as many as there are, the oldest first. Nothing loses more than its value but
    ``arithmetic`` assets, a mask (assets,).
    Gaps are filled as in ``fill_missing``, learnt from days before ``first``; ``seed`` serves only there.
    With a ``drift`` of zero, replayed days leave out the mean return of the fit.
    Residuals, unlike returns, are close to identically distributed, so the window can be long: 2,000 days put
    20 scenarios beyond 99 %, where 500 put 5.
    """
    past = Past.of(asset_returns, columns, first, last, fits, window, seed, unseen, members)
    means = means_of(fits, columns, drift)
    least = np.full(columns.size, -1.0)
    if arithmetic is not None:
        least[arithmetic[columns]] = -np.inf
    for step in range(last - first):
        yield np.maximum(past.replayed(step, window) * past.sigma[step] + means, least)


def means_of(
    fits: Sequence[GjrFit | None], columns: NDArray[np.int64], drift: Literal["fitted", "zero"]
) -> NDArray[np.float64]:
    """Return the mean return of a day of each column, all with a fit; none where the drift is zero."""
    found = [fit for fit in (fits[int(column)] for column in columns) if fit is not None]
    return np.array([each.parameters.mu if drift == "fitted" and each.parameters else 0.0 for each in found])


def _series(returns: NDArray[np.float64], start: int, needed: int) -> NDArray[np.float64]:
    returns = np.asarray(returns, dtype=np.float64)
    if returns.ndim != 1 or not bool(np.all(np.isfinite(returns))):
        raise ValueError("forecasts need one series of portfolio returns, none of them missing")
    if not needed <= start < returns.size:
        raise ValueError(f"the first forecast is for day {start}: it must be {needed} to {returns.size - 1}")
    return returns
