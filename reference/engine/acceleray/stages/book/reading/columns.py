"""Which column of a table of holdings is what, by its name or by conf/book.yml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from acceleray.errors import PortfolioError
from acceleray.stages.book.reading.mapping import BOOK_FILE
from acceleray.stages.ingest.reading.fields import plain_name
from acceleray.stages.ingest.reading.grid import clean
from acceleray.stages.ingest.reading.roles import some

IDENTIFIERS = ("instrument_id", "ticker", "isin", "cusip", "sedol", "figi")
"""Identifiers of an instrument, in the order of preference for its id; the name comes last."""
AMOUNTS = ("quantity", "market_value", "weight")
"""How much of it is held: one of these, or several that agree."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_IDENTIFIERS = {
    "instrument_id": _words(
        "instrument securityid assetid secid identifier securityidentifier instrumentcode"
    ),
    "ticker": _words(
        "symbol tickersymbol bloombergticker stocksymbol stockticker holdingticker emittententicker ric"
    ),
    "isin": _words("isincode securityisin isinnumber"),
    "cusip": _words("cusipnumber issuercusip cusip9 cusipid"),
    "sedol": _words("sedolcode sedolnumber"),
    "figi": _words("compositefigi bbgid bbgglobalid openfigi"),
    "name": _words(
        """securityname instrumentname holding holdings holdingname description securitydescription
        security nameofissuer issuertitle titleofissue company companyname constituent constituentname
        bezeichnung"""
    ),
}
_ATTRIBUTES = {
    "type": _words("instrumenttype securitytype assettype producttype"),
    "asset_class": _words("assetcat assetcategory assetgroup anlageklasse"),
    "sector": _words("gicssector industrysector sektor"),
    "country": _words("location countryofrisk countrycode investmentcountry domicile standort land"),
    "issuer": _words("issuername"),
    "multiplier": _words("contractsize contractmultiplier pointvalue"),
    "price_unit": _words("quoteunit pricescale"),
}
POSITIONS: Mapping[str, tuple[str, ...]] = {
    "portfolio_id": _words(
        "portfolio portfoliocode portfolioname fund fundid fundname fundticker account accountid mandate"
    ),
    "as_of": _words(
        """asofdate date positiondate holdingdate holdingsdate valuationdate reportdate reportingdate
        effectivedate periodofreport businessdate navdate stichtag"""
    ),
    **_IDENTIFIERS,
    "quantity": _words(
        """qty shares sharesheld numberofshares units nominal balance position sshprnamt shrsorprnamt
        sharespar sharesparamount sharesparvalue parvalue stück nominale anteile"""
    ),
    "market_value": _words(
        "mv value marketval positionvalue marketvalueusd valueusd valusd currencyvalue marktwert kurswert"
        " marketvaluebase basemarketvalue mvbase basemv valuebase basevalue marketvaluebasecurrency"
    ),
    "weight": _words(
        """weighting portfolioweight indexweight fundweight pctval pctnav percentage percent pct offund ofnav
        ofnetassets offunds ofportfolio oftotal ofassets netassets nav weightpct pctofnav gewicht
        gewichtung"""
    ),
    "weight_pct": (),
    "currency": _words("ccy currencycode positioncurrency valuecurrency währung"),
    "instrument_currency": _words(
        "marketcurrency localcurrency tradingcurrency pricecurrency securitycurrency quotecurrency"
        " marktwährung"
    ),
    **_ATTRIBUTES,
    "put_call": _words("putorcall"),
    "amount_type": _words("sshprnamttype shprn"),
}
PORTFOLIOS: Mapping[str, tuple[str, ...]] = {
    "portfolio_id": _words("portfolio portfoliocode fund fundid account accountid id"),
    "name": _words("portfolioname fundname accountname description"),
    "base_currency": _words("currency ccy portfoliocurrency fundcurrency"),
    "nav": _words("netassetvalue netassets aum tna totalnetassets"),
    "benchmark_id": _words("benchmark"),
    "parent_id": _words("parent parentportfolio"),
}
INSTRUMENTS: Mapping[str, tuple[str, ...]] = {
    **_IDENTIFIERS,
    "series": _words("priceseries pricename"),
    "currency": _words(
        "ccy currencycode instrumentcurrency tradingcurrency pricecurrency marketcurrency localcurrency"
    ),
    **_ATTRIBUTES,
    "calendar": _words("exchangecalendar mic"),
    "proxy": _words("proxyid"),
    "proxy_beta": _words("beta"),
}
# Names as short as these resemble too many others.
_LETTERS_OF_A_LIKENESS = 5
# Names that say per cent without the sign.
_PER_CENT = frozenset(_words("percentage percent pct pctval pctnav weightpct pctofnav"))
# Shares where the name has the sign, amounts where it has not.
_NET_ASSETS = ("nav", "netassets")


