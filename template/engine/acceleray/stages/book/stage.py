"""The book: an equal-weight reference portfolio and seeded random ones, always called simulated."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.streams import Purpose, uniforms
from acceleray.runtime.run import Run
from acceleray.stages.book.book import REFERENCE, Book
from acceleray.tables import PORTFOLIOS, POSITIONS

__all__ = ["REFERENCE", "Book", "build_book"]


def build_book(run: Run, returns: Panel) -> Book:
    """Return and commit the book over the instruments that still trade at the as-of date."""
    settings = run.settings.book
    trading = np.flatnonzero(returns.trading(run.settings.market_data.stale_after_d))
    weights = np.zeros((settings.portfolios, len(returns.instruments)))
    weights[0, trading] = 1.0 / trading.size
    for number in range(1, settings.portfolios):
        weights[number, trading] = random_weights(run.settings.seed, number, trading.size)
    names = (REFERENCE, *(f"SIM-{number:06d}" for number in range(1, settings.portfolios)))
    book = Book.plain(
        names,
        returns.instruments,
        weights,
        settings.nav,
        settings.currency,
        names=("Equal-weight reference", *(f"Simulated portfolio {n}" for n in range(1, len(names)))),
        origins=("reference", *("simulated",) * (len(names) - 1)),
    )
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
    return pa.table(
        {
            "portfolio_id": list(book.portfolios[span]),
            "name": list(book.names[span]),
            "origin": list(book.origins[span]),
            "nav": book.nav[span],
            "currency": list(book.currencies[span]),
        }
    )


def _positions(book: Book, span: slice) -> pa.Table:
    held = book.held[span]
    portfolio, instrument = np.nonzero(held)
    return pa.table(
        {
            "portfolio_id": np.asarray(book.portfolios[span])[portfolio],
            "instrument_id": np.asarray(book.instruments)[instrument],
            "weight": held[portfolio, instrument],
        }
    )
