"""Backtest of longer horizons and of the t copula: tasks, results, rows, console line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.counts import counted
from acceleray.engines.ray.fanout import Tasks
from acceleray.quant.coverage import Coverage, coverage, origins
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.backtest.chosen import Chosen, with_long_horizons
from acceleray.stages.backtest.kept_blocks import WINDOWS, Grounds, Standing, by_portfolio
from acceleray.stages.backtest.long_horizon import Answer, Question, forecast_some_windows
from acceleray.stages.backtest.positions import Positions
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.optimiser import path_code_folder
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.simulate.methods import FILTERED_HISTORICAL, T_COPULA
from acceleray.tables import BACKTEST_HORIZONS

NOT_BACKTESTED = "not backtested"


@dataclass(frozen=True)
class Record:
    """Coverage of value at risk by one method at one horizon; found is None where it is not backtested."""

    portfolio_id: str
    method: str
    horizon_d: int
    found: Coverage | None


def backtest_horizons(
    run: Run,
    calibration: Calibration,
    grounds: Grounds,
    standing: Standing,
    spans: Sequence[tuple[int, int]],
    book: Book,
    among: Chosen,
    copula: bool,
) -> tuple[Record, ...]:
    """Return, commit and say what each simulated horizon above a day has been worth in the past.

    Tested are the headline portfolio and all without a parent; of the others it is said that they are not.

    With `copula` the t copula is tested as well, at every horizon, fitted on the past of each block alone.
    One day of filtered historical simulation is what `stages.backtest.stage` judges.
    """
    settings, returns = run.settings, calibration.returns
    questions = asked(settings, spans, len(returns.dates), copula)
    places = with_long_horizons(book, among.places)
    positions = Positions.of(book, places, settings.backtest.minimum_covered_share)
    answers: list[list[Answer]] = []
    if questions:
        own = standing.at(np.flatnonzero(np.isin(among.places, places)).tolist())
        answers = _answers(run, calibration, grounds, positions, own, questions)
    names = tuple(book.portfolios[place] for place in places)
    others = [book.portfolios[place] for place in among.places if place not in places]
    records = recorded(settings, questions, answers, names)
    records += tuple(Record(name, *each, None) for name in others for each in _simulated(settings))
    run.commit(BACKTEST_HORIZONS, rows(records, settings))
    if headline := [each for each in records if each.portfolio_id == names[0]]:
        run.reporter.say("  " + told(headline, settings))
    return records


def _answers(
    run: Run,
    calibration: Calibration,
    grounds: Grounds,
    positions: Positions,
    standing: Standing,
    questions: tuple[Question, ...],
) -> list[list[Answer]]:
    """Return the answers of all blocks to each question; closed ones are kept as those of a day are."""
    settings, returns = run.settings, calibration.returns
    terms: dict[str, Any] = {
        "questions": questions,
        "residual_window": settings.simulation.residual_window_d,
        "risk": settings.risk,
        "seed": settings.seed,
        "drift": settings.simulation.drift,
        "standstill_d": settings.market_data.stale_price_d,
        "longest_span_d": settings.market_data.longest_span_d,
        "apart": np.isin(returns.instruments, calibration.apart),
        "arithmetic": calibration.arithmetic,
    }

    def compute(tasks: Tasks) -> Iterator[list[list[Answer]]]:
        done = run.reporter.counter(len(tasks), "blocks of windows forecast")
        shared = (returns.values, returns.spans, positions)
        # The same to the bit with and without, and so no part of what decides an answer.
        code = path_code_folder(settings)
        return run.fan_out.map(forecast_some_windows, tasks, shared, done, compiled_in=code, **terms)

    longest = max(each.horizon_d for each in questions)
    numbers = range(len(grounds.blocks))
    deciding = []
    for number in numbers:
        # Of all windows those that begin in the block.
        own = [replace(each, rows=tuple(grounds.inside(number, each.rows))) for each in questions]
        deciding.append(grounds.key(number, longest, terms | {"questions": own}))
    closed = [grounds.closed(number, longest) for number in numbers]
    every = by_portfolio(run, WINDOWS, grounds.blocks, standing, deciding, closed, compute)
    return [[_together(block, place) for block in every] for place in range(len(questions))]


def _together(block: Sequence[Sequence[Answer]], question: int) -> Answer:
    """Return the answers of all portfolios in one block to one question."""
    own = [each[question] for each in block]
    return Answer(
        np.concatenate([each.forecasts for each in own]), np.concatenate([each.losses for each in own])
    )


def asked(
    settings: Settings, spans: Sequence[tuple[int, int]], days: int, copula: bool
) -> tuple[Question, ...]:
    """Return the methods and horizons to test and where their windows begin; a whole window must be known."""
    found = []
    for method, horizon_d in _simulated(settings):
        if method == T_COPULA and not copula:
            continue
        # Windows follow each other from the first out-of-sample day on, across blocks.
        first, last = (spans[0][0], min(spans[-1][1], days - horizon_d + 1)) if spans else (0, 0)
        offsets = _offsets(settings, horizon_d)
        begins = origins(first, last, horizon_d, offsets)
        inside = [row for row in begins.tolist() if any(begin <= row < end for begin, end in spans)]
        if inside:
            found.append(Question(method, horizon_d, tuple(inside)))
    return tuple(found)


def recorded(
    settings: Settings,
    questions: Sequence[Question],
    answers: Sequence[Sequence[Answer]],
    portfolios: Sequence[str],
) -> tuple[Record, ...]:
    """Return a record for each portfolio, method and horizon that is simulated, also of those not tested."""
    tested: dict[tuple[str, str, int], Coverage] = {}
    for question, of_blocks in zip(questions, answers, strict=True):
        losses = np.concatenate([each.losses for each in of_blocks], axis=1)
        forecasts = np.concatenate([each.forecasts[..., 0] for each in of_blocks], axis=1)
        offsets = _offsets(settings, question.horizon_d)
        for name, lost, forecast in zip(portfolios, losses, forecasts, strict=True):
            some = np.isfinite(lost)
            if some.any():
                exceptions, level = lost[some] > forecast[some], settings.risk.var_confidence
                found = coverage(exceptions, level, offsets)
                tested[name, question.method, question.horizon_d] = found
    return tuple(
        Record(name, *each, tested.get((name, *each))) for name in portfolios for each in _simulated(settings)
    )


def rows(records: Sequence[Record], settings: Settings) -> pa.Table:
    """Return gold.backtest_horizons; what is not backtested has no windows and no p-value."""
    found = [each.found for each in records]

    def whole(name: str) -> pa.Array:
        return pa.array([0 if one is None else getattr(one, name) for one in found], pa.int64())

    def real(values: Iterable[float | None]) -> pa.Array:
        return pa.array(list(values), pa.float64())

    return pa.table(
        {
            "portfolio_id": pa.array([each.portfolio_id for each in records], pa.string()),
            "method": pa.array([each.method for each in records], pa.string()),
            "horizon_d": pa.array([each.horizon_d for each in records], pa.int64()),
            "confidence": real([settings.risk.var_confidence] * len(records)),
            "offsets": whole("offsets"),
            "windows": whole("windows"),
            "exceptions": whole("exceptions"),
            "expected_exceptions": real(0.0 if one is None else one.expected for one in found),
            "kupiec_p": real(None if one is None else one.kupiec_p for one in found),
            "rate_low": real(None if one is None else one.rate_low for one in found),
            "rate_high": real(None if one is None else one.rate_high for one in found),
        }
    )


def told(records: Sequence[Record], settings: Settings) -> str:
    """Return one line: what the longest horizon was worth, then what the t copula was, horizon by horizon."""
    historical = [each for each in records if each.method == FILTERED_HISTORICAL]
    copula = [each for each in records if each.method == T_COPULA]
    parts = [f"{settings.market_data.span(each.horizon_d)}: {_in_words(each)}" for each in historical]
    if all(each.found is None for each in copula):
        parts.append(f"t copula: {NOT_BACKTESTED}")
    else:
        parts += [
            f"t copula, {settings.market_data.span(each.horizon_d)}: {_in_words(each)}" for each in copula
        ]
    return "; ".join(parts)


def _in_words(record: Record) -> str:
    found = record.found
    if found is None:
        return NOT_BACKTESTED
    of = f" with {found.offsets} start days" if found.offsets > 1 else ""
    verdict = ": rejected" if found.rejected else ""
    return (
        f"{counted(found.exceptions, 'exception')} in {counted(found.windows, 'window')}{of},"
        f" {found.expected:.1f} expected (p {found.kupiec_p:.2g}{verdict})"
    )


def _simulated(settings: Settings) -> list[tuple[str, int]]:
    """Return the methods and horizons that are simulated, less the one that the one-day backtest judges."""
    horizons = sorted(set(settings.simulation.horizons_d))
    historical = [(FILTERED_HISTORICAL, each) for each in horizons if each > 1]
    return historical + [(T_COPULA, each) for each in horizons]


def _offsets(settings: Settings, horizon_d: int) -> int:
    return min(settings.backtest.long_horizon_offsets, horizon_d)
