"""Score: instruments by the signal model, portfolios by score, risk and what could not be priced."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

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
    run.transform(
        FEATURES,
        ("instrument_id", "date", *FEATURE_NAMES),
        predict_rows,
        PREDICTIONS,
        shared=(model.content,),
        narrow=newest_rows(run, calibration),
    )
    predictions = run.arrow(PREDICTIONS, ("instrument_id", "score"))
    by_name = dict(zip(column(predictions, "instrument_id"), column(predictions, "score"), strict=True))
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


def predict_rows(rows: pa.Table, model: bytes) -> pa.Table:
    """Return instrument, feature date and score of each row of features, by a stored XGBoost model."""
    import xgboost

    features = np.column_stack([column(rows, name) for name in FEATURE_NAMES])
    scores = predict(xgboost.Booster(model_file=bytearray(model)), features)
    return pa.table(
        {
            "instrument_id": rows.column("instrument_id"),
            "feature_date": rows.column("date"),
            "score": scores,
        }
    )


def newest_rows(run: Run, calibration: Calibration) -> Callable[[DataFrame], DataFrame]:
    """Return Spark logic that leaves each instrument's newest row, if it is young enough to be scored."""
    dates = calibration.returns.dates
    oldest = dates[max(0, len(dates) - 1 - run.settings.market_data.stale_after_d)]
    allowed = f"date <= DATE'{run.as_of}' AND date >= DATE'{oldest}'"
    newest = F.row_number().over(Window.partitionBy("instrument_id").orderBy(F.desc("date")))
    return lambda rows: rows.where(allowed).withColumn("age", newest).where("age = 1").drop("age")
