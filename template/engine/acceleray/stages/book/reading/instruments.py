"""Instruments as the user knows them: one row each, with what a position of them is worth and belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.as_json import objects
from acceleray.stages.book.reading.cells import Numbers, names, numbers_of
from acceleray.stages.book.reading.columns import IDENTIFIERS
from acceleray.stages.book.reading.currencies import currency_of, price_unit_of
from acceleray.stages.book.reading.identifiers import fault
from acceleray.stages.book.reading.kinds import type_of
from acceleray.stages.book.reading.mapping import BOOK_FILE, BookMap
from acceleray.stages.book.reading.sheets import Sheet

DECIMAL = "instruments.decimal in " + BOOK_FILE
WORDS = ("name", "asset_class", "sector", "country", "issuer", "calendar", "proxy")
"""Attributes that are taken as they are."""
_NUMBERS = ("multiplier", "proxy_beta")


@dataclass(frozen=True)
class Instrument:
    """One instrument.

    Attributes:
        instrument_id: its id.
        ids: its identifiers by kind, those that are right.
        words: its attributes of `WORDS`, those that are there.
        type: one of ours, empty where nothing says it.
        strange: what a file says for a type and is none.
        currency: ISO 4217, empty where nothing says it.
        price_unit: what one unit of its price is worth in the currency, None where nothing says it.
        multiplier: of a future, say; None where nothing says it.
        proxy_beta: of its proxy, None where nothing says it.
        series: the prices that it has, empty for none.
        groups: further columns, a JSON text.
        place: how messages name its row.
        listed: whether a file of instruments has it.
    """

    instrument_id: str
    ids: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    type: str = ""
    strange: str = ""
    currency: str = ""
    price_unit: float | None = None
    multiplier: float | None = None
    proxy_beta: float | None = None
    series: str = ""
    groups: str = "{}"
    place: str = ""
    listed: bool = False

    def filled(self, other: Instrument) -> Instrument:
        """Return it with what another row says about it in the place of what it leaves empty."""
        kept = {
            name: getattr(self, name) or getattr(other, name)
            for name in ("type", "strange", "currency", "series")
        }
        numbers = {
            name: getattr(other, name) if getattr(self, name) is None else getattr(self, name)
            for name in ("price_unit", *_NUMBERS)
        }
        ids, words = {**other.ids, **self.ids}, {**other.words, **self.words}
        return replace(self, ids=ids, words=words, **kept, **numbers)


def instruments_of(sheets: Sequence[Sheet], how: BookMap) -> tuple[tuple[Instrument, ...], tuple[str, ...]]:
    """Return the instruments of files, by id, and a line about each identifier that is wrong and is not used.

    Raises:
        PortfolioError: a row has no id or one that is there already, or a cell is invalid.
    """
    wanted = [(sheet, role) for sheet in sheets for role in _NUMBERS if role in sheet.roles.at]
    places = [(sheet.grid, sheet.roles.at[role]) for sheet, role in wanted]
    read = numbers_of(places, how.instruments.decimal, DECIMAL)[0]
    found: dict[str, Instrument] = {}
    said: list[str] = []
    for sheet in sheets:
        grid, at = sheet.grid, sheet.roles.at
        numbers = {role: one for (whose, role), one in zip(wanted, read, strict=True) if whose is sheet}
        texts = {role: names(grid, place).to_pylist() for role, place in at.items() if role not in _NUMBERS}
        others = sorted(sheet.roles.others, key=lambda place: grid.header[place])
        groups = (
            objects([grid.header[at] for at in others], [names(grid, at) for at in others], False).to_pylist()
            if others
            else ["{}"] * len(grid.lines)
        )
        for row in range(len(grid.lines)):
            cells = {role: column[row] for role, column in texts.items() if column[row]}
            if not cells:
                continue
            one = instrument(cells, grid.place(row), how.types, _of_row(numbers, row, grid.place(row)), said)
            if not one.instrument_id:
                raise PortfolioError(f"{one.place} has no instrument_id or other identifier; fill it in.")
            if one.instrument_id in found:
                raise PortfolioError(
                    f"{one.place} has instrument {one.instrument_id} again, after "
                    f"{found[one.instrument_id].place}; keep one."
                )
            found[one.instrument_id] = replace(one, groups=groups[row], listed=True)
    return tuple(found[name] for name in sorted(found)), tuple(said)


def instrument(
    cells: Mapping[str, str],
    place: str,
    types: Mapping[str, str],
    numbers: Mapping[str, float],
    said: list[str],
) -> Instrument:
    """Return what one row says about an instrument; `said` gets a line for each wrong identifier.

    Raises:
        PortfolioError: the currency or the price unit is invalid.
    """
    ids = {}
    for role in IDENTIFIERS:
        if text := cells.get(role, ""):
            if wrong := fault(role, text):
                said.append(f"{place}: {wrong}; it is not used")
            else:
                ids[role] = text.upper() if role in ("isin", "cusip", "sedol", "figi") else text
    kind, strange = type_of(cells, types)
    currency, unit = "", None
    if text := cells.get("currency", ""):
        currency, minor = currency_of(text)
        unit = minor if minor != 1.0 else None
        if not currency:
            raise PortfolioError(
                f"{place} has currency '{text}', which is not an ISO 4217 code; write one such as EUR."
            )
    if text := cells.get("price_unit", ""):
        unit = price_unit_of(text)
        if unit is None:
            raise PortfolioError(f"{place} has price_unit '{text}'; write pence, or a number such as 0.01.")
    return Instrument(
        instrument_id=next(iter(ids.values()), ""),
        ids=ids,
        words={role: cells[role] for role in WORDS if cells.get(role)},
        type=kind,
        strange=strange,
        currency=currency,
        price_unit=unit,
        multiplier=numbers.get("multiplier"),
        proxy_beta=numbers.get("proxy_beta"),
        series=cells.get("series", ""),
        place=place,
    )


def _of_row(numbers: Mapping[str, Numbers], row: int, place: str) -> dict[str, float]:
    found = {}
    for role, column in numbers.items():
        value = float(column.values[row])
        if column.bad[row] or (role == "multiplier" and value <= 0.0):
            text = column.texts[row].as_py()
            raise PortfolioError(f"{place} has '{text}' for {role}; write a number such as 1.")
        if not np.isnan(value):
            found[role] = value
    return found
