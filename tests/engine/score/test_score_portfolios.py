"""Portfolios by hand: scores, shares without one, and exposures; rows in are rows out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.settings import Risk
from acceleray.stages.book import book as book_module
from acceleray.stages.book.book import Book
from acceleray.stages.score.portfolios import exposures, portfolio_scores

WEIGHTS = np.array([[0.5, 0.3, 0.2], [1.5, -0.5, 0.0], [0.0, 0.0, 1.0]])


def made_book(weights: np.ndarray = WEIGHTS) -> Book:
    names = tuple(f"P{number}" for number in range(len(weights)))
    instruments = tuple("ABCDEFGH"[: weights.shape[1]])
    return Book.plain(names, instruments, weights, 1e6, "EUR")


def horizon(count: int, horizon_d: int = 1) -> Any:
    tail = SimpleNamespace(
        value_at_risk=lambda confidence: confidence * np.arange(1.0, count + 1),
        expected_shortfall=lambda confidence: 2 * confidence * np.arange(1.0, count + 1),
    )
    return SimpleNamespace(tail=tail, volatility=np.full(count, 0.04), horizon_d=horizon_d)


def scored(book: Book, scores: list[float], horizon_d: int = 1) -> dict[str, list[Any]]:
    count = len(book.portfolios)
    priced = np.array([True] * (len(book.instruments) - 1) + [False])
    rows = portfolio_scores(
        book, np.array(scores), priced, horizon(count, horizon_d), Risk(), "models:/tests/1"
    )
    found: dict[str, list[Any]] = pa.concat_tables(rows).to_pydict()
    return found


def test_a_portfolios_score_is_weight_times_score_over_its_holdings() -> None:
    found = scored(made_book(), [0.4, -0.2, 0.1])
    assert found["portfolio_id"] == ["P0", "P1", "P2"]
    # 0.5 * 0.4 - 0.3 * 0.2 + 0.2 * 0.1; 1.5 * 0.4 + 0.5 * 0.2; 0.1.
    assert found["expected_score"] == pytest.approx([0.16, 0.7, 0.1], abs=1e-15)
    assert found["unscored_pct_nav"] == [0.0, 0.0, 0.0]
    assert set(found["model_uri"]) == {"models:/tests/1"}


def test_what_has_no_score_or_no_price_counts_by_size_and_adds_nothing() -> None:
    found = scored(made_book(), [0.4, float("nan"), 0.1])
    assert found["expected_score"] == pytest.approx([0.22, 0.6, 0.1], abs=1e-15)
    # A short position is as much without a score as a long one.
    assert found["unscored_pct_nav"] == pytest.approx([30.0, 50.0, 0.0])
    assert found["unpriced_pct_nav"] == pytest.approx([20.0, 0.0, 100.0])


def test_risk_is_that_of_the_horizon_with_volatility_brought_to_a_day() -> None:
    found = scored(made_book(), [0.0, 0.0, 0.0], horizon_d=4)
    assert found["volatility_1d_pct_nav"] == pytest.approx([2.0, 2.0, 2.0])
    assert found["var_pct_nav"] == pytest.approx([99.0, 198.0, 297.0])
    assert found["es_pct_nav"] == pytest.approx([195.0, 390.0, 585.0])
    assert found["horizon_d"] == [4, 4, 4]


def test_exposure_is_weight_times_beta_over_holdings_that_have_one() -> None:
    betas = np.array([[1.2, 0.1], [0.8, np.nan], [np.nan, np.nan]])
    found = pa.concat_tables(exposures(made_book(), ("equity", "oil"), betas)).to_pydict()
    assert list(zip(found["portfolio_id"], found["factor_id"], strict=True)) == [
        *(("P0", "equity"), ("P1", "equity"), ("P2", "equity")),
        *(("P0", "oil"), ("P1", "oil"), ("P2", "oil")),
    ]
    # 0.5 * 1.2 + 0.3 * 0.8; 1.5 * 1.2 - 0.5 * 0.8; nothing. Then 0.5 * 0.1 and 1.5 * 0.1.
    assert found["exposure"] == pytest.approx([0.84, 1.4, 0.0, 0.05, 0.15, 0.0], abs=1e-15)
    assert found["covered_pct_nav"] == pytest.approx([80.0, 200.0, 0.0, 50.0, 150.0, 0.0])


def test_every_portfolio_comes_out_once_and_with_the_same_bits_however_many_are_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = made_book(np.random.default_rng(1).dirichlet(np.ones(5), 100))
    scores = [0.1, -0.2, float("nan"), 0.3, 0.05]
    whole = scored(book, scores)
    assert whole["portfolio_id"] == list(book.portfolios)
    monkeypatch.setattr(book_module, "_TOGETHER", 7)
    assert scored(book, scores) == whole