@dataclass(frozen=True)
class Kind:
    """One of the three tables: its name in conf/book.yml, and the names its columns usually have, by ours."""

    name: str
    usual: Mapping[str, tuple[str, ...]]

    @property
    def wanted(self) -> str:
        """Return in words what it needs."""
        if self.name == "positions":
            return (
                "an instrument (instrument_id, ticker, isin, ...) and one of quantity, market_value, weight"
            )
        return "portfolio_id" if self.name == "portfolios" else "instrument_id, ticker, isin or another id"


POSITIONS_KIND = Kind("positions", POSITIONS)
PORTFOLIOS_KIND = Kind("portfolios", PORTFOLIOS)
INSTRUMENTS_KIND = Kind("instruments", INSTRUMENTS)


@dataclass(frozen=True)
class Roles:
    """Columns of a table: position by role, and the positions of all others."""

    at: Mapping[str, int] = field(default_factory=dict)
    others: tuple[int, ...] = ()
    per_cent: bool = False

    @property
    def amounts(self) -> dict[str, int]:
        """Return the columns of quantity, market value and weight that are there."""
        return {role: self.at[role] for role in AMOUNTS if role in self.at}


def is_header(kind: Kind, cells: Sequence[str], own: Mapping[str, str]) -> bool:
    """Return whether a line names enough of the wanted columns to be the header."""
    found = set(_candidates(kind, cells, own))
    named = bool(found & {*IDENTIFIERS, "name"})
    if kind.name == "positions":
        return named and bool(found & {*AMOUNTS, "weight_pct"})
    if kind.name == "portfolios":
        return "portfolio_id" in found and len([cell for cell in cells if clean(cell)]) > 1
    return bool(found & set(IDENTIFIERS)) and len(found) > 1


def roles_of(kind: Kind, header: Sequence[str], own: Mapping[str, str], origin: str) -> Roles:
    """Return what each column is.

    Raises:
        PortfolioError: a column is missing that is needed or mapped, or two can be the same.
    """
    setting = f"{kind.name}.columns"
    for role, name in own.items():
        if role not in kind.usual:
            known = ", ".join(kind.usual)
            raise PortfolioError(f"{BOOK_FILE}, {setting}.{role}: unknown column; it can be one of {known}.")
        if not _named(header, name):
            raise PortfolioError(
                f"{BOOK_FILE} says that {role} is '{name}', and {origin} has no such column; its columns are "
                f"{some(header)}."
            )
    if not is_header(kind, header, own):
        raise PortfolioError(
            f"{origin} needs {kind.wanted}; its columns are {some(header)}; map them in {BOOK_FILE}, "
            f"{setting}."
        )
    at: dict[str, int] = {}
    for role, places in _candidates(kind, header, own).items():
        if len(places) > 1:
            named = " and ".join(f"'{header[place]}'" for place in places[:2])
            raise PortfolioError(
                f"{origin} has {named}, and each can be {role}; set {setting}.{role} in {BOOK_FILE} to one."
            )
        at[role] = places[0]
    per_cent = "weight_pct" in at
    if per_cent:
        at["weight"] = at.pop("weight_pct")
    elif "weight" in at and "weight" not in own:
        name = header[at["weight"]]
        per_cent = "%" in name or plain_name(name) in _PER_CENT
    valued = plain_name(header[at["market_value"]]) if "market_value" in at else ""
    if "base" in valued and "currency" in at and "instrument_currency" not in at:
        # A value in base currency is in that of the portfolio, so the currency is another one's.
        at["instrument_currency"] = at.pop("currency")
    others = tuple(place for place in range(len(header)) if header[place] and place not in at.values())
    return Roles(at, others, per_cent)


def _named(header: Sequence[str], name: str) -> list[int]:
    exact = [place for place, column in enumerate(header) if clean(column) == clean(name)]
    return exact or [
        place for place, column in enumerate(header) if clean(column).casefold() == clean(name).casefold()
    ]


def _candidates(kind: Kind, header: Sequence[str], own: Mapping[str, str]) -> dict[str, list[int]]:
    """Return the columns that can have each role, those of the best kind of name only."""
    found = {role: places for role, name in own.items() if (places := _named(header, name))}
    taken = {place for places in found.values() for place in places}
    plain = [plain_name(name) or ("weight" if "%" in name else "") for name in header]
    # A column with our own name is never taken for another's usual one.
    for names in ({role: (plain_name(role),) for role in kind.usual}, kind.usual):
        for role, usual in names.items():
            if role in found or (role == "weight" and "weight_pct" in found):
                continue
            places = [place for place, name in enumerate(plain) if place not in taken and name in usual]
            if role == "weight":
                places = [
                    place for place in places if plain[place] not in _NET_ASSETS or "%" in header[place]
                ]
            if places:
                found[role] = places
                taken.update(places)
    return found


def amount_like(header: str) -> str | None:
    """Return which amount the name of a column that is not known resembles, None if it resembles none."""
    words = {plain_name(word): role for role in AMOUNTS for word in (role, *POSITIONS[role])}
    likely = [word for word in words if len(word) >= _LETTERS_OF_A_LIKENESS]
    found = get_close_matches(plain_name(header), likely, 1, 0.85)
    return words[found[0]] if found else None
