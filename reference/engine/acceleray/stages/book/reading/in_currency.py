"""The currencies of a book: of instruments, of portfolios, and of what market values are stated in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.quant.currencies import pair_of
from acceleray.stages.book.hierarchy import in_short
from acceleray.stages.book.reading.currencies import currency_of
from acceleray.stages.book.reading.matching import CASH, Register, cash_in_currency
from acceleray.stages.book.reading.portfolios import Portfolio
from acceleray.stages.book.reading.positions import place_of


def refuse_currencies(rows: pa.Table, usable: NDArray[np.bool_]) -> None:
    """Check that the currencies of usable rows are codes, and that values are not stated in pence.

    Raises:
        PortfolioError: one is none, or one is.
    """
    valued = usable & ~np.isnan(rows["market_value"].to_numpy())
    for role in ("currency", "instrument_currency"):
        for text in filter(None, pc.unique(rows[role]).to_pylist()):
            code, unit = currency_of(text)
            if code and (unit == 1.0 or role != "currency"):
                continue
            there = np.asarray(pc.equal(rows[role], text)) & (usable if not code else valued)
            if not there.any():
                continue
            place = place_of(rows, int(np.argmax(there)))
            if not code:
                raise PortfolioError(
                    f"{place} has {role} '{text}', which is not an ISO 4217 code; write one such as EUR."
                )
            raise PortfolioError(
                f"{place} has a market value in {text}, and values are in whole {code}; write {code}, and "
                f"{text} in a column instrument_currency."
            )


def codes_of(currency: pa.ChunkedArray) -> pa.Array:
    """Return the codes that texts of currencies mean; '' where they mean none."""
    encoded = currency.combine_chunks().dictionary_encode()
    codes = [currency_of(text)[0] for text in encoded.dictionary.to_pylist()]
    return pa.array([*codes, ""], pa.string()).take(encoded.indices)


def cash_currencies(
    portfolios: Mapping[str, Portfolio], register: Register, priced: Sequence[str], currency: str
) -> set[str]:
    """Return the currencies that a code alone may stand for cash in: those of the book and of its rates."""
    found = {currency} | {one.base_currency for one in portfolios.values()}
    found |= {one.currency for one in register.instruments.values()}
    return found | {code for name in priced for code in (pair_of(name) or ())}


def with_currencies(
    portfolios: Mapping[str, Portfolio],
    register: Register,
    held: Sequence[str],
    currency: str,
) -> tuple[dict[str, Portfolio], list[str]]:
    """Return portfolios with a base currency each, after every held instrument in `register` was given one.

    In a book of one currency what says nothing has that one, and in a book that says nothing `currency`.

    Raises:
        PortfolioError: the book has several currencies, and a held instrument has none.
    """
    instruments = register.instruments
    for name in held:
        if not instruments[name].currency and (pair := pair_of(name)):
            instruments[name] = replace(
                instruments[name], currency=pair[1], type=instruments[name].type or "fx"
            )
    # A rate that is only priced makes no book in two currencies, nor does an index without a position.
    said = {instruments[name].currency for name in held}
    of_some = bool(said - {""})
    said |= {one.base_currency for one in portfolios.values()}
    said -= {""}
    one_currency = next(iter(said)) if len(said) == 1 else currency
    missing = sorted(name for name in held if not instruments[name].currency)
    if missing and len(said) > 1:
        several = " and ".join(sorted(said)[:3])
        one, others = instruments[missing[0]], counted(len(missing) - 1, "other")
        raise PortfolioError(
            f"Instrument {missing[0]}{f' ({one.place})' if one.place else ''} has no currency"
            f"{f', as {others}' if len(missing) > 1 else ''}, and the book has {several}; "
            "add a column currency to the file of instruments or of positions."
        )
    for name, one in instruments.items():
        if not one.currency and (len(said) < 2 and not pair_of(name)):
            instruments[name] = replace(one, currency=one_currency)
    bare = [name for name, one in portfolios.items() if not one.base_currency]
    lines = []
    if missing and of_some and one_currency != currency:
        lines.append(
            f"{in_short(missing)} without currency: taken as {one_currency}, the only one of the book"
        )
    if bare and len(said) > 1:
        whose = bare[0] if len(bare) == 1 else f"{len(bare):,} portfolios"
        lines.append(f"{whose} without base_currency: taken as {one_currency} (book.currency)")
    filled = {
        name: one if one.base_currency else replace(one, base_currency=one_currency)
        for name, one in portfolios.items()
    }
    return filled, lines


def bases_of(rows: pa.Table, portfolios: Mapping[str, Portfolio]) -> pa.Array:
    """Return the base currency of each row's portfolio; '' where there is no such portfolio."""
    encoded = rows["portfolio_id"].combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    bases = [portfolios[name].base_currency if name in portfolios else "" for name in names]
    return pa.array(bases, pa.string()).take(encoded.indices)


def with_cash(found: pa.Array, bases: pa.Array, register: Register) -> pa.Array:
    """Return ids of instruments in which cash without a currency is in that of its portfolio."""
    found = pc.if_else(pc.equal(found, CASH), pc.binary_join_element_wise(CASH, bases, ""), found)
    for name in pc.unique(found).to_pylist():
        if name.startswith(CASH) and name not in register.instruments:
            register.instruments[name] = cash_in_currency(name.removeprefix(CASH))
    return found


def value_currencies(rows: pa.Table, bases: pa.Array, found: pa.Array) -> pa.Array:
    """Return what each row's market value is stated in: its own, that of cash, else that of its portfolio."""
    said = codes_of(rows["currency"])
    of_cash = pc.starts_with(found, CASH)
    own = pc.if_else(of_cash, pc.replace_substring_regex(found, "^CASH[.]", ""), bases)
    return pc.if_else(pc.equal(said, ""), own, said)
