"""The book: an equal-weight reference portfolio and seeded random ones, always called simulated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from portfolio.engines.arrays import Panel
from portfolio.quant.streams import Purpose, uniforms
from portfolio.run import Run
from portfolio.tables import PORTFOLIOS, POSITIONS

REFERENCE = "REFERENCE"


@dataclass(frozen=True)
class Book:
    """Portfolios and their weights of shape (portfolios, instruments); the first is the reference."""

    portfolios: tuple[str, ...]
    instruments: tuple[str, ...]
    weights: NDArray[np.float64]
    nav: float
    currency: str


def build_book(run: Run, returns: Panel) -> Book:
    """Return and commit the book over the instruments that still trade at the as-of date."""
    settings = run.settings.book
    recent = returns.values[-run.settings.market_data.stale_after_d - 1 :]
    trading = np.flatnonzero(np.isfinite(recent).any(axis=0))
    weights = np.zeros((settings.portfolios, len(returns.instruments)))
    weights[0, trading] = 1.0 / trading.size
    for number in range(1, settings.portfolios):
        weights[number, trading] = random_weights(run.settings.seed, number, trading.size)
    names = (REFERENCE, *(f"SIM-{number:06d}" for number in range(1, settings.portfolios)))
    book = Book(names, returns.instruments, weights, settings.nav, settings.currency)
    _commit(run, book)
    return book


def random_weights(seed: int, portfolio: int, instruments: int) -> NDArray[np.float64]:
    """Return long-only weights that add up to one, on a random part of the instruments.

    The number of holdings is uniform; weights on them are uniform on the simplex (normalised exponentials).
    """
    draws = uniforms(seed, portfolio, Purpose.BOOK, 2 * instruments + 1)
    holdings = 1 + int(draws[0] * instruments)
    chosen = np.argsort(draws[1 : instruments + 1], kind="stable")[:holdings]
    sizes = -np.log1p(-draws[instruments + 1 :][chosen])
    weights = np.zeros(instruments)
    weights[chosen] = sizes / sizes.sum()
    return weights


def _commit(run: Run, book: Book) -> None:
    count = len(book.portfolios)
    names = ["Equal-weight reference", *(f"Simulated portfolio {number}" for number in range(1, count))]
    run.commit(
        PORTFOLIOS,
        pa.table(
            {
                "portfolio_id": list(book.portfolios),
                "name": names,
                "origin": ["reference", *["simulated"] * (count - 1)],
                "nav": np.full(count, book.nav),
                "currency": [book.currency] * count,
            }
        ),
    )
    portfolio, instrument = np.nonzero(book.weights)
    run.commit(
        POSITIONS,
        pa.table(
            {
                "portfolio_id": np.asarray(book.portfolios)[portfolio],
                "instrument_id": np.asarray(book.instruments)[instrument],
                "weight": book.weights[portfolio, instrument],
            }
        ),
    )
