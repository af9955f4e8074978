"""Columns with two names, a field and an instrument, as pandas and yfinance write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from acceleray.errors import PortfolioError
from acceleray.stages.ingest.reading import fields
from acceleray.stages.ingest.reading.dates import looks_like_date, may_be_date
from acceleray.stages.ingest.reading.grid import clean, text_of
from acceleray.stages.ingest.reading.roles import Layout, Look, Series, has_letter, prices_of, some


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
    if any(map(str.isdigit, second[0])) or not any(map(has_letter, second[1:])):
        return None
    if not (all(map(fields.is_field, upper[1:])) or all(map(fields.is_field, second[1:]))):
        return None
    names = not any(third[1:]) and not may_be_date(third[0])
    return _paired(look, upper, second, 0, 2 if names else 1)


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
