"""Score: instruments by the signal model, portfolios by score, risk and what could not be priced."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from portfolio.book import Book
from portfolio.calibrate import Calibration
from portfolio.engines.arrays import column
from portfolio.governance.registry import RegisteredModel
from portfolio.run import Run
from portfolio.simulate import Horizon
from portfolio.tables import FEATURES, PORTFOLIO_SCORES, PREDICTIONS
from portfolio.train import FEATURE_NAMES, predict


def score(
    run: Run, model: RegisteredModel, calibration: Calibration, book: Book, horizons: tuple[Horizon, ...]
) -> None:
    """Score instruments that still trade at the as-of date, then portfolios, and commit both.

    A portfolio's expected score weighs the scores of its holdings that have one; its risk is the simulated
    one at the shortest horizon, of its priced holdings.
    """
    instruments, dates, scores = _predictions(run, model, calibration)
    run.commit(
        PREDICTIONS,
        pa.table({"instrument_id": instruments, "feature_date": dates, "score": scores}),
    )
    by_name = dict(zip(instruments, scores, strict=True))
    known = np.array([by_name.get(name, 0.0) for name in book.instruments])
    priced = np.zeros(len(book.instruments), dtype=bool)
    priced[calibration.usable] = True
    shortest, risk = horizons[0], run.settings.risk
    count = len(book.portfolios)
    run.commit(
        PORTFOLIO_SCORES,
        pa.table(
            {
                "portfolio_id": list(book.portfolios),
                # Summed instrument by instrument: the same bits whatever BLAS the machine has.
                "expected_score": np.sum(book.weights * known, axis=1),
                "volatility_1d_pct_nav": 100.0 * shortest.volatility / np.sqrt(shortest.horizon_d),
                "var_pct_nav": 100.0 * shortest.tail.value_at_risk(risk.var_confidence),
                "es_pct_nav": 100.0 * shortest.tail.expected_shortfall(risk.es_confidence),
                "unpriced_pct_nav": 100.0 * np.sum(np.abs(book.weights[:, ~priced]), axis=1),
                "model_uri": [model.uri] * count,
            }
        ),
    )


def _predictions(
    run: Run, model: RegisteredModel, calibration: Calibration
) -> tuple[list[str], pa.Array, np.ndarray]:
    import xgboost

    dates = calibration.returns.dates
    oldest = dates[max(0, len(dates) - 1 - run.settings.market_data.stale_after_d)]
    rows = run.arrow(
        FEATURES,
        ("date", "instrument_id", *FEATURE_NAMES),
        f"date <= DATE'{run.as_of}' AND date >= DATE'{oldest}'",
    )
    names, date = column(rows, "instrument_id").astype(str), column(rows, "date")
    # Rows come sorted by instrument and date: the last of each instrument is its newest.
    newest = [int(np.flatnonzero(names == name)[-1]) for name in np.unique(names)]
    features = np.column_stack([column(rows, name)[newest] for name in FEATURE_NAMES])
    booster = xgboost.Booster(model_file=bytearray(model.content))
    return (
        [str(names[row]) for row in newest],
        pa.array(date[newest], pa.date32()),
        predict(booster, features),
    )
