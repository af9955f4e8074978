"""Which instrument a position is of: by any identifier, by name only where nothing else is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from acceleray.errors import PortfolioError
from acceleray.quant.currencies import CURRENCIES, pair_of
from acceleray.stages.book.reading.columns import IDENTIFIERS
from acceleray.stages.book.reading.currencies import cash_in, currency_of
from acceleray.stages.book.reading.identifiers import also
from acceleray.stages.book.reading.instruments import Instrument, instrument

CASH = "CASH."
"""How the id of cash begins; its currency follows."""
# Types that are valued alike: one file's equity may be another's fund.
_ALIKE = {"equity", "fund", "index"}


@dataclass(frozen=True)
class Match:
    """The instrument of a position.

    Attributes:
        instrument_id: the instrument; `CASH.` alone is cash in the base currency of its portfolio.
        reason: why it is of none, empty where it is of one.
    """

    instrument_id: str = ""
    reason: str = ""


@dataclass
class Register:
    """All instruments that are known, found by what names them."""

    instruments: dict[str, Instrument] = field(default_factory=dict)
    exact: dict[str, set[str]] = field(default_factory=dict)
    folded: dict[str, set[str]] = field(default_factory=dict)
    by_name: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, listed: Iterable[Instrument], priced: Sequence[str]) -> Register:
        """Return the register of listed instruments and of series that no listed one has."""
        register, free = cls(), {name: name for name in priced}
        by_fold: dict[str, list[str]] = {}
        for name in priced:
            by_fold.setdefault(name.casefold(), []).append(name)
        for one in listed:
            texts = [one.series] if one.series else [*one.ids.values()]
            texts += (
                [] if one.series else [more for role, text in one.ids.items() for more in also(role, text)]
            )
            texts += [] if one.series or "name" not in one.words else [one.words["name"]]
            series = ""
            for text in texts:
                same = by_fold.get(text.casefold(), [])
                series = text if text in free else (same[0] if len(same) == 1 else "")
                if series:
                    break
            register.add(replace(one, series=series))
        taken = {one.series for one in register.instruments.values()}
        for name in priced:
            if name not in taken and name not in register.instruments:
                register.add(Instrument(name, {"instrument_id": name}, series=name))
        return register

    def add(self, one: Instrument) -> None:
        """Add an instrument."""
        self.instruments[one.instrument_id] = one
        self.also_named(one.instrument_id, one)

    def also_named(self, instrument_id: str, one: Instrument) -> None:
        """Let an instrument be found by what another row calls it."""
        for text in _named(one):
            self.exact.setdefault(text, set()).add(instrument_id)
            self.folded.setdefault(text.casefold(), set()).add(instrument_id)
        if name := one.words.get("name"):
            self.by_name.setdefault(name.casefold(), set()).add(instrument_id)

    def priced(self) -> set[str]:
        """Return the instruments that have a series of prices."""
        return {name for name, one in self.instruments.items() if one.series}

    def series_of(self, text: str) -> str:
        """Return the series of the one instrument that a text names, the text itself where there is none."""
        series = {self.instruments[name].series for name in self.found(text)}
        return next(iter(series)) or text if len(series) == 1 else text

    def found(self, text: str) -> set[str]:
        """Return the instruments that a text names, in any letters if none is named in exactly these."""
        return self.exact.get(text) or self.folded.get(text.casefold(), set())


def _named(one: Instrument) -> list[str]:
    return [
        one.instrument_id,
        *one.ids.values(),
        *(more for role, text in one.ids.items() for more in also(role, text)),
    ]


def match(
    rows: Sequence[Mapping[str, str]],
    places: Sequence[str],
    register: Register,
    currencies: set[str],
    types: Mapping[str, str],
    numbers: Sequence[Mapping[str, float]],
) -> tuple[list[Match], list[str]]:
    """Return of each row what it is of, and a line for each identifier that is wrong.

    Instruments that the register does not know are added to it; those that it knows get attributes that
    it did not have.

    Args:
        rows: different ones, by role; `currency` is the instrument's where a file says so, else the row's.
        places: how messages name them.
        register: what is known.
        currencies: of cash that a code alone may stand for.
        types: the user's words for types.
        numbers: multiplier, where a row has one.
    """
    found = [Match()] * len(rows)
    said: list[str] = []
    # Rows that name more come first, so that one that names less finds what they brought.
    order = sorted(
        range(len(rows)),
        key=lambda at: (-sum(role in rows[at] for role in IDENTIFIERS), sorted(rows[at].items())),
    )
    for at in order:
        told: list[str] = []
        one = instrument(rows[at], places[at], types, numbers[at], told)
        found[at] = _match(rows[at], one, told, register, currencies)
        if not found[at].reason:
            said += told
    return found, said


def _match(
    row: Mapping[str, str], one: Instrument, told: list[str], register: Register, currencies: set[str]
) -> Match:
    if one.strange:
        return Match(reason=_strange(one.strange))
    hits = {role: register.found(text) for role, text in one.ids.items()}
    for role, text in one.ids.items():
        for more in also(role, text) if not hits[role] else ():
            hits[role] = register.found(more)
    known = {role: names for role, names in hits.items() if names}
    if (cash := _cash(row, one, known, register, currencies)) is not None:
        return _as_cash(cash, register)
    if row.get("put_call"):
        # The underlying of an option has the same identifiers.
        under = min(set().union(*known.values()), default=one.instrument_id or one.words.get("name", ""))
        return _joined(f"{under} {row['put_call'].upper()}", replace(one, ids={}), register)
    if known:
        common = set.intersection(*known.values())
        if len(common) > 1 and one.currency:
            common = {
                name for name in common if register.instruments[name].currency == one.currency
            } or common
        if len(common) != 1:
            return Match(reason=_ambiguous(one, known))
        return _joined(next(iter(common)), one, register)
    name = one.words.get("name", "").casefold()
    same = register.by_name.get(name, set()) if name and not one.ids else set()
    same = same or ({*register.found(name)} if name and not one.ids else set())
    if len(same) > 1:
        return Match(reason=f"is ambiguous: {one.words['name']} can be {' or '.join(sorted(same)[:3])}")
    if same:
        return _joined(next(iter(same)), one, register)
    if not one.ids and told:
        return Match(
            reason=f"names no instrument: {told[0].partition(': ')[2].removesuffix('; it is not used')}"
        )
    return _joined(one.instrument_id or one.words["name"], one, register)


def _strange(word: str) -> str:
    return f"has type '{word}', which is not known; map it in conf/book.yml, types"


def _ambiguous(one: Instrument, known: Mapping[str, set[str]]) -> str:
    parts = [f"{role} {one.ids[role]} is {' or '.join(sorted(names)[:3])}" for role, names in known.items()]
    return f"is ambiguous: {', '.join(parts)}"


def _joined(instrument_id: str, one: Instrument, register: Register) -> Match:
    """Return a match, and keep what the row says about the instrument where nothing was known."""
    before = register.instruments.get(instrument_id)
    if before is not None and before.strange and not one.type:
        return Match(reason=_strange(before.strange))
    if before is None:
        kind = one.type
        if not kind and (pair := pair_of(instrument_id)):
            one = replace(one, type="fx", currency=one.currency or pair[1])
        register.add(replace(one, instrument_id=instrument_id))
        return Match(instrument_id)
    for word in ("currency", "type"):
        mine, theirs = getattr(before, word), getattr(one, word)
        alike = mine == theirs or {mine, theirs} <= _ALIKE
        if mine and theirs and not alike and not before.listed:
            raise PortfolioError(
                f"{one.place} has {word} {theirs} for {instrument_id}, and {before.place} has {mine}; say "
                "which one it is in a file of instruments (book.instruments_path)."
            )
    register.instruments[instrument_id] = replace(before.filled(one), place=before.place or one.place)
    register.also_named(instrument_id, one)
    return Match(instrument_id)


def _cash(
    row: Mapping[str, str],
    one: Instrument,
    known: Mapping[str, set[str]],
    register: Register,
    currencies: set[str],
) -> str | None:
    """Return the currency of a row that is cash ('' where the row does not say it), None where it is none."""
    listed = {name for names in known.values() for name in names}
    of_type = {register.instruments[name].type for name in listed}
    texts = [*one.ids.values(), *([one.words["name"]] if "name" in one.words else [])]
    if one.type not in ("", "cash") or (listed and not one.type and "cash" not in of_type):
        return None
    code = next((found for text in texts if (found := cash_in(text)) is not None), None)
    alone = next((text.upper() for text in texts if text.upper() in CURRENCIES), "")
    mine = one.currency or next((register.instruments[name].currency for name in sorted(listed)), "")
    if one.type == "cash" or "cash" in of_type:
        return code or alone or mine
    if code is not None:
        return code or mine
    # ALL is a currency and a share; a code alone is cash where the book has that currency.
    if alone and (
        alone == currency_of(row.get("currency", ""))[0] or ("currency" not in row and alone in currencies)
    ):
        return alone
    return None


def _as_cash(code: str, register: Register) -> Match:
    one = cash_in_currency(code)
    if code and one.instrument_id not in register.instruments:
        register.instruments[one.instrument_id] = one
    return Match(one.instrument_id)


def cash_in_currency(code: str) -> Instrument:
    """Return cash in a currency."""
    words = {"name": f"Cash in {code}", "asset_class": "Cash"}
    return Instrument(CASH + code, {}, words, "cash", currency=code)
