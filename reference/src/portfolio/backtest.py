"""Backtest: would the model have been right? Every out-of-sample day, four models side by side.

The history is cut into blocks. Before each block every instrument is calibrated anew on the past alone;
within the block forecasts roll forward day by day. Fits and blocks are Ray tasks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from portfolio.book import REFERENCE
from portfolio.calibrate import Calibration, fit_instrument
from portfolio.engines.arrays import Panel
from portfolio.quant.backtest import Verdict, verdict
from portfolio.quant.forecasts import (
    ewma_normal,
    filtered_historical_calibrated,
    filtered_historical_ewma,
    historical_simulation,
)
from portfolio.quant.garch import GjrFit
from portfolio.quant.standstill import after_standstills
from portfolio.run import Run
from portfolio.settings import Backtest
from portfolio.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS

MODELS = (
    "historical_simulation",
    "ewma_normal",
    "filtered_historical_ewma",
    "filtered_historical_calibrated",
)
HEADLINE = MODELS[-1]
# Fewer days than a trading year cannot judge a 99 % quantile.
MINIMUM_DAYS = 250


@dataclass(frozen=True)
class Block:
    """Days `first` to `last - 1` that share one calibration, and its fits."""

    first: int
    last: int
    fits: tuple[GjrFit, ...]


@dataclass(frozen=True)
class BlockForecasts:
    """Realised losses (days,) and forecasts (models, days), as shares of NAV."""

    losses: NDArray[np.float64]
    forecasts: NDArray[np.float64]


def backtest(run: Run, calibration: Calibration) -> dict[str, Verdict]:
    """Return and commit the verdict on each model; no verdicts where no day is out of sample.

    The portfolio is equally weighted over the instruments that were calibrated before each block: what one
    could have held and modelled on that day.
    """
    returns, settings = calibration.returns, run.settings.backtest
    blocks = _blocks(run, returns, settings)
    confidence = run.settings.risk.var_confidence
    results: list[BlockForecasts] = []
    if blocks:
        mapped = run.fan_out.map(
            forecast_block,
            blocks,
            (returns.values,),
            run.reporter.counter(len(blocks), "blocks of days forecast"),
            settings=settings,
            confidence=confidence,
            seed=run.settings.seed,
        )
        results = list(mapped)
    days = [returns.day(row) for block in blocks for row in range(block.first, block.last)]
    losses = np.concatenate([np.empty(0), *(result.losses for result in results)])
    forecasts = np.concatenate([np.empty((len(MODELS), 0)), *(r.forecasts for r in results)], axis=1)
    exceptions = losses > forecasts
    run.commit(
        BACKTEST_FORECASTS,
        pa.table(
            {
                "portfolio_id": [REFERENCE] * forecasts.size,
                "model": np.repeat(MODELS, len(days)),
                "confidence": np.full(forecasts.size, confidence),
                "date": pa.array(days * len(MODELS), pa.date32()),
                "value_at_risk_pct_nav": 100.0 * forecasts.ravel(),
                "loss_pct_nav": 100.0 * np.tile(losses, len(MODELS)),
                "exception": exceptions.ravel(),
            }
        ),
    )
    verdicts = {
        model: verdict(row, confidence) for model, row in zip(MODELS, exceptions, strict=True) if days
    }
    run.commit(BACKTEST_VERDICTS, _verdicts(verdicts, confidence))
    return verdicts


def passed(result: Verdict) -> tuple[bool, str]:
    """Return whether a model may be used, and why, in words; too few days are not a pass."""
    if result.days < MINIMUM_DAYS:
        return False, f"{result.days} out-of-sample days are too few to judge; {MINIMUM_DAYS} are needed"
    return result.passed, result.reason


def forecast_block(
    block: Block, returns: NDArray[np.float64], settings: Backtest, confidence: float, seed: int
) -> BlockForecasts:
    """Return what four models forecast for each day of a block, and what happened.

    `returns` (days, instruments) may reach beyond the block; a forecast uses the days before it only.
    """
    known = returns[: block.last]
    held = np.array([fit.status == "calibrated" for fit in block.fits])
    weights = held / held.sum()
    series = portfolio_returns(known, weights)
    # What was left out of the fits, for a standstill before the block, is left out of the residuals too.
    modelled = np.concatenate([after_standstills(known[: block.first]), known[block.first :]])
    historical, residual = settings.historical_window_d, settings.residual_window_d
    start = block.first
    forecasts = [
        historical_simulation(series, start, historical, confidence),
        ewma_normal(series, start, confidence=confidence),
        filtered_historical_ewma(series, start, historical, confidence=confidence),
        filtered_historical_calibrated(
            modelled, weights, start, block.last, block.fits, residual, confidence, seed
        ),
    ]
    return BlockForecasts(-series[block.first :], np.stack(forecasts))


def portfolio_returns(returns: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the portfolio's return each day, weights scaled up over the instruments that have one.

    A day on which none of them has a return counts as unchanged.
    """
    present = np.isfinite(returns)
    invested = np.sum(present * weights, axis=1)
    earned = np.sum(np.where(present, returns, 0.0) * weights, axis=1)
    return np.asarray(np.divide(earned, invested, out=np.zeros(len(returns)), where=invested > 0))


