"""Name of the headline portfolio on pages, and statements about its book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acceleray.report.formats import plural, printable

INVENTED = frozenset({"reference", "simulated"})
"""Origins of portfolios that nobody holds: equal weights, and random ones."""


@dataclass(frozen=True)
class Naming:
    """Words for one portfolio: inside a sentence, and as the head of a column; and where its book is from."""

    called: str
    label: str
    origin: str

    @property
    def invented(self) -> bool:
        """Return whether the book is equal weights and random portfolios, held by nobody."""
        return self.origin in INVENTED

    def book(self, simulated: int) -> tuple[str, str]:
        """Return in how far the book is real, and why; `simulated` is how many portfolios are random."""
        if self.invented:
            return "The book is simulated.", (
                f"The reference portfolio and {plural(simulated, 'random portfolio')} are made up from a"
                " seed; net asset values are invented. Prices and their risk are what the source delivered."
            )
        if self.origin == "sample":
            return "The book is illustrative.", (
                "Its positions are invented and ship with the product; nobody holds them. Prices and their"
                " risk are what the source delivered."
            )
        return "The book is the desk's.", (
            "Positions are those received, at the last close; silver.holdings has the line of each."
        )

    @property
    def backtest(self) -> tuple[str, str]:
        """Return what the backtest is of, and what it is not of."""
        if self.invented:
            return "The backtest covers one portfolio.", (
                "On every past day it holds, equally weighted, the instruments that could be calibrated at"
                " the time. It says nothing about other portfolios."
            )
        return "The backtest takes today's positions.", (
            "It is of their hypothetical P&L on past days, not of what was held then. A portfolio that was"
            " not backtested has no verdict, and that of another is not its own."
        )


def naming(row: Mapping[str, object]) -> Naming:
    """Return the words for a row of gold.portfolios."""
    origin = str(row["origin"])
    if origin == "reference":
        return Naming("the reference portfolio", "Reference", origin)
    name = printable(row["name"])
    return Naming(f"\u201c{name}\u201d", name, origin)
