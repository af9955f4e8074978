"""Which portfolios are backtested, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acceleray.errors import PortfolioError
from acceleray.settings.backtest import Backtest
from acceleray.stages.book.book import Book

# Portfolios of which all are backtested; of more, those without a parent.
MOST = 100
INVENTED = "simulated"


@dataclass(frozen=True)
class Chosen:
    """Places of the portfolios to be backtested, the headline first, and the reason for each other one."""

    places: NDArray[np.int64]
    left_out: Mapping[str, str]


def chosen(book: Book, terms: Backtest) -> Chosen:
    """Return the portfolios that `backtest.portfolios` wants; the first of the book is always one.

    Portfolios simulated as a benchmark load are backtested only if they are named.

    Raises:
        PortfolioError: a portfolio is named that is not in the book.
    """
    wanted, reasons = {0}, {}
    if terms.portfolios != "all":
        places = {name: place for place, name in enumerate(book.portfolios)}
        if unknown := [name for name in terms.portfolios if name not in places]:
            raise PortfolioError(
                f"backtest.portfolios names {unknown[0]}, which is not in the book; name one of its "
                f"{len(places)} portfolios, such as {book.portfolios[0]}, or set it to all."
            )
        wanted |= {places[name] for name in terms.portfolios}
        reasons = dict.fromkeys(book.portfolios, "not named in backtest.portfolios")
    else:
        held = [place for place, origin in enumerate(book.origins) if origin != INVENTED]
        roots = [place for place in held if not book.parents[place]]
        some = held if len(held) <= MOST else roots[:MOST]
        wanted |= set(some)
        more = f"the book has more than {MOST} portfolios, and it has a parent"
        most = f"the book has more than {MOST} portfolios without a parent"
        reasons = {
            name: "simulated as a benchmark load" if origin == INVENTED else (more if parent else most)
            for name, origin, parent in zip(book.portfolios, book.origins, book.parents, strict=True)
        }
    kept = {book.portfolios[place] for place in wanted}
    return Chosen(
        np.array(sorted(wanted), dtype=np.int64),
        {name: reason for name, reason in reasons.items() if name not in kept},
    )


def standing_still(book: Book, place: int) -> bool:
    """Return whether a portfolio has the weights of yesterday unless somebody says otherwise.

    That is one that is not held by anybody, or is given by weights: prices move neither.
    """
    given = bool(book.stated) and book.stated[place]
    return given or book.origins[place] in (INVENTED, "reference")


def with_long_horizons(book: Book, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which of the backtested portfolios are tested at longer horizons: the headline and all roots."""
    return np.array([place for place in places if place == 0 or not book.parents[place]], dtype=np.int64)
