"""Rows of the risk tables from simulated horizons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import as_date
from acceleray.settings import Risk
from acceleray.stages.book.book import Book
from acceleray.stages.simulate.horizon import Horizon

VALUE_AT_RISK, EXPECTED_SHORTFALL = "value_at_risk", "expected_shortfall"


def scenario_sets(
    seed: int, horizons: tuple[Horizon, ...], window: NDArray[np.datetime64], instruments: int
) -> pa.Table:
    """Return how each set of scenarios was made; `window` holds the days that could be drawn."""
    count = len(horizons)
    return pa.table(
        {
            "method": [each.method for each in horizons],
            "horizon_d": [each.horizon_d for each in horizons],
            "scenarios": [each.scenarios for each in horizons],
            "seed": [seed] * count,
            "residual_first": pa.array([as_date(window[0])] * count, pa.date32()),
            "residual_last": pa.array([as_date(window[-1])] * count, pa.date32()),
            "residual_days": [len(window)] * count,
            "instruments": [instruments] * count,
            "copula_nu": pa.array([each.copula_nu for each in horizons], pa.float64()),
        }
    )


def loss_distribution(book: Book, horizons: tuple[Horizon, ...]) -> pa.Table:
    """Return the histograms of the reference portfolio's losses."""
    return pa.concat_tables(
        [
            _rows(
                each,
                {
                    "portfolio_id": [book.portfolios[0]] * len(each.histogram),
                    "bin": np.arange(len(each.histogram)),
                    "loss_from_pct_nav": 100.0 * each.edges[:-1],
                    "loss_to_pct_nav": 100.0 * each.edges[1:],
                    "scenarios": each.histogram,
                },
            )
            for each in horizons
        ]
    )


def risk_measures(risk: Risk, book: Book, horizons: tuple[Horizon, ...]) -> Iterator[pa.Table]:
    """Yield value at risk and expected shortfall of every portfolio by every method at every horizon."""
    for each in horizons:
        var, shortfall = each.tail.at(risk.var_confidence), each.tail.at(risk.es_confidence)
        for measure, confidence, value, error in (
            (VALUE_AT_RISK, risk.var_confidence, var.value_at_risk, var.value_at_risk_error),
            (
                EXPECTED_SHORTFALL,
                risk.es_confidence,
                shortfall.expected_shortfall,
                shortfall.expected_shortfall_error,
            ),
        ):
            for span in book.spans():
                names = list(book.portfolios[span])
                columns = {
                    "portfolio_id": names,
                    "measure": [measure] * len(names),
                    "confidence": np.full(len(names), confidence),
                    "value": value[span] * book.nav[span],
                    "value_pct_nav": 100.0 * value[span],
                    "standard_error": error[span] * book.nav[span],
                    "error_of": [each.error_of] * len(names),
                    "currency": list(book.currencies[span]),
                }
                yield _rows(each, columns)


def risk_contributions(
    risk: Risk, book: Book, priced: NDArray[np.int64], horizons: tuple[Horizon, ...]
) -> Iterator[pa.Table]:
    """Yield both measures' Euler contributions of every holding; `priced` are places of lines."""
    holdings = book.lines.grouped(priced)
    # What is held is the same for every horizon and measure.
    every: list[tuple[slice, NDArray[np.int64], NDArray[np.int64]]] = []
    for span in book.spans():
        portfolio, place = np.nonzero(holdings.some(book.weights[span, priced]))
        every.append((span, portfolio, place))
    # Arrow takes millions of texts by their places; NumPy would make each anew.
    names, portfolios = pa.array(holdings.names), pa.array(book.portfolios)
    currencies = pa.array(book.currencies)
    for each in horizons:
        for measure, confidence, contributions in (
            (VALUE_AT_RISK, risk.var_confidence, each.value_at_risk_contributions),
            (EXPECTED_SHORTFALL, risk.es_confidence, each.expected_shortfall_contributions),
        ):
            for span, portfolio, place in every:
                nav, whose = book.nav[span][portfolio], pa.array(span.start + portfolio)
                by_price, by_currency = (
                    part[portfolio, place] for part in holdings.parts(contributions[span])
                )
                columns = {
                    "portfolio_id": portfolios.take(whose),
                    "instrument_id": names.take(pa.array(place)),
                    "measure": pa.repeat(measure, portfolio.size),
                    "confidence": np.full(portfolio.size, confidence),
                    "contribution": (by_price + by_currency) * nav,
                    "price_contribution": by_price * nav,
                    "currency_contribution": by_currency * nav,
                    "currency": currencies.take(whose),
                }
                yield _rows(each, columns)


def risk_attribution(risk: Risk, book: Book, horizons: tuple[Horizon, ...]) -> Iterator[pa.Table]:
    """Yield expected shortfall of every portfolio, split into market, specific and residual."""
    for each in horizons:
        shortfall = each.tail.expected_shortfall(risk.es_confidence)
        for span in book.spans():
            names = list(book.portfolios[span])
            columns = {
                "portfolio_id": names,
                "confidence": np.full(len(names), risk.es_confidence),
                "expected_shortfall_pct_nav": 100.0 * shortfall[span],
                "factor_pct_nav": 100.0 * each.attribution.factor[span],
                "specific_pct_nav": 100.0 * each.attribution.specific[span],
                "residual_pct_nav": 100.0 * each.attribution.residual[span],
            }
            yield _rows(each, columns)


def _rows(horizon: Horizon, columns: Mapping[str, Any]) -> pa.Table:
    rows = pa.table(dict(columns))
    keys = {
        "method": pa.repeat(horizon.method, len(rows)),
        "horizon_d": pa.repeat(horizon.horizon_d, len(rows)),
    }
    return pa.table(keys | {name: rows.column(name) for name in rows.column_names})
