"""Backtest: would the model have been right? Every out-of-sample day, four models side by side.

The calibration's schedule cuts the history into blocks: within a block the parameters are those fitted on the
days before it, and forecasts roll forward day by day. Blocks are Ray tasks.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from portfolio.backtest.blocks import MODELS, Block, BlockForecasts, forecast_block
from portfolio.backtest.rows import HEADLINE, Judged, forecast_rows, judged, verdict_rows
from portfolio.calibrate import Calibration
from portfolio.calibrate.fits import FIT_COLUMNS, fits_of
from portfolio.calibrate.schedule import scheduled
from portfolio.engines.arrays import as_date, column
from portfolio.run import Run
from portfolio.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS, CALIBRATION_HISTORY

__all__ = ["HEADLINE", "MODELS", "Judged", "backtest"]


def backtest(run: Run, calibration: Calibration) -> dict[str, Judged]:
    """Return and commit the verdict on each model; no verdicts where no day is out of sample.

    The portfolio is equally weighted over the instruments that were calibrated before each block: what one
    could have held and modelled on that day.
    """
    returns, settings = calibration.returns, run.settings
    blocks = _blocks(run, calibration)
    results: list[BlockForecasts] = []
    if blocks:
        mapped = run.fan_out.map(
            forecast_block,
            blocks,
            (returns.values,),
            run.reporter.counter(len(blocks), "blocks of days forecast"),
            historical_window=settings.backtest.historical_window_d,
            residual_window=settings.simulation.residual_window_d,
            risk=settings.risk,
            seed=settings.seed,
        )
        results = list(mapped)
    days = [returns.day(row) for block in blocks for row in range(block.first, block.last)]
    losses = np.concatenate([np.empty(0), *(result.losses for result in results)])
    forecasts = np.concatenate([np.empty((len(MODELS), 3, 0)), *(r.forecasts for r in results)], axis=-1)
    run.commit(BACKTEST_FORECASTS, forecast_rows(days, losses, forecasts, settings.risk))
    verdicts = judged(losses, forecasts, settings.risk) if days else {}
    run.commit(BACKTEST_VERDICTS, verdict_rows(verdicts, settings.risk))
    return verdicts


def _blocks(run: Run, calibration: Calibration) -> list[Block]:
    """Return the blocks between scheduled calibrations, each with the fits made before its first day."""
    returns = calibration.returns
    rows = run.arrow(CALIBRATION_HISTORY, ("fitted_on", "instrument_id", *FIT_COLUMNS))
    fitted_on = column(rows, "fitted_on").astype("datetime64[D]")
    firsts = scheduled(run.settings.calibration, len(returns.dates))
    blocks = []
    for first, last in pairwise(firsts):
        # Plain historical simulation needs its window, and a day more for the volatility of the first.
        if first <= run.settings.backtest.historical_window_d:
            continue
        own = rows.filter(fitted_on == np.datetime64(as_date(returns.dates[first - 1])))
        fits = dict(zip(column(own, "instrument_id"), fits_of(own), strict=True))
        if any(fit.status == "calibrated" for fit in fits.values()):
            blocks.append(Block(first, last, tuple(fits[name] for name in returns.instruments)))
    return blocks
