"""The sample book against numbers that nobody here computes: skfolio, NumPy, differences of a measure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from skfolio import Portfolio
from skfolio.datasets import load_sp500_dataset
from skfolio.measures import cvar

from acceleray.quant.currencies import Rates
from acceleray.quant.order_weights import quantile_weights, shortfall_weights, weighted_losses
from acceleray.quant.risk import expected_shortfall
from acceleray.settings import Settings
from acceleray.stages.book.book import Book
from acceleray.stages.book.holdings import accept, receive_files
from acceleray.stages.book.market import Market
from acceleray.stages.book.stage import _assemble, _book
from acceleray.stages.ingest.sample import reference_rates

DAYS = 2000


@dataclass(frozen=True)
class Desk:
    """The sample book at the last date, and what its lines earned over the last days."""

    book: Book
    lines: np.ndarray

    @property
    def returns(self) -> np.ndarray:
        """Return what portfolios earned with today's weights, of shape (days, portfolios)."""
        return np.asarray(self.lines @ self.book.weights.T)


@pytest.fixture(scope="module")
def desk() -> Desk:
    prices = load_sp500_dataset().join(reference_rates(), how="left").ffill().iloc[-DAYS - 1 :]
    prices = prices[sorted(prices.columns)]
    names = tuple(prices.columns)
    settings = Settings.model_validate({"project": {"name": "tests", "customer": "Tests"}})
    folder = Path(str(resources.files("acceleray.stages.book") / "sample"))
    received = receive_files(*(folder / f"{name}.csv" for name in ("positions", "portfolios", "instruments")))
    holdings = accept(received, settings, date(2022, 12, 28), names)
    closes = prices.to_numpy()[-1]
    market = Market(names, closes, np.ones(len(names), dtype=bool), Rates.among(names, {}))
    run: Any = SimpleNamespace(settings=settings)
    book = _book(_assemble(run, holdings, market), "sample")
    return Desk(book, book.lines.of(prices.pct_change().to_numpy()[1:]))


def test_moments_are_those_of_skfolio(desk: Desk) -> None:
    for place, name in enumerate(desk.book.portfolios):
        oracle = Portfolio(X=desk.lines, weights=desk.book.weights[place])
        own = desk.returns[:, place]
        assert own.mean() == pytest.approx(oracle.mean, rel=1e-12, abs=1e-15), name
        assert own.std(ddof=1) == pytest.approx(oracle.standard_deviation, rel=1e-12), name


def test_historical_expected_shortfall_is_that_of_skfolio(desk: Desk) -> None:
    own = expected_shortfall(-desk.returns, 0.975)
    for place, name in enumerate(desk.book.portfolios):
        assert own[place] == pytest.approx(cvar(desk.returns[:, place], beta=0.975), rel=1e-12), name


def test_historical_value_at_risk_is_the_weibull_quantile_of_numpy(desk: Desk) -> None:
    losses = -desk.returns
    worst = -np.sort(-losses.T, axis=1)
    own = weighted_losses(worst, quantile_weights(DAYS, 0.99))
    np.testing.assert_allclose(own, np.quantile(losses, 0.99, axis=0, method="weibull"), rtol=1e-12)


@pytest.mark.parametrize("portfolio", ["DESK", "EXTENSION", "GLOBAL", "PAIRS"])
def test_euler_parts_are_the_derivatives_of_the_measure(desk: Desk, portfolio: str) -> None:
    weights = desk.book.weights[desk.book.portfolios.index(portfolio)]
    at_rank = shortfall_weights(DAYS, 0.975)

    def measure(held: np.ndarray) -> float:
        losses = -(desk.lines @ held)
        return float(weighted_losses(-np.sort(-losses)[np.newaxis], at_rank)[0])

    order = np.argsort(desk.lines @ weights, kind="stable")[: at_rank.size]
    parts = -(at_rank @ desk.lines[order]) * weights
    assert parts.sum() == pytest.approx(measure(weights), rel=1e-12)
    for line in np.flatnonzero(weights):
        step = np.zeros_like(weights)
        step[line] = 1e-9
        slope = (measure(weights + step) - measure(weights - step)) / 2e-9
        assert slope * weights[line] == pytest.approx(parts[line], rel=1e-5, abs=1e-9)
