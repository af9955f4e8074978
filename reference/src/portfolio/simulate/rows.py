"""Rows of the risk tables from simulated horizons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from portfolio.book import Book
from portfolio.engines.arrays import as_date
from portfolio.quant.tails import TailCollector
from portfolio.settings import Risk, Settings


@dataclass(frozen=True)
class Horizon:
    """Simulated risk at one horizon: tails, volatility (portfolios,) and the reference's histogram."""

    horizon_d: int
    tail: TailCollector
    volatility: NDArray[np.float64]
    edges: NDArray[np.float64]
    histogram: NDArray[np.int64]
    contributions: NDArray[np.float64]


def scenario_sets(
    settings: Settings, horizons: tuple[Horizon, ...], window: NDArray[np.datetime64], instruments: int
) -> pa.Table:
    """Return how each horizon was simulated; `window` holds the days that could be drawn."""
    count = len(horizons)
    return pa.table(
        {
            "horizon_d": [each.horizon_d for each in horizons],
            "method": ["filtered historical simulation"] * count,
            "scenarios": [settings.simulation.scenarios] * count,
            "seed": [settings.seed] * count,
            "residual_first": pa.array([as_date(window[0])] * count, pa.date32()),
            "residual_last": pa.array([as_date(window[-1])] * count, pa.date32()),
            "residual_days": [len(window)] * count,
            "instruments": [instruments] * count,
        }
    )


def loss_distribution(book: Book, horizons: tuple[Horizon, ...]) -> pa.Table:
    """Return the histogram of the reference portfolio's losses."""
    count, bins = len(horizons), len(horizons[0].histogram)
    return pa.table(
        {
            "portfolio_id": [book.portfolios[0]] * (bins * count),
            "horizon_d": np.repeat([each.horizon_d for each in horizons], bins),
            "bin": np.tile(np.arange(bins), count),
            "loss_from_pct_nav": np.concatenate([100.0 * each.edges[:-1] for each in horizons]),
            "loss_to_pct_nav": np.concatenate([100.0 * each.edges[1:] for each in horizons]),
            "scenarios": np.concatenate([each.histogram for each in horizons]),
        }
    )


def risk_measures(risk: Risk, book: Book, horizons: tuple[Horizon, ...]) -> pa.Table:
    """Return value at risk and expected shortfall of every portfolio at every horizon."""
    count = len(book.portfolios)
    parts = []
    for each in horizons:
        var, es = risk.var_confidence, risk.es_confidence
        found = (
            ("value_at_risk", var, each.tail.value_at_risk(var), each.tail.value_at_risk_error(var)),
            (
                "expected_shortfall",
                es,
                each.tail.expected_shortfall(es),
                each.tail.expected_shortfall_error(es),
            ),
        )
        for measure, confidence, value, error in found:
            parts.append(
                pa.table(
                    {
                        "portfolio_id": list(book.portfolios),
                        "measure": [measure] * count,
                        "confidence": np.full(count, confidence),
                        "horizon_d": np.full(count, each.horizon_d),
                        "value": value * book.nav,
                        "value_pct_nav": 100.0 * value,
                        "standard_error": error * book.nav,
                        "currency": [book.currency] * count,
                    }
                )
            )
    return pa.concat_tables(parts)


def risk_contributions(
    risk: Risk, book: Book, priced: NDArray[np.int64], horizons: tuple[Horizon, ...]
) -> pa.Table:
    """Return the expected-shortfall contribution of every holding; `priced` are instrument positions."""
    names, weights = np.asarray(book.instruments)[priced], book.weights[:, priced]
    portfolio, place = np.nonzero(weights)
    count = portfolio.size
    return pa.concat_tables(
        [
            pa.table(
                {
                    "portfolio_id": np.asarray(book.portfolios)[portfolio],
                    "instrument_id": names[place],
                    "measure": ["expected_shortfall"] * count,
                    "confidence": np.full(count, risk.es_confidence),
                    "horizon_d": np.full(count, each.horizon_d),
                    "contribution": each.contributions[portfolio, place] * book.nav,
                    "currency": [book.currency] * count,
                }
            )
            for each in horizons
        ]
    )
