"""Types of instruments: ours, and the words for them in files of the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from acceleray.stages.book.reading.mapping import TypeName

TYPES: tuple[str, ...] = get_args(TypeName)
"""All that are known; an option or a bond is known and not modelled."""
NOT_MODELLED = ("option", "bond")

_WORDS: dict[str, tuple[str, ...]] = {
    "equity": (
        "equities", "stock", "stocks", "share", "shares", "common stock", "common", "com", "preferred stock",
        "preferred", "adr", "gdr", "reit", "ordinary share", "ordinary shares", "ec", "ep",
        "equity-common", "equity-preferred", "equity common", "equity preferred", "sh",
    ),
    "fund": (
        "funds", "etf", "etfs", "etp", "mutual fund", "mutual funds", "money market", "stiv", "unit trust",
    ),
    "index": ("indices", "indexes"),
    "fx": ("currency pair", "fx spot", "fx rate"),
    "future": ("futures", "index future", "index futures"),
    "forward": ("forwards", "fx forward", "fx forwards", "currency forward", "forward contract", "dfe"),
    "cash": (
        "cash and cash equivalents", "cash & cash equivalents", "cash equivalents", "currency",
        "cash collateral", "cash collateral and margins", "cash and margins", "deposit", "deposits",
        "payable", "receivable",
    ),
    "option": (
        "options", "put", "call", "warrant", "warrants", "equity option", "swaption", "right", "rights",
    ),
    "bond": (
        "bonds", "fixed income", "government bond", "corporate bond", "treasury", "note", "notes", "dbt",
        "debt", "debt security", "bill", "bills", "prn", "convertible bond", "municipal bond",
        "loan", "loans",
    ),
}  # fmt: skip
_KNOWN = {word: name for name, words in _WORDS.items() for word in (name, *words)}


def type_of(cells: Mapping[str, str], own: Mapping[str, str]) -> tuple[str, str]:
    """Return the type of an instrument ('' where nothing says it), and a word that is no type that we know.

    A column of types must say one; a word in one of asset classes that is no type says nothing about it. Of a
    13F, anything for put or call says option, and amounts that are principal (PRN) say bond.

    Args:
        cells: of a row, by role.
        own: the user's words, by word.
    """
    mine = {word.casefold(): name for word, name in own.items()}
    if cells.get("put_call"):
        return "option", ""
    if said := cells.get("type", ""):
        found = mine.get(said.casefold()) or _KNOWN.get(said.casefold())
        return (found, "") if found else ("", said)
    asset_class = cells.get("asset_class", "").casefold()
    if found := mine.get(asset_class) or _KNOWN.get(asset_class):
        return found, ""
    return ("bond" if cells.get("amount_type", "").casefold() == "prn" else ""), ""
