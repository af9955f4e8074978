"""Which column of a grid is what: the date, instruments side by side or below each other, and closes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading import fields
from acceleray.stages.ingest.reading.dates import looks_like_date, may_be_date
from acceleray.stages.ingest.reading.grid import EMPTY, clean, text_of
from acceleray.stages.ingest.reading.roles import (
    SETTING,
    Layout,
    Look,
    Series,
    has_letter,
    is_name,
    one_of,
    prices_of,
    some,
)
from acceleray.stages.ingest.reading.stacked import flattened, stacked

_INDEX = "__index_level_0__"
# Fewer rows may count by chance.
_ROWS_OF_A_NAME = 10


def layout_of(look: Look, columns: Mapping[str, str]) -> Layout:
    """Return what each column is.

    Args:
        look: names, some rows and types of the columns.
        columns: names of the user's own, by ours (date, instrument_id, price, adjusted_price).

    Raises:
        PortfolioError: there is no date column, or more than one, or nothing else that can be prices.
    """
    own = {key: _own(look, key, name) for key, name in columns.items() if name}
    if layout := stacked(look, own):
        return layout
    date = own["date"] if "date" in own else _date(look)
    if looks_like_date(look.header[date]):
        raise PortfolioError(
            f"{look.origin} has the date '{look.header[date]}' in {look.place}; it needs a header with date "
            "and the names of the instruments."
        )
    others = [at for at in range(len(look.header)) if at != date]
    rest = [at for at in others if at in own.values() or not _is_row_number(look, at, date)]
    rest = [at for at in rest if look.header[at] or look.first(at) is not None]
    if not rest:
        raise PortfolioError(
            f"{look.origin} has a date column and nothing else; it needs one column per instrument."
        )
    if long := _long(look, own, date, rest):
        return long
    if one := _one_instrument(look, own, date, rest):
        return one
    _refuse_names(look, rest)
    _refuse_dates(look, rest)
    if several := flattened(look, date, rest):
        return several
    return Layout("wide", date, tuple(Series(look.header[at], at) for at in rest))


def _own(look: Look, key: str, name: str) -> int:
    found = [at for at, column in enumerate(look.header) if column == clean(name)]
    found = found or [
        at for at, column in enumerate(look.header) if column.casefold() == clean(name).casefold()
    ]
    if len(found) != 1:
        raise PortfolioError(
            f"market_data.columns says that {key} is '{name}', and {look.origin} has "
            f"{len(found) or 'no'} columns of that name; its columns are {some(look.header)}."
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
            f"{look.origin} has several columns of dates, {named}; {SETTING}.date to the one of the prices."
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


def _is_row_number(look: Look, at: int, date: int) -> bool:
    """Return whether a column counts the rows: one without a name, as pandas and R write them, or an id."""
    nameless = look.header[at] in ("", _INDEX, "Unnamed: 0")
    # Below a date that repeats, such numbers are those of instruments.
    named = fields.plain_name(look.header[at]) in fields.ROW and not look.repeats(date)
    if not (nameless or named) or len(look.rows) < (2 if nameless else _ROWS_OF_A_NAME):
        return False
    texts = [clean(text_of(row[at])) for row in look.rows]
    start = texts[0]
    return start in ("0", "1") and texts == [str(int(start) + step) for step in range(len(texts))]


def _long(look: Look, own: Mapping[str, int], date: int, rest: Sequence[int]) -> Layout | None:
    instrument = own.get("instrument_id")
    if instrument is None:
        instrument = one_of(look, fields.INSTRUMENT, rest, "instrument_id")
    sure = "instrument_id" in own or (
        instrument is not None and _is_instrument_id(look, instrument, date, rest)
    )
    if instrument is not None and not sure:
        return None
    if instrument is None and len(rest) == 2 and look.repeats(date):
        # Two columns, names in one and numbers in the other: nothing else can be meant.
        names = [at for at in rest if is_name(look, at)]
        instrument = names[0] if len(names) == 1 and "price" not in own else None
    if instrument is None:
        return None
    others = [at for at in rest if at != instrument]
    _refuse_fields(look, others)
    price, adjusted = prices_of(look, own, others)
    if price is None and len(others) == 1:
        price = others[0]
    if price is None:
        named = some([look.header[at] for at in others])
        raise PortfolioError(
            f"{look.origin} is a long file, and none of its columns {named} is named "
            f"price or close; {SETTING}.price to the one with the prices."
        )
    return Layout("long", date, instrument=instrument, price=price, adjusted=adjusted)


def _refuse_fields(look: Look, others: Sequence[int]) -> None:
    """Refuse a long table with a row for each field, of which one column says which field it is."""
    for at in others:
        found = [text for row in look.rows if (text := clean(text_of(row[at])))]
        if len(set(found)) > 1 and all(map(fields.is_field, found)):
            raise PortfolioError(
                f"Column '{look.header[at]}' of {look.origin} has names of fields, such as '{found[0]}'; "
                "keep the rows of closes, or bring each field as a column."
            )


def _is_instrument_id(look: Look, at: int, date: int, rest: Sequence[int]) -> bool:
    """Return whether a column called symbol, say, names instruments and is none itself."""
    if look.header[at].casefold() == "instrument_id" or look.repeats(date):
        return True
    texts = [text for row in look.rows if (text := clean(text_of(row[at]))).lower() not in EMPTY]
    if 2 * len(set(texts)) > len(texts) > 1 and not any(map(has_letter, texts)):
        # Numbers of which few repeat are those of a column of prices, whatever it is called.
        return False
    closes = fields.CLOSE[0] | fields.ADJUSTED
    return any(fields.plain_name(look.header[other]) in closes for other in rest) or any(
        map(has_letter, texts)
    )


def _one_instrument(look: Look, own: Mapping[str, int], date: int, rest: Sequence[int]) -> Layout | None:
    whole = all(fields.is_field(look.header[at]) for at in rest)
    if not whole and not fields.is_quote(look.header[at] for at in rest) and "price" not in own:
        return None
    price, adjusted = prices_of(look, own, rest)
    if price is None:
        return None
    return Layout("one instrument", date, (Series(look.name, price, adjusted),))


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
                f"Column '{look.header[at]}' of {look.origin} has dates and no prices; remove it, or "
                f"{SETTING}.date to the column of dates."
            )
