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
        "cash collateral", "cash collateral and margins", "cash and margins", "deposit", "deposits", "payable", "receivable",
    ),
    "option": (
        "options", "put", "call", "warrant", "warrants", "equity option", "swaption", "right", "rights",
    ),
    "bond": (
        "bonds", "fixed income", "government bond", "corporate bond", "treasury", "note", "notes", "dbt",
        "debt", "debt security", "bill", "bills", "prn", "convertible bond", "municipal bond", "loan", "loans",
    ),
}  # fmt: skip
_KNOWN = {word: name for name, words in _WORDS.items() for word in (name, *words)}


def type_of(
    said: str, asset_class: str, put_call: str, amount_type: str, own: Mapping[str, str]
) -> tuple[str, str]:
    """Return the type of an instrument ('' where nothing says it), and a word that is no type that we know.

    Args:
        said: what a column of types says.
        asset_class: what one of asset classes says; a word that is no type says nothing about it.
        put_call: a 13F's; anything in it says that the line is an option.
        amount_type: a 13F's; PRN says that the amount is a principal, so a bond.
        own: the user's words, by word.
    """
    mine = {word.casefold(): name for word, name in own.items()}
    if put_call:
        return "option", ""
    if said:
        word = said.casefold()
        found = mine.get(word) or _KNOWN.get(word)
        return (found, "") if found else ("", said)
    for word in (asset_class.casefold(), amount_type.casefold()):
        if found := mine.get(word) or (_KNOWN.get(word) if word != "sh" else None):
            return found, ""
    return "", ""
