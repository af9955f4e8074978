"""The book: an equal-weight reference portfolio and seeded random ones, always called simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.streams import Purpose, uniforms
from acceleray.runtime.run import Run
from acceleray.tables import PORTFOLIOS, POSITIONS

REFERENCE = "REFERENCE"
# Portfolios whose rows are made together: megabytes, where rows of all could be gigabytes.
_TOGETHER = 4096


@dataclass(frozen=True)
class Book:
    """Portfolios and their weights of shape (portfolios, instruments); the first is the reference."""

    portfolios: tuple[str, ...]
    instruments: tuple[str, ...]
    weights: NDArray[np.float64]
    nav: float
    currency: str

    def spans(self) -> Iterator[slice]:
        """Yield the places of all portfolios, some thousands at a time."""
        count = len(self.portfolios)
        for first in range(0, count, _TOGETHER):
            yield slice(first, min(first + _TOGETHER, count))


def build_book(run: Run, returns: Panel) -> Book:
    """Return and commit the book over the instruments that still trade at the as-of date."""
    settings = run.settings.book
    trading = np.flatnonzero(returns.trading(run.settings.market_data.stale_after_d))
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
    run.commit_parts(PORTFOLIOS, (_portfolios(book, span) for span in book.spans()))
    run.commit_parts(POSITIONS, (_positions(book, span) for span in book.spans()))


def _portfolios(book: Book, span: slice) -> pa.Table:
    numbers = range(span.start, span.stop)
    return pa.table(
        {
            "portfolio_id": list(book.portfolios[span]),
            "name": [f"Simulated portfolio {n}" if n else "Equal-weight reference" for n in numbers],
            "origin": ["simulated" if n else "reference" for n in numbers],
            "nav": np.full(len(numbers), book.nav),
            "currency": [book.currency] * len(numbers),
        }
    )


def _positions(book: Book, span: slice) -> pa.Table:
    portfolio, instrument = np.nonzero(book.weights[span])
    return pa.table(
        {
            "portfolio_id": np.asarray(book.portfolios[span])[portfolio],
            "instrument_id": np.asarray(book.instruments)[instrument],
            "weight": book.weights[span][portfolio, instrument],
        }
    )
