"""Trades as people write them: quantities, amounts or weights, in a file or a mapping; what is refused."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acceleray.errors import PortfolioError

QUANTITY, AMOUNT, WEIGHT = "quantity", "amount", "weight"
HOW_MUCH = (QUANTITY, AMOUNT, WEIGHT)
"""Units bought; money in the portfolio's base currency; share of its NAV. A sale is negative."""

_INSTRUMENT = ("instrument_id", "instrument", "ticker", "symbol")


@dataclass(frozen=True)
class Trade:
    """One trade as it was given: which instrument, and how much in which of `HOW_MUCH`."""

    instrument_id: str
    how: str
    size: float


def trades_of(
    quantities: Mapping[str, float] | None = None,
    amounts: Mapping[str, float] | None = None,
    weights: Mapping[str, float] | None = None,
) -> tuple[Trade, ...]:
    """Return trades from mappings from instrument to size, in their order.

    Raises:
        PortfolioError: a size is no finite number, or an instrument is in two mappings.
    """
    found: dict[str, Trade] = {}
    for how, given in ((QUANTITY, quantities), (AMOUNT, amounts), (WEIGHT, weights)):
        for name, size in (given or {}).items():
            if name in found:
                raise PortfolioError(f"{name} is traded twice, by {found[name].how} and {how}; give one.")
            found[name] = Trade(name, how, _number(size, f"the {how} of {name}"))
    return tuple(found.values())


def read_trades(path: Path) -> tuple[Trade, ...]:
    """Return the trades of a CSV file: a column `instrument_id`, and one of quantity, amount or weight.

    A line says one of the three; different lines may say different ones.

    Raises:
        PortfolioError: the file cannot be read or has no trade, or a line is invalid; the line is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PortfolioError(f"{path} cannot be read: {reason}.") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise PortfolioError(
            f"{path} is empty; its first line is instrument_id,quantity (or amount, weight)."
        )
    separator = max(",;\t", key=lines[0].count)
    names = [name.strip().lower() for name in next(csv.reader(lines[:1], delimiter=separator))]
    at = next((names.index(name) for name in _INSTRUMENT if name in names), None)
    sizes = {how: names.index(how) for how in HOW_MUCH if how in names}
    if at is None or not sizes:
        raise PortfolioError(
            f"{path} has the columns {', '.join(names)}; it needs instrument_id and one of"
            f" {', '.join(HOW_MUCH)}."
        )
    found: dict[str, Trade] = {}
    for number, cells in enumerate(csv.reader(lines[1:], delimiter=separator), start=2):
        trade = _line(f"{path}, line {number}", [cell.strip() for cell in cells], at, sizes)
        if trade.instrument_id in found:
            raise PortfolioError(f"{path}, line {number}: {trade.instrument_id} is traded a second time.")
        found[trade.instrument_id] = trade
    if not found:
        raise PortfolioError(f"{path} has a header and no trade; add a line such as AAPL,-10000.")
    return tuple(found.values())


def refuse_too_many(count: int, most: int, what: str) -> None:
    """Refuse a question of more trades or hedges than an answer is quick for.

    Raises:
        PortfolioError: there are more than `most`.
    """
    if count > most:
        raise PortfolioError(
            f"{count} {what} exceed what_if.maximum_{what} = {most}; ask about fewer, or raise it."
        )


def known(name: str, among: Collection[str], what: str = "instrument") -> str:
    """Return a name that is there.

    Raises:
        PortfolioError: it is not; the message has the nearest one.
    """
    if name in among:
        return name
    close = difflib.get_close_matches(name, list(among), n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else f"there are {_some(sorted(among))}."
    raise PortfolioError(f"There is no {what} '{name}' in the run; {hint}")


def _line(where: str, cells: Sequence[str], at: int, sizes: Mapping[str, int]) -> Trade:
    name = cells[at] if at < len(cells) else ""
    if not name:
        raise PortfolioError(f"{where} has no instrument.")
    given = {how: cells[place] for how, place in sizes.items() if place < len(cells) and cells[place]}
    if len(given) != 1:
        said = " and ".join(given) or "none"
        raise PortfolioError(f"{where}: {name} needs one of {', '.join(sizes)}, not {said}.")
    [(how, text)] = given.items()
    return Trade(name, how, _number(text, f"{where}: the {how} of {name}"))


def _number(value: object, what: str) -> float:
    try:
        found = float(str(value).replace("_", "").replace("'", ""))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise PortfolioError(f"{what} is '{value}' and must be a number such as -10000 or 0.05.")
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
