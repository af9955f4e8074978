"""Backtest: would the model have been right? Every out-of-sample day, four models side by side.

The calibration's schedule cuts the history into blocks: within a block the parameters are those fitted on the
days before it, and forecasts roll forward day by day. Blocks are Ray tasks.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from acceleray.engines.handoff.arrays import Panel
from acceleray.runtime.run import Run
from acceleray.stages.backtest import nulls
from acceleray.stages.backtest.blocks import MODELS, BlockForecasts, forecast_block
from acceleray.stages.backtest.history import COLUMNS, Blocks
from acceleray.stages.backtest.horizons import backtest_horizons
from acceleray.stages.backtest.rows import HEADLINE, Judged, forecast_rows, judged, verdict_rows, window_rows
from acceleray.stages.calibrate.schedule import scheduled
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import BACKTEST_FORECASTS, BACKTEST_VERDICTS, BACKTEST_WINDOWS, CALIBRATION_HISTORY

__all__ = ["HEADLINE", "MODELS", "Judged", "backtest"]


def backtest(run: Run, calibration: Calibration, *, copula: bool = False) -> dict[str, Judged]:
    """Return and commit the verdict on each model; no verdicts where no day is out of sample.

    The portfolio is equally weighted over the instruments that were calibrated before each block: what one
    could have held and modelled on that day. Longer horizons are tested too, and with `copula` the t copula.
    """
    returns, settings, market_data = calibration.returns, run.settings, run.settings.market_data
    history = run.read(CALIBRATION_HISTORY)
    spans = _spans(run, returns, history)
    blocks = Blocks(spans, returns, partial(_between, history))
    window_d = settings.simulation.residual_window_d
    windows = tuple(sorted({*settings.backtest.windows_d, window_d}))
    results: list[BlockForecasts] = []
    if spans:
        mapped = run.fan_out.map(
            forecast_block,
            blocks,
            (returns.values, returns.spans),
            run.reporter.counter(len(blocks), "blocks of days forecast"),
            windows=windows,
            risk=settings.risk,
            seed=settings.seed,
            standstill_d=market_data.stale_price_d,
            longest_span_d=market_data.longest_span_d,
            apart=np.isin(returns.instruments, calibration.apart),
            arithmetic=calibration.arithmetic,
            drift=settings.simulation.drift,
        )
        results = list(mapped)
    days = [returns.day(row) for first, last in spans for row in range(first, last)]
    losses = np.concatenate([np.empty(0), *(result.losses for result in results)])
    empty = np.empty((len(windows), len(MODELS), 3, 0))
    every = np.concatenate([empty, *(result.forecasts for result in results)], axis=-1)
    forecasts = every[windows.index(window_d)]
    run.commit(BACKTEST_FORECASTS, forecast_rows(days, losses, forecasts, settings.risk))
    # One day alone has no day after it, and no test.
    verdicts = _judged(run, losses, forecasts, spans[0][0]) if len(days) > 1 else {}
    run.commit(BACKTEST_VERDICTS, verdict_rows(verdicts, settings.risk))
    run.commit(BACKTEST_WINDOWS, window_rows(windows if verdicts else (), losses, every, settings.risk))
    backtest_horizons(run, calibration, blocks, spans, copula)
    return verdicts


def _judged(
    run: Run, losses: NDArray[np.float64], forecasts: NDArray[np.float64], before: int
) -> dict[str, Judged]:
    """Return the verdicts, by the laws of their tests at this many days and these tails."""
    settings, terms = run.settings, run.settings.backtest
    laws = nulls.laws(forecasts, settings.risk, settings.simulation.residual_window_d, before)
    tasks = nulls.tasks(laws, terms.null_records)
    done = run.reporter.counter(len(tasks), "batches of records of a right model simulated")
    found = run.fan_out.map(nulls.records_of, tasks, (forecasts[:, 0],), done, seed=settings.seed)
    records = nulls.gathered(found, terms.null_records)
    return judged(losses, forecasts, settings.risk, terms, laws, records, settings.seed)


def _spans(run: Run, returns: Panel, history: DataFrame) -> list[tuple[int, int]]:
    """Return the blocks between scheduled calibrations that left something to hold."""
    found = history.where("mu IS NOT NULL").select("fitted_on").distinct().toArrow()
    calibrated = set(found["fitted_on"].to_pylist())
    # A day more than the history wanted, for the volatility of the first.
    window = run.settings.backtest.minimum_history_d
    return [
        (first, last)
        for first, last in pairwise(scheduled(run.settings.calibration, len(returns.dates)))
        if first > window and returns.day(first - 1) in calibrated
    ]


def _between(history: DataFrame, first: date, last: date) -> pa.Table:
    return history.where(f"fitted_on BETWEEN DATE'{first}' AND DATE'{last}'").select(*COLUMNS).toArrow()
