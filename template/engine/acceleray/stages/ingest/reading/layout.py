"""Which column of a grid is what: the date, instruments side by side or in a column, close and adjusted close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading import fields
from acceleray.stages.ingest.reading.dates import looks_like_date, may_be_date
from acceleray.stages.ingest.reading.grid import EMPTY, clean, is_text, text_of

_SETTING = "set market_data.columns"
_INDEX = "__index_level_0__"


@dataclass(frozen=True)
class Series:
    """One instrument of a wide file: the columns of its close and its adjusted close, if it has one."""

    instrument: str
    price: int
    adjusted: int | None = None


@dataclass(frozen=True)
class Layout:
    """What the columns of a grid are, by position.

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
    """What decides a layout: the names of the columns, their types, some rows, and whether a column repeats itself."""

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


def layout_of(look: Look, columns: Mapping[str, str]) -> Layout:
    """Return what each column is.

    Args:
        look: names, some rows and types of the columns.
        columns: names of the user's own, by ours (date, instrument_id, price, adjusted_price).

    Raises:
        PortfolioError: there is no date column, or more than one, or nothing else that can be prices.
    """
    own = {key: _own(look, key, name) for key, name in columns.items() if name}
    if layout := _stacked(look, own):
        return layout
    date = own["date"] if "date" in own else _date(look)
    if looks_like_date(look.header[date]):
        raise PortfolioError(
            f"{look.origin} has the date '{look.header[date]}' in {look.place}; it needs a header with date and the "
            "names of the instruments."
        )
    rest = [at for at in range(len(look.header)) if at != date and not _is_row_number(look, at)]
    rest = [at for at in rest if look.header[at] or look.first(at) is not None]
    if not rest:
        raise PortfolioError(f"{look.origin} has a date column and nothing else; it needs one column per instrument.")
    if long := _long(look, own, date, rest):
        return long
    if one := _one_instrument(look, own, date, rest):
        return one
    _refuse_names(look, rest)
    _refuse_dates(look, rest)
    return Layout("wide", date, tuple(Series(look.header[at], at) for at in rest))


def _own(look: Look, key: str, name: str) -> int:
    found = [at for at, column in enumerate(look.header) if column == clean(name)]
    found = found or [at for at, column in enumerate(look.header) if column.casefold() == clean(name).casefold()]
    if len(found) != 1:
        raise PortfolioError(
            f"market_data.columns says that {key} is '{name}', and {look.origin} has "
            f"{len(found) or 'no'} columns of that name; its columns are {_some(look.header)}."
        )
    return found[0]


def _date(look: Look) -> int:
    exact = [at for at, name in enumerate(look.header) if name.casefold() == "date"]
    if len(exact) > 1:
        raise PortfolioError(f"{look.origin} has {len(exact)} columns named date; keep one.")
    if exact:
        return exact[0]
    names = range(len(look.header))
    unnamed = [at for at in names if look.header[at] in ("", _INDEX)]
    called = [at for at in names if fields.plain_name(look.header[at]) in fields.DATE]
    found = [at for at in (*called, *unnamed) if _dated(look, at, may_be_date)]
    found = found or [at for at in names if _dated(look, at, looks_like_date)]
    if len(found) > 1:
        named = " and ".join(f"'{look.header[at]}'" for at in found[:2])
        raise PortfolioError(
            f"{look.origin} has several columns of dates, {named}; {_SETTING}.date to the one of the prices."
        )
    if found:
        return found[0]
    if called and not unnamed:
        return called[0]
    hint = "name the column of dates date"
    if looks_like_date(look.header[-1]):
        hint = "it has dates side by side; put them below each other, one row per date"
    raise PortfolioError(f"{look.origin} has no column named date in {look.place}; {hint}.")


def _dated(look: Look, at: int, test: object) -> bool:
    if pa.types.is_temporal(look.types[at]):
        return True
    first = look.first(at)
    return first is not None and callable(test) and bool(test(clean(text_of(first))))


def _is_row_number(look: Look, at: int) -> bool:
    """Return whether a column without a name counts the rows, as pandas and R write them."""
    if look.header[at] not in ("", _INDEX, "Unnamed: 0") or len(look.rows) < 2:
        return False
    texts = [clean(text_of(row[at])) for row in look.rows]
    start = texts[0]
    return start in ("0", "1") and texts == [str(int(start) + step) for step in range(len(texts))]


def _long(look: Look, own: Mapping[str, int], date: int, rest: Sequence[int]) -> Layout | None:
    instrument = own.get("instrument_id")
    if instrument is None:
        instrument = _one_of(look, fields.INSTRUMENT, rest, "instrument_id")
    sure = "instrument_id" in own or (instrument is not None and _is_instrument_id(look, instrument, date))
    if instrument is not None and not sure:
        return None
    if instrument is None and len(rest) == 2 and look.repeats(date):
        # Two columns, names in one and numbers in the other: nothing else can be meant.
        names = [at for at in rest if _is_name(look, at)]
        instrument = names[0] if len(names) == 1 and "price" not in own else None
    if instrument is None:
        return None
    others = [at for at in rest if at != instrument]
    price, adjusted = _prices(look, own, others)
    if price is None and len(others) == 1:
        price = others[0]
    if price is None:
        raise PortfolioError(
            f"{look.origin} is a long file, and none of its columns {_some([look.header[at] for at in others])} is named "
            f"price or close; {_SETTING}.price to the one with the prices."
        )
    return Layout("long", date, instrument=instrument, price=price, adjusted=adjusted)


