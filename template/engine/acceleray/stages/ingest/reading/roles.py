"""Layouts, and the columns with the role of close, adjusted close or instrument, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading import fields
from acceleray.stages.ingest.reading.grid import EMPTY, clean, is_text, text_of

SETTING = "set market_data.columns"
"""The beginning of what to do where names of columns do not decide."""


@dataclass(frozen=True)
class Series:
    """One instrument of a wide file: the columns of its close and its adjusted close, if it has one."""

    instrument: str
    price: int
    adjusted: int | None = None


@dataclass(frozen=True)
class Layout:
    """Columns of a grid, by position.

    Attributes:
        kind: `wide`, `long`, or `one instrument`.
        date: the dates.
        series: of wide data and of one instrument.
        instrument: the names, of long data only.
        price: the closes, of long data only.
        adjusted: the adjusted closes, of long data only.
        skip: rows below the header that are headers too.
    """

    kind: str
    date: int
    series: tuple[Series, ...] = ()
    instrument: int | None = None
    price: int = -1
    adjusted: int | None = None
    skip: int = 0


@dataclass(frozen=True)
class Look:
    """Evidence for a layout: names and types of the columns, some rows, and whether a column repeats."""

    origin: str
    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    types: tuple[pa.DataType, ...]
    repeats: Callable[[int], bool]
    place: str = "its first line"

    def first(self, at: int) -> object:
        """Return the first cell of a column that is not blank, None if all of the rows' are."""
        return next((row[at] for row in self.rows if clean(text_of(row[at]))), None)


def one_of(look: Look, tiers: Sequence[frozenset[str]], among: Sequence[int], key: str) -> int | None:
    """Return the one column with a name of the first tier of names that is there, None if there is none.

    Raises:
        PortfolioError: several have a name of that tier.
    """
    for tier in tiers:
        found = [at for at in among if fields.plain_name(look.header[at]) in tier]
        exact = [at for at in found if look.header[at].casefold() == key]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0]
        if found and key == "instrument_id" and not any(is_name(look, at) for at in found):
            continue
        if found:
            named = " and ".join(f"'{look.header[at]}'" for at in found)
            raise PortfolioError(
                f"{look.origin} has {named}, and each can be {key}; {SETTING}.{key} to the one to take."
            )
    return None


def prices_of(look: Look, own: Mapping[str, int], among: Sequence[int]) -> tuple[int | None, int | None]:
    """Return the columns of close and adjusted close; if only one is given, it is the first of the two."""
    adjusted = own.get("adjusted_price")
    if adjusted is None:
        adjusted = one_of(look, (fields.ADJUSTED,), among, "adjusted_price")
    price = own.get("price")
    if price is None:
        price = one_of(look, fields.CLOSE, [at for at in among if at != adjusted], "price")
    return (price, adjusted) if price is not None else (adjusted, None)


def is_name(look: Look, at: int) -> bool:
    """Return whether a column has words in all of the rows looked at."""
    if not is_text(look.types[at]):
        return False
    texts = [text for row in look.rows if (text := clean(text_of(row[at]))).lower() not in EMPTY]
    return bool(texts) and all(map(has_letter, texts))


def has_letter(text: str) -> bool:
    """Return whether text has a letter in it, as no number has."""
    return any(map(str.isalpha, text))


def some(names: Sequence[str]) -> str:
    """Return the first names for a message."""
    return ", ".join(f"'{name}'" for name in names[:6]) + (", ..." if len(names) > 6 else "")
