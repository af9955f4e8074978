"""The horizons and methods that the one-day backtest leaves out, forecast in the past and held against it.

Windows of one horizon follow each other without overlap. A window's forecast is made on the evening before
its first day: with the fits of that day's block, the residuals before it and the volatilities of that
evening, paths are simulated day by day as the risk of today is, and the loss of the same positions is
compounded over the days that came. Paths of instruments are made once for all portfolios.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.comovement import Comovement
from acceleray.quant.copula import draw_shocks, t_copula
from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.residuals import fill_missing, filtered
from acceleray.quant.risk import largest_first
from acceleray.quant.scenarios import (
    ParameterArrays,
    compounded_returns,
    filtered_historical_returns,
    stack_parameters,
    with_drift,
)
from acceleray.quant.spans import modelled, outside
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D, after_standstills
from acceleray.quant.streams import Purpose, integers
from acceleray.settings import Risk
from acceleray.settings.section import Drift
from acceleray.stages.backtest.blocks import Block
from acceleray.stages.backtest.positions import Held, Positions, replayed_losses
from acceleray.stages.calibrate.dependence import estimate
from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL, T_COPULA

SCENARIOS = 2000
"""Paths of each forecast: as a rank among so many and the outcome, its quantile is exceeded as it says."""


@dataclass(frozen=True)
class Question:
    """One method at one horizon, and the rows on which its windows begin, ascending."""

    method: str
    horizon_d: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """Forecasts (portfolios, windows, 3) for the windows of a block, and losses (portfolios, windows).

    Both are shares of NAV, NaN where a portfolio is not tested. The three are value at risk, and value at
    risk and expected shortfall at the level of the latter.
    """

    forecasts: NDArray[np.float64]
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class _Past:
    """What is known within one block: residuals (days, instruments) of `days`, volatilities of its rows."""

    days: NDArray[np.int64]
    comovement: Comovement
    sigma: NDArray[np.float64]
    parameters: ParameterArrays
    margins: NDArray[np.float64]
    columns: NDArray[np.int64]

    def window(self, row: int, longest: int) -> NDArray[np.float64]:
        """Return the residuals of the last days before a row, at most so many, as they were."""
        end = int(np.searchsorted(self.days, row))
        return self.comovement.residuals[max(end - longest, 0) : end]

    def replayed(self, row: int, longest: int) -> NDArray[np.float64]:
        """Return the same at the correlation of the evening before the row (see `quant.comovement`)."""
        end = int(np.searchsorted(self.days, row))
        return self.comovement.replayed(max(end - longest, 0), end)


def forecast_windows(
    block: Block,
    returns: NDArray[np.float64],
    span_d: NDArray[np.float64],
    positions: Positions | None = None,
    *,
    questions: Sequence[Question],
    residual_window: int,
    risk: Risk,
    seed: int,
    drift: Drift = "fitted",
    standstill_d: int = LONGEST_STANDSTILL_D,
    longest_span_d: int = 1,
    apart: NDArray[np.bool_] | None = None,
    arithmetic: NDArray[np.bool_] | None = None,
) -> list[Answer]:
    """Return for each question the forecasts of the windows that begin in a block, and what happened.

    ``returns`` and ``span_d`` (days, instruments) reach beyond the block, as the last windows do; a forecast
    uses the days before its window only. Random numbers belong to (seed, first day of the window), those of
    the copula to (seed, first day of the block). Instruments `apart` (instruments,) say nothing about how the
    others move together; returns of `arithmetic` ones add up over a window. Without `positions` it is the
    reference portfolio alone.
    """
    usable = np.array([fit.parameters is not None for fit in block.fits])
    held = (positions or Positions.reference(len(usable))).known(usable)
    inside = [
        np.array([row for row in each.rows if block.first <= row < block.last], dtype=np.int64)
        for each in questions
    ]
    known = returns[: block.last - 1]
    past = _past(block, known, span_d, residual_window, seed, standstill_d, longest_span_d, apart)
    adding = np.zeros(past.columns.size, dtype=np.bool_) if arithmetic is None else arithmetic[past.columns]
    parameters = replace(with_drift(past.parameters, drift), arithmetic=adding)
    longest = max((each.horizon_d for each in questions if each.method == T_COPULA), default=0)
    shocks = _shocks(past, block.first, residual_window, longest, seed) if longest else np.empty((0, 0, 0))
    lines = held.lines.among(past.columns)
    weights = held.scaled[held.tested][:, held.lines.known(past.columns)]
    answers = []
    for question, rows in zip(questions, inside, strict=True):
        forecasts = np.full((len(held.whole), len(rows), 3), np.nan)
        losses = np.full((len(held.whole), len(rows)), np.nan)
        for place, row in enumerate(rows.tolist()):
            sigma = past.sigma[row - block.first]
            if question.method == FILTERED_HISTORICAL:
                replayed = past.replayed(row, residual_window)
                size = SCENARIOS * question.horizon_d
                drawn = integers(seed, row, Purpose.BACKTEST_DAYS, size, len(replayed))
                moved = filtered_historical_returns(
                    drawn.reshape(SCENARIOS, question.horizon_d), replayed, parameters, sigma
                )
            else:
                moved = compounded_returns(shocks[:, : question.horizon_d], parameters, sigma)
            simulated = replayed_losses(lines.of(moved), weights)
            forecasts[held.tested, place] = [_three(each, risk) for each in simulated]
            came = returns[row : row + question.horizon_d]
            losses[:, place] = _realised(held, past.columns, came[:, past.columns], adding)
        forecasts[np.isnan(losses)] = np.nan
        answers.append(Answer(forecasts, losses))
    return answers


def _past(
    block: Block,
    known: NDArray[np.float64],
    span_d: NDArray[np.float64],
    residual_window: int,
    seed: int,
    standstill_d: int,
    longest_span_d: int,
    apart: NDArray[np.bool_] | None,
) -> _Past:
    """Return what the fits of a block make of the days before its last one, as in the one-day backtest."""
    fits = [(column, fit) for column, fit in enumerate(block.fits) if fit.parameters is not None]
    columns = np.array([column for column, _ in fits])
    held = [fit.status == "held" for fit in block.fits]
    spanned = span_d[: len(known)]
    seen, other = modelled(known, spanned, longest_span_d), outside(known, spanned, longest_span_d)
    begun = np.isfinite(after_standstills(seen[: block.first], standstill_d, held)).argmax(axis=0)
    left_out = np.arange(len(known))[:, np.newaxis] < begun
    seen, other = (np.where(left_out, np.nan, values) for values in (seen, other))
    residuals = np.empty((len(known), columns.size))
    sigma = np.empty((block.last - block.first, columns.size))
    for place, (column, fit) in enumerate(fits):
        assert fit.parameters is not None
        residuals[:, place], path = filtered(
            seen[:, column], fit.parameters, fit.initial_variance, other[:, column]
        )
        sigma[:, place] = path[block.first : block.last]
    days = np.flatnonzero(np.isfinite(residuals).any(axis=1))
    before = int(np.searchsorted(days, block.first))
    skipped = max(before - residual_window, 0)
    days = days[skipped:]
    keys = [int(column) for column in columns]
    filled, _ = fill_missing(residuals[days], seed, keys, before - skipped)
    own = np.array([fit.status == "calibrated" for _, fit in fits])
    members = own if apart is None else own & ~apart[columns]
    comovement = Comovement.of(filled, members, before - skipped)
    parameters = [fit.parameters for _, fit in fits if fit.parameters is not None]
    margins = np.array([each.nu for each in parameters])
    return _Past(days, comovement, sigma, stack_parameters(parameters), margins, columns)


def _shocks(past: _Past, first: int, residual_window: int, horizon_d: int, seed: int) -> NDArray[np.float64]:
    """Return shocks (scenarios, horizon, instruments) of the t copula of the residuals before a block."""
    residuals = past.window(first, residual_window)
    shrunk, fitted = estimate((len(residuals), past.columns.size), residuals)
    copula = t_copula(shrunk.correlation, fitted.nu, past.margins)
    return np.concatenate(list(draw_shocks(copula, seed, first, SCENARIOS, horizon_d)))


def _three(losses: NDArray[np.float64], risk: Risk) -> list[float]:
    weights = (
        quantile_weights(losses.size, risk.var_confidence),
        quantile_weights(losses.size, risk.es_confidence),
        shortfall_weights(losses.size, risk.es_confidence),
    )
    kept = max(each.size for each in weights)
    top = largest_first(np.partition(losses, losses.size - kept)[np.newaxis, losses.size - kept :])
    return [float(weighted_losses(top, each)[0]) for each in weights]


def _realised(
    held: Held, columns: NDArray[np.int64], returns: NDArray[np.float64], adding: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the losses (portfolios,) over a window of returns (days, columns), NaN with too little of them.

    They compound, or add up where `adding` says so. Held are the instruments with a return on the first day
    of the window; one that ends keeps its last value.
    """
    begun = np.isfinite(returns[0])
    earned = np.where(np.isfinite(returns), returns, 0.0)
    growth = np.where(adding, 1.0 + earned.sum(axis=0), np.prod(1.0 + earned, axis=0))
    some = np.full((1, held.instruments), np.nan)
    some[0, columns[begun]] = growth[begun] - 1.0
    losses = np.full(len(held.whole), np.nan)
    for place in held.tested.tolist():
        gained, covered = held.earned(place, some)
        losses[place] = -gained[0] if covered[0] >= held.least_covered else np.nan
    # Equal weights as they were always taken: the mean of what the instruments are worth.
    losses[held.equal] = -(growth[begun].mean() - 1.0) if begun.any() else 0.0
    return losses
