"""Backtest: would the model have been right? Every out-of-sample day, four models side by side.

The calibration's schedule cuts the history into blocks: within a block the parameters are those fitted on the
days before it, and forecasts roll forward day by day. Blocks are Ray tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import Panel
from acceleray.engines.ray.fanout import Tasks
from acceleray.quant.null_path import NullPath
from acceleray.runtime.run import Run
from acceleray.stages.backtest import nulls
from acceleray.stages.backtest.as_held import Stretches, as_held, forecast_held, held_then, told
from acceleray.stages.backtest.as_held import rows as as_held_rows
from acceleray.stages.backtest.blocks import MODELS, BlockForecasts, forecast_some
from acceleray.stages.backtest.book_verdict import BookVerdict, book_verdict, records_needed
from acceleray.stages.backtest.chosen import chosen, standing_still
from acceleray.stages.backtest.gate import MINIMUM_DAYS
from acceleray.stages.backtest.history import COLUMNS, Blocks
from acceleray.stages.backtest.horizons import backtest_horizons
from acceleray.stages.backtest.judging import Judged, judged
from acceleray.stages.backtest.kept_blocks import BLOCK, Grounds, Standing, by_portfolio
from acceleray.stages.backtest.positions import Positions
from acceleray.stages.backtest.records import HEADLINE, Record, records_of
from acceleray.stages.backtest.rows import forecast_rows, verdict_rows, window_rows
from acceleray.stages.book.book import Book
from acceleray.stages.book.dated import Dated
from acceleray.stages.calibrate.schedule import scheduled
from acceleray.stages.calibrate.stage import Calibration
from acceleray.tables import (
    BACKTEST_AS_HELD,
    BACKTEST_FORECASTS,
    BACKTEST_VERDICTS,
    BACKTEST_WINDOWS,
    CALIBRATION_HISTORY,
)

# Paths of simulated records that a worker follows at once: neighbours share the numbers that they draw.
_TOGETHER = 8

__all__ = ["HEADLINE", "MODELS", "BookVerdict", "Judged", "backtest"]


def backtest(
    run: Run,
    calibration: Calibration,
    book: Book,
    *,
    copula: bool = False,
    dated: Sequence[Dated] = (),
) -> BookVerdict:
    """Return and commit the verdict on the model by each portfolio; none where no day is out of sample.

    Portfolios are today's positions on past days (see `positions`); the headline portfolio compares all
    models. Longer horizons are tested too, and with `copula` the t copula. `dated` is what was held when: on
    those days the positions of then are backtested as well (see `as_held`).

    Raises:
        PortfolioError: `backtest.portfolios` names one that is not in the book.
    """
    returns, settings = calibration.returns, run.settings
    among = chosen(book, settings.backtest)
    positions = Positions.of(book, among.places, settings.backtest.minimum_covered_share)
    spans = _spans(run, returns)
    blocks = Blocks(spans, returns, partial(_between, run))
    window_d = settings.simulation.residual_window_d
    windows = tuple(sorted({*settings.backtest.windows_d, window_d}))
    grounds = Grounds(blocks, spans, returns, max(settings.simulation.horizons_d))
    standing = Standing.of(run, positions, [standing_still(book, place) for place in among.places])
    results = _forecast(run, calibration, grounds, positions, standing, windows)
    days = [returns.day(row) for first, last in spans for row in range(first, last)]
    names = [book.portfolios[place] for place in among.places]
    every = records_of(names, results, spans, days, len(windows))
    run.commit(BACKTEST_FORECASTS, forecast_rows(every, windows.index(window_d), settings.risk))
    # One day alone has no day after it, and no test.
    records = [each for each in every if len(each.days) > 1]
    left_out = {**among.left_out, **_untested(run, every)}
    found = _judged(run, names[0], records, windows.index(window_d), left_out)
    run.commit(BACKTEST_VERDICTS, verdict_rows(found, records, settings.risk))
    run.commit(BACKTEST_WINDOWS, window_rows(windows, records, settings.risk))
    backtest_horizons(run, calibration, grounds, standing, spans, book, among, copula)
    stretches = held_then(dated, spans, returns)
    least = settings.backtest.minimum_covered_share
    tasks = Stretches(stretches, blocks, dated, names, least)
    then = _forecast_held(run, calibration, tasks, window_d)
    kept = as_held_rows(as_held(names, then, stretches, returns), settings.risk)
    run.commit(BACKTEST_AS_HELD, kept)
    if kept.num_rows:
        run.reporter.say("  " + told(kept))
    return found


def _forecast(
    run: Run,
    calibration: Calibration,
    grounds: Grounds,
    positions: Positions,
    standing: Standing,
    windows: Sequence[int],
) -> list[BlockForecasts]:
    """Return the forecasts of all blocks; closed ones of positions that stand still are kept."""
    if not len(grounds.blocks):
        return []
    returns, terms = calibration.returns, _terms(run, calibration, windows)
    numbers = range(len(grounds.blocks))

    def compute(tasks: Tasks) -> Iterator[list[BlockForecasts]]:
        done = run.reporter.counter(len(tasks), "blocks of days forecast")
        shared = (returns.values, returns.spans, positions)
        return run.fan_out.map(forecast_some, tasks, shared, done, **terms)

    deciding = [grounds.key(number, 1, terms) for number in numbers]
    closed = [grounds.closed(number) for number in numbers]
    every = by_portfolio(run, BLOCK, grounds.blocks, standing, deciding, closed, compute)
    return [BlockForecasts.together(each) for each in every]


def _forecast_held(
    run: Run, calibration: Calibration, tasks: Stretches, window_d: int
) -> list[BlockForecasts]:
    if not len(tasks):
        return []
    returns, terms = calibration.returns, _terms(run, calibration, (window_d,))
    done = run.reporter.counter(len(tasks), "blocks of days forecast")
    return list(run.fan_out.map(forecast_held, tasks, (returns.values, returns.spans), done, **terms))


def _terms(run: Run, calibration: Calibration, windows: Sequence[int]) -> dict[str, Any]:
    """Return what all blocks share, by the names of the arguments of `forecast_block`."""
    settings, market_data = run.settings, run.settings.market_data
    return {
        "windows": tuple(windows),
        "risk": settings.risk,
        "seed": settings.seed,
        "standstill_d": market_data.stale_price_d,
        "longest_span_d": market_data.longest_span_d,
        "apart": np.isin(calibration.returns.instruments, calibration.apart),
        "arithmetic": calibration.arithmetic,
        "drift": settings.simulation.drift,
    }


def _judged(
    run: Run, headline: str, records: Sequence[Record], window: int, left_out: Mapping[str, str]
) -> BookVerdict:
    """Return the verdicts, by the laws of their tests at this many days and these tails."""
    terms = run.settings.backtest
    paths: dict[nulls.Task, NullPath] = {}
    found = _each(run, records, window, terms.null_records, paths)
    needed = records_needed(sum(len(each.days) >= MINIMUM_DAYS for each in records), terms)
    if needed > terms.null_records:
        # Only what its own gate rejects can be rejected among many; it is looked at more closely.
        doubtful = [
            each.calibrated
            for each in records
            if found[each.portfolio_id][HEADLINE].tests.smallest_p <= terms.level
        ]
        for name, closer in _each(run, doubtful, window, needed, paths).items():
            found[name] |= closer
    portfolios = {name: each[HEADLINE] for name, each in found.items()}
    return book_verdict(headline, found.get(headline, {}), portfolios, left_out, terms)


def _each(
    run: Run,
    records: Sequence[Record],
    window: int,
    null_records: int,
    paths: dict[nulls.Task, NullPath],
) -> dict[str, dict[str, Judged]]:
    """Return the verdict on each model by each portfolio; series of one law share its simulated records.

    `paths` are those that are there, and takes in what is missing.
    """
    settings, terms = run.settings, run.settings.backtest
    look_back = settings.simulation.residual_window_d
    forecasts = [each.forecasts[window] for each in records]
    of_records = [
        nulls.laws(each, settings.risk, look_back, record.before, record.models)
        for record, each in zip(records, forecasts, strict=True)
    ]
    laws = [law for each in of_records for law in each]
    tasks = [task for task in nulls.needed(laws, null_records) if task not in paths]
    if tasks:
        done = run.reporter.counter(len(tasks), "batches of records of a correct model simulated")
        keys = [nulls.key_of(task, settings.seed) for task in tasks]
        made = run.kept.map(nulls.PATH, keys, tasks, (), done, batch=_TOGETHER, seed=settings.seed)
        paths.update(zip(tasks, made, strict=True))
    series = [model[0] for each in forecasts for model in each]
    null = iter(nulls.judged_by(laws, series, null_records, paths, settings.seed))
    found = {}
    for record, each, own in zip(records, forecasts, of_records, strict=True):
        mine = list(islice(null, len(own)))
        found[record.portfolio_id] = judged(
            record.losses, each, settings.risk, terms, own, mine, settings.seed, record.models
        )
    return found


def _untested(run: Run, records: Sequence[Record]) -> dict[str, str]:
    """Return why portfolios that should be backtested have no days to be judged by."""
    share = 100.0 * run.settings.backtest.minimum_covered_share
    return {
        each.portfolio_id: f"{share:g} % of its gross weight is calibrated on"
        f" {counted(len(each.days), 'day')}"
        for each in records
        if len(each.days) < 2
    }


def _spans(run: Run, returns: Panel) -> list[tuple[int, int]]:
    """Return the blocks between scheduled calibrations that left something to hold."""
    found = run.arrow(CALIBRATION_HISTORY, ("fitted_on",), "mu IS NOT NULL")
    calibrated = set(found["fitted_on"].unique().to_pylist())
    # A day more than the history wanted, for the volatility of the first.
    window = run.settings.backtest.minimum_history_d
    return [
        (first, last)
        for first, last in pairwise(scheduled(run.settings.calibration, len(returns.dates)))
        if first > window and returns.day(first - 1) in calibrated
    ]


def _between(run: Run, first: date, last: date) -> pa.Table:
    where = f"fitted_on BETWEEN DATE'{first}' AND DATE'{last}'"
    version, scope = run.lake.version(CALIBRATION_HISTORY), run.scope(CALIBRATION_HISTORY)
    return run.lake.rows(CALIBRATION_HISTORY, scope, version, where, COLUMNS)
