"""Portfolios: expected score, simulated risk, exposures to factors, and what has no price or no score."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import as_date, column
from acceleray.runtime.run import Run
from acceleray.settings import Risk
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.factor_model import FactorModel
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.simulate.stage import Horizon
from acceleray.tables import PORTFOLIO_EXPOSURES, PORTFOLIO_SCORES, PREDICTIONS


def score_portfolios(
    run: Run,
    model_uri: str,
    calibration: Calibration,
    book: Book,
    horizons: tuple[Horizon, ...],
    factors: FactorModel | None,
) -> None:
    """Commit one row of scores for each portfolio and, with a factor model, its exposures.

    Holdings count with their newest score, if that is young enough. Risk is that of the priced holdings, at
    the shortest of the horizons by the first method.
    """
    dates = calibration.returns.dates
    oldest = as_date(dates[max(0, len(dates) - 1 - run.settings.market_data.stale_after_d)])
    scores = newest_scores(run, book.instruments, f"feature_date >= DATE'{oldest}'")
    priced = np.zeros(len(book.instruments), dtype=bool)
    priced[calibration.usable] = True
    shortest = min(horizons, key=lambda each: each.horizon_d)
    rows = portfolio_scores(book, scores, priced, shortest, run.settings.risk, model_uri)
    run.commit_parts(PORTFOLIO_SCORES, rows)
    if factors is not None:
        run.commit_parts(PORTFOLIO_EXPOSURES, exposures(book, factors.factors, factors.betas))


def newest_scores(run: Run, instruments: tuple[str, ...], where: str) -> NDArray[np.float64]:
    """Return the newest score of each instrument, of shape (instruments,), NaN where there is none."""
    rows = run.arrow(PREDICTIONS, ("instrument_id", "score"), where)
    # Sorted by key, so that the newest of an instrument comes last and stays.
    known = dict(zip(rows.column("instrument_id").to_pylist(), column(rows, "score"), strict=True))
    return np.array([known.get(name, np.nan) for name in instruments])


def portfolio_scores(
    book: Book,
    scores: NDArray[np.float64],
    priced: NDArray[np.bool_],
    horizon: Horizon,
    risk: Risk,
    model_uri: str,
) -> Iterator[pa.Table]:
    """Yield one row for each portfolio, in tables of some thousands.

    Args:
        book: the portfolios.
        scores: (instruments,) NaN where there is none; such a holding counts as neutral, which is zero.
        priced: (instruments,) whether an instrument has a calibrated model.
        horizon: simulated risk.
        risk: confidence levels.
        model_uri: of the model that made the scores.
    """
    scored = np.isfinite(scores)
    known = np.where(scored, scores, 0.0)
    var = horizon.tail.value_at_risk(risk.var_confidence)
    shortfall = horizon.tail.expected_shortfall(risk.es_confidence)
    for span in book.spans():
        weights = book.held[span]
        sizes = np.abs(weights)
        yield pa.table(
            {
                "portfolio_id": list(book.portfolios[span]),
                # Summed instrument by instrument: the same bits whatever BLAS the machine has.
                "expected_score": np.sum(weights * known, axis=1),
                "volatility_1d_pct_nav": 100.0 * horizon.volatility[span] / np.sqrt(horizon.horizon_d),
                "var_pct_nav": 100.0 * var[span],
                "es_pct_nav": 100.0 * shortfall[span],
                "horizon_d": np.full(len(weights), horizon.horizon_d),
                "unpriced_pct_nav": 100.0 * np.sum(sizes[:, ~priced], axis=1),
                "unscored_pct_nav": 100.0 * np.sum(sizes[:, ~scored], axis=1),
                "model_uri": [model_uri] * len(weights),
            }
        )


def exposures(book: Book, factors: tuple[str, ...], betas: NDArray[np.float64]) -> Iterator[pa.Table]:
    """Yield each portfolio's exposure to each factor: the sum of weight times beta over holdings with a beta.

    `betas` are of shape (instruments, factors), NaN where there is none: such a holding adds nothing to the
    exposure, and `covered_pct_nav` says how much of NAV the others are.
    """
    for place, factor in enumerate(factors):
        known = np.isfinite(betas[:, place])
        beta = np.where(known, betas[:, place], 0.0)
        for span in book.spans():
            weights, sizes = book.lines.linear(book.weights[span]), np.abs(book.held[span])
            yield pa.table(
                {
                    "portfolio_id": list(book.portfolios[span]),
                    "factor_id": [factor] * len(weights),
                    "exposure": np.sum(weights * beta, axis=1),
                    "covered_pct_nav": 100.0 * np.sum(sizes[:, known], axis=1),
                }
            )
