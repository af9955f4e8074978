"""Portfolios and how they hang together: parents, benchmarks, base currencies, and their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Names in a line on the console.
_SHOWN = 5


@dataclass(frozen=True)
class Portfolios:
    """Every portfolio of a book, the one that headlines speak of first.

    Attributes:
        ids: of all, parents before their parts.
        names: names for people.
        currencies: base currency of each, ISO 4217.
        given_nav: (portfolios,) net asset value as received, NaN where it follows from the positions.
        parents: place of the portfolio that each is a part of, -1 for none.
        benchmarks: id of what each is measured against, a portfolio or an instrument; empty for none.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    currencies: tuple[str, ...]
    given_nav: NDArray[np.float64]
    parents: tuple[int, ...]
    benchmarks: tuple[str, ...]

    @classmethod
    def of(cls, known: pa.Table, held: Iterable[str], currency: str) -> Portfolios:
        """Return the portfolios of a file, or of positions alone, in the order of `placed`.

        Args:
            known: portfolio_id, name, base_currency, nav, benchmark_id, parent_id; empty without a file.
            held: portfolio ids that positions name.
            currency: base of a portfolio that has none.
        """
        rows = {str(row["portfolio_id"]): row for row in known.to_pylist()}
        for name in held:
            rows.setdefault(name, {"portfolio_id": name})
        parent_of = {name: row.get("parent_id") or "" for name, row in rows.items()}
        ids = placed(parent_of, {row.get("benchmark_id") or "" for row in rows.values()})
        at = {name: place for place, name in enumerate(ids)}
        of = [rows[name] for name in ids]
        nav = [row.get("nav") for row in of]
        return cls(
            ids=ids,
            names=tuple(row.get("name") or row["portfolio_id"] for row in of),
            currencies=tuple(row.get("base_currency") or currency for row in of),
            given_nav=np.array([np.nan if value is None else value for value in nav], dtype=np.float64),
            parents=tuple(at.get(parent_of[name], -1) for name in ids),
            benchmarks=tuple(row.get("benchmark_id") or "" for row in of),
        )

    def __len__(self) -> int:
        """Return the number of portfolios."""
        return len(self.ids)

    @property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Return the places of the direct parts of each portfolio."""
        found: list[list[int]] = [[] for _ in self.ids]
        for place, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(place)
        return tuple(tuple(each) for each in found)


def without_empty(known: pa.Table, held: Iterable[str]) -> tuple[pa.Table, list[str]]:
    """Return the portfolios of a file that are worth something, and a line on those that are left out.

    A portfolio has positions, a NAV above zero, or parts that have; of any other no share of NAV can be said.
    """
    rows = {str(row["portfolio_id"]): row for row in known.to_pylist()}
    alive = {*held, *(name for name, row in rows.items() if (row.get("nav") or 0.0) > 0.0)}
    for name in sorted(alive):
        parent = rows.get(name, {}).get("parent_id")
        while parent and parent not in alive:
            alive.add(parent)
            parent = rows.get(parent, {}).get("parent_id")
    empty = sorted(set(rows) - alive)
    if not empty:
        return known, []
    kept = known.filter(pc.is_in(known["portfolio_id"], pa.array(sorted(alive))))
    return kept, [f"{in_short(empty)}: no position and no NAV, so excluded"]


def in_short(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def placed(parent_of: Mapping[str, str], benchmarks: Iterable[str]) -> tuple[str, ...]:
    """Return portfolio ids with every parent before its parts, whatever order they came in.

    Wholes that have parts come first, then portfolios that stand alone, then those that only serve as a
    benchmark; among equals the alphabet decides.
    """
    children: dict[str, list[str]] = {}
    for name in sorted(parent_of):
        children.setdefault(parent_of[name], []).append(name)
    measured = set(benchmarks)

    def rank(name: str) -> tuple[bool, bool, str]:
        return (name not in children, name in measured, name)

    roots = sorted((name for name, parent in parent_of.items() if parent not in parent_of), key=rank)
    order: list[str] = []
    waiting = roots[::-1]
    while waiting:
        name = waiting.pop()
        order.append(name)
        waiting.extend(reversed(children.get(name, [])))
    return tuple(order)


def deepest_first(parents: Sequence[int]) -> list[int]:
    """Return the places of all portfolios, each before the one that it is a part of."""
    # Parents stand before their parts: `placed`.
    return list(range(len(parents) - 1, -1, -1))
