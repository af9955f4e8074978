"""The horizons and methods that the one-day backtest leaves out, forecast in the past and held against it.

Windows of one horizon follow each other without overlap. A window's forecast is made on the evening before
its first day: with the fits of that day's block, the residuals before it and the volatilities of that
evening, paths are simulated day by day as the risk of today is, and the loss of the same positions is
compounded over the days that came. Paths of instruments are made once for all portfolios.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.copula import draw_shocks, t_copula
from acceleray.quant.garch import GjrFit
from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.past import Past
from acceleray.quant.risk import largest_first
from acceleray.quant.scenarios import (
    compounded_returns,
    filtered_historical_returns,
    stack_parameters,
    with_drift,
)
from acceleray.quant.stale_prices import LONGEST_STANDSTILL_D
from acceleray.quant.streams import Purpose, integers
from acceleray.settings import Risk
from acceleray.settings.section import Drift
from acceleray.stages.backtest.blocks import Block, members_of, seen_before
from acceleray.stages.backtest.positions import Held, Positions, replayed_losses
from acceleray.stages.calibrate.joint import estimate
from acceleray.stages.simulate.methods import FILTERED_HISTORICAL, T_COPULA

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
    compiled_in: Path | None = None,
) -> list[Answer]:
    """Return for each question the forecasts of the windows that begin in a block, and what happened.

    ``returns`` and ``span_d`` (days, instruments) reach beyond the block, as the last windows do; a forecast
    uses the days before its window only. Random numbers belong to (seed, first day of the window), those of
    the copula to (seed, first day of the block). Instruments `apart` (instruments,) say nothing about how the
    others move together; returns of `arithmetic` ones add up over a window. Without `positions` it is the
    reference portfolio alone. `compiled_in` is where machine code is kept: faster, the same to the bit.
    """
    usable = np.array([fit.parameters is not None for fit in block.fits])
    held = (positions or Positions.reference(len(usable))).known(usable)
    inside = [
        np.array([row for row in each.rows if block.first <= row < block.last], dtype=np.int64)
        for each in questions
    ]
    if not held.tested.size:
        return [_nothing(len(held.whole), rows.size) for rows in inside]
    columns = np.flatnonzero(usable)
    seen, unseen = seen_before(block, returns, span_d, standstill_d, longest_span_d)
    members, fits = members_of(block, apart), block.fits
    # As in the one-day backtest.
    past = Past.of(seen, columns, block.first, block.last, fits, residual_window, seed, unseen, members)
    adding = np.zeros(columns.size, dtype=np.bool_) if arithmetic is None else arithmetic[columns]
    stacked = stack_parameters([each.parameters for each in fits if each.parameters is not None])
    parameters = replace(with_drift(stacked, drift), arithmetic=adding)
    longest = max((each.horizon_d for each in questions if each.method == T_COPULA), default=0)
    shocks = np.empty((0, 0, 0))
    if longest:
        shocks = _shocks(past, fits, block.first, residual_window, longest, seed, compiled_in)
    lines = held.lines.among(past.columns)
    weights = held.scaled[held.tested][:, held.lines.known(past.columns)]
    answers = []
    for question, rows in zip(questions, inside, strict=True):
        answer = _nothing(len(held.whole), rows.size)
        forecasts, losses = answer.forecasts, answer.losses
        for place, row in enumerate(rows.tolist()):
            step = row - block.first
            sigma = past.sigma[step]
            if question.method == FILTERED_HISTORICAL:
                replayed = past.replayed(step, residual_window)
                size = SCENARIOS * question.horizon_d
                drawn = integers(seed, row, Purpose.BACKTEST_DAYS, size, len(replayed))
                moved = filtered_historical_returns(
                    drawn.reshape(SCENARIOS, question.horizon_d), replayed, parameters, sigma, compiled_in
                )
            else:
                moved = compounded_returns(shocks[:, : question.horizon_d], parameters, sigma, compiled_in)
            simulated = replayed_losses(lines.of(moved), weights)
            forecasts[held.tested, place] = [_three(each, risk) for each in simulated]
            came = returns[row : row + question.horizon_d]
            losses[:, place] = _realised(held, past.columns, came[:, past.columns], adding)
        forecasts[np.isnan(losses)] = np.nan
        answers.append(answer)
    return answers


def _nothing(portfolios: int, windows: int) -> Answer:
    """Return the answer about portfolios that are not tested."""
    return Answer(np.full((portfolios, windows, 3), np.nan), np.full((portfolios, windows), np.nan))


def forecast_some_windows(
    task: tuple[Block, tuple[int, ...]],
    returns: NDArray[np.float64],
    span_d: NDArray[np.float64],
    positions: Positions,
    **terms: Any,
) -> list[list[Answer]]:
    """Return the same of some portfolios, by their places, one by one."""
    block, places = task
    answers = forecast_windows(block, returns, span_d, positions.at(places), **terms)
    return [
        [Answer(each.forecasts[place : place + 1], each.losses[place : place + 1]) for each in answers]
        for place in range(len(places))
    ]


def _shocks(
    past: Past,
    fits: Sequence[GjrFit],
    first: int,
    residual_window: int,
    horizon_d: int,
    seed: int,
    compiled_in: Path | None,
) -> NDArray[np.float64]:
    """Return shocks (scenarios, horizon, instruments) of the t copula of the residuals before a block."""
    residuals = past.window(0, residual_window)
    shrunk, fitted = estimate((len(residuals), past.columns.size), residuals)
    margins = np.array([each.parameters.nu for each in fits if each.parameters is not None])
    copula = t_copula(shrunk.correlation, fitted.nu, margins)
    return np.concatenate(list(draw_shocks(copula, seed, first, SCENARIOS, horizon_d, compiled_in)))


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