def _blocks(run: Run, returns: Panel, settings: Backtest) -> list[Block]:
    total = len(returns.dates)
    window = max(settings.historical_window_d + 1, settings.first_forecast_d)
    starts = list(range(window, total, settings.refit_every_d))
    tasks = [(first, column) for first in starts for column in range(len(returns.instruments))]
    mapped = run.fan_out.map(
        fit_before,
        tasks,
        (returns.values,),
        run.reporter.counter(len(tasks), "past calibrations fitted"),
        window=settings.refit_window_d,
        minimum=run.settings.calibration.minimum_history_d,
        stale_after=run.settings.market_data.stale_after_d,
    )
    fits = list(mapped)
    blocks = []
    count = len(returns.instruments)
    for number, first in enumerate(starts):
        own = tuple(fits[number * count : (number + 1) * count])
        if any(fit.status == "calibrated" for fit in own):
            blocks.append(Block(first, min(first + settings.refit_every_d, total), own))
    return blocks


def fit_before(
    task: tuple[int, int], values: NDArray[np.float64], window: int, minimum: int, stale_after: int
) -> GjrFit:
    """Return the fit of one instrument on the `window` days before day `first`, and nothing later."""
    first, instrument = task
    return fit_instrument(instrument, values[max(0, first - window) : first], minimum, stale_after)


def _verdicts(verdicts: dict[str, Verdict], confidence: float) -> pa.Table:
    each = list(verdicts.values())
    judged = [passed(result) for result in each]
    return pa.table(
        {
            "portfolio_id": pa.array([REFERENCE] * len(each), pa.string()),
            "model": pa.array(list(verdicts), pa.string()),
            "confidence": pa.array([confidence] * len(each), pa.float64()),
            "days": pa.array([result.days for result in each], pa.int64()),
            "exceptions": pa.array([result.exceptions for result in each], pa.int64()),
            "expected_exceptions": pa.array([result.expected for result in each], pa.float64()),
            "kupiec_statistic": pa.array([r.kupiec.statistic for r in each], pa.float64()),
            "kupiec_p": pa.array([r.kupiec.p_value for r in each], pa.float64()),
            "independence_statistic": pa.array([r.independence.statistic for r in each], pa.float64()),
            "independence_p": pa.array([r.independence.p_value for r in each], pa.float64()),
            "conditional_coverage_statistic": pa.array(
                [r.conditional_coverage.statistic for r in each], pa.float64()
            ),
            "conditional_coverage_p": pa.array([r.conditional_coverage.p_value for r in each], pa.float64()),
            "basel_zone": pa.array([result.recent_zone for result in each], pa.string()),
            "basel_multiplier": pa.array([result.multiplier for result in each], pa.float64()),
            "passed": pa.array([ok for ok, _ in judged], pa.bool_()),
            "reason": pa.array([reason for _, reason in judged], pa.string()),
        }
    )
