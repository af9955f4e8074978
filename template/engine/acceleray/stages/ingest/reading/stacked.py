"""Columns with two names, a field and an instrument: below each other, in brackets, or in one word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading import fields
from acceleray.stages.ingest.reading.dates import looks_like_date, may_be_date
from acceleray.stages.ingest.reading.grid import EMPTY, clean, text_of
from acceleray.stages.ingest.reading.roles import Layout, Look, Series, has_letter, prices_of, some

# What stands between the two names of a column in one word, and how many words a field has.
_BETWEEN, _MOST_WORDS = (" ", "_", "|", ".", ":", "/", "-"), 3


def stacked(look: Look, own: Mapping[str, int]) -> Layout | None:
    """Return the layout of a table whose columns have two names each, None if they have one."""
    pairs = [fields.pair(name) for name in look.header]
    if sum(found is not None for found in pairs) >= len(pairs) - 1 and len(pairs) > 1:
        at = next(
            (at for at, found in enumerate(pairs) if found is None or found[0].casefold() == "date"), None
        )
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
    names = not any(_some(third[1:])) and not may_be_date(third[0])
    # Codes of instruments may be numbers; a line below them that names the index alone says that they are.
    if any(map(str.isdigit, second[0])) or not (any(map(has_letter, second[1:])) or (names and any(third))):
        return None
    upper = _spread(upper)
    if not all(upper[1:]):
        return None
    if not (all(map(fields.is_field, upper[1:])) or all(map(fields.is_field, second[1:]))):
        return None
    return _paired(look, upper, second, 0, 2 if names else 1)


def flattened(look: Look, date: int, rest: Sequence[int]) -> Layout | None:
    """Return the layout of a table whose columns are called AAA_Close, AAA_Volume; None if they are not.

    One field alone says nothing, because a source may call its instruments so.
    """
    for mark, first in product(_BETWEEN, (False, True)):
        found = [_cut(look.header[at].split(mark), mark, first) for at in rest]
        cut = [one for one in found if one is not None]
        if len(cut) < len(found):
            continue
        upper, lower = ([""] * len(look.header) for _ in range(2))
        for at, (field, instrument) in zip(rest, cut, strict=True):
            upper[at], lower[at] = field, instrument
        kinds = [fields.plain_name(field) for field, _ in cut]
        whole = {name for field, name in cut if fields.is_close(field) or fields.is_adjusted(field)}
        if len(set(kinds)) > 1 and whole == {name for _, name in cut}:
            return _paired(look, upper, lower, date, 0)
    return None


def _cut(words: list[str], mark: str, first: bool) -> tuple[str, str] | None:
    """Return the field and the instrument of a name: the longest field at one end of it, None without one."""
    for length in range(min(len(words) - 1, _MOST_WORDS), 0, -1):
        field, name = (words[:length], words[length:]) if first else (words[-length:], words[:-length])
        if fields.is_field(" ".join(field)) and any(name):
            return " ".join(field), clean(mark.join(name))
    return None


def _some(cells: list[str]) -> list[str]:
    """Return the cells that say anything."""
    return [cell for cell in cells if cell.lower() not in EMPTY]


def _spread(upper: list[str]) -> list[str]:
    """Return names with each also for the empty ones to its right: a spreadsheet merges such cells."""
    found = upper[:2]
    for name in upper[2:]:
        found.append(name or found[-1])
    return found


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
        price, adjusted = prices_of(named, {}, mine)
        if price is None:
            raise PortfolioError(
                f"{look.origin} has {some([upper[at] for at in mine])} of {instrument} and no close; add it."
            )
        series.append(Series(instrument, price, adjusted))
    return Layout("wide", date, tuple(series), skip=skip)