def _is_instrument_id(look: Look, at: int, date: int) -> bool:
    """Return whether a column called symbol, say, names instruments; in a wide file an instrument can be called so."""
    return look.header[at].casefold() == "instrument_id" or _is_name(look, at) or look.repeats(date)


def _is_name(look: Look, at: int) -> bool:
    """Return whether a column has words in all of the rows looked at."""
    if not is_text(look.types[at]):
        return False
    texts = [text for row in look.rows if (text := clean(text_of(row[at]))).lower() not in EMPTY]
    return bool(texts) and all(map(_has_letter, texts))


def _one_of(look: Look, tiers: Sequence[frozenset[str]], among: Sequence[int], key: str) -> int | None:
    for tier in tiers:
        found = [at for at in among if fields.plain_name(look.header[at]) in tier]
        exact = [at for at in found if look.header[at].casefold() == key]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0]
        if found and key == "instrument_id" and not any(_is_name(look, at) for at in found):
            continue
        if found:
            named = " and ".join(f"'{look.header[at]}'" for at in found)
            raise PortfolioError(
                f"{look.origin} has {named}, and each can be {key}; {_SETTING}.{key} to the one to take."
            )
    return None


def _prices(look: Look, own: Mapping[str, int], among: Sequence[int]) -> tuple[int | None, int | None]:
    """Return the columns of close and adjusted close; if only one is given, it is the first of the two."""
    adjusted = own.get("adjusted_price")
    if adjusted is None:
        adjusted = _one_of(look, (fields.ADJUSTED,), among, "adjusted_price")
    price = own.get("price")
    if price is None:
        price = _one_of(look, fields.CLOSE, [at for at in among if at != adjusted], "price")
    return (price, adjusted) if price is not None else (adjusted, None)


def _one_instrument(look: Look, own: Mapping[str, int], date: int, rest: Sequence[int]) -> Layout | None:
    names = {fields.plain_name(look.header[at]) for at in rest}
    whole = all(fields.is_field(look.header[at]) for at in rest)
    if not whole and not {"open", "high", "low"} <= names and "price" not in own:
        return None
    price, adjusted = _prices(look, own, rest)
    if price is None:
        return None
    return Layout("one instrument", date, (Series(look.name, price, adjusted),))


def _stacked(look: Look, own: Mapping[str, int]) -> Layout | None:
    """Return the layout of a table whose columns have two names, a field and an instrument (pandas, yfinance)."""
    pairs = [fields.pair(name) for name in look.header]
    if sum(found is not None for found in pairs) >= len(pairs) - 1 and len(pairs) > 1:
        at = next((at for at, found in enumerate(pairs) if found is None or found[0].casefold() == "date"), None)
        if at is not None:
            upper = [found[0] if found else "" for found in pairs]
            return _paired(look, upper, [found[1] if found else "" for found in pairs], at, 0)
    if len(look.rows) < 2 or own:
        return None
    second = [clean(text_of(cell)) for cell in look.rows[0]]
    third = [clean(text_of(cell)) for cell in look.rows[1]]
    upper = [name.partition(".")[0] if _is_twin(name) else name for name in look.header]
    if may_be_date(second[0]) or any(map(looks_like_date, second)) or not all(second[1:]):
        return None
    if any(map(str.isdigit, second[0])) or not any(map(_has_letter, second[1:])):
        return None
    if not (all(map(fields.is_field, upper[1:])) or all(map(fields.is_field, second[1:]))):
        return None
    names = not any(third[1:]) and not may_be_date(third[0])
    return _paired(look, upper, second, 0, 2 if names else 1)


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _is_twin(name: str) -> bool:
    head, _, tail = name.rpartition(".")
    return tail.isdigit() and fields.is_field(head)


def _paired(look: Look, upper: list[str], lower: list[str], date: int, skip: int) -> Layout:
    rest = [at for at in range(len(upper)) if at != date]
    if not all(fields.is_field(upper[at]) for at in rest):
        upper, lower = lower, upper
    repeated = [two for two, count in Counter((upper[at], lower[at]) for at in rest).items() if count > 1]
    if repeated:
        raise PortfolioError(f"{look.origin} has {' of '.join(repeated[0])} twice; keep one.")
    series = []
    for instrument in dict.fromkeys(lower[at] for at in rest):
        mine = [at for at in rest if lower[at] == instrument]
        named = replace(look, header=tuple(upper))
        price, adjusted = _prices(named, {}, mine)
        if price is None:
            raise PortfolioError(
                f"{look.origin} has {_some([upper[at] for at in mine])} of {instrument} and no close; add it."
            )
        series.append(Series(instrument, price, adjusted))
    return Layout("wide", date, tuple(series), skip=skip)


def _refuse_names(look: Look, rest: Sequence[int]) -> None:
    nameless = [at for at in rest if not look.header[at]]
    if nameless:
        raise PortfolioError(f"Column {nameless[0] + 1} of {look.origin} has no name; name it or remove it.")
    repeated = [name for name, count in Counter(look.header[at] for at in rest).items() if count > 1]
    if repeated:
        raise PortfolioError(f"{look.origin} has more than one column named '{repeated[0]}'; keep one.")


def _refuse_dates(look: Look, rest: Sequence[int]) -> None:
    for at in rest:
        texts = [text for row in look.rows if (text := clean(text_of(row[at])))]
        if texts and all(map(looks_like_date, texts)):
            raise PortfolioError(
                f"Column '{look.header[at]}' of {look.origin} has dates and no prices; remove it, or {_SETTING}.date to the "
                "column of dates."
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:6]) + (", ..." if len(names) > 6 else "")
