"""Names of columns: of the date, of instruments, and of fields such as volume, which are no instruments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from acceleray.stages.ingest.reading.grid import clean


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DATE = _words(
    """date dates datum datetime timestamp time tradedate tradingdate tradingday pricedate asofdate
    asof fecha data dt handelstag tag day businessdate valuationdate navdate quotedate refdate per
    \u65e5\u671f \u4ea4\u6613\u65e5\u671f \u65e5\u4ed8 \u65e5\u4ed8\u3051"""
)
ROW = _words("id index row rowid rowno rownum rownumber no nr num number obs lfdnr")
INSTRUMENT = (
    frozenset(["instrumentid"]),
    _words(
        """instrument symbol ticker tickers isin sedol cusip ric figi wkn valor asset assetid security
    securityid code secid permno gvkey instrumentcode tickersymbol bbgid"""
    ),
    frozenset(["name", "instrumentname", "securityname", "id", "variable", "description"]),
)
CLOSE = (
    frozenset(["price", "close"]),
    _words(
        """closing closeprice closingprice closelast last lastprice pxlast nav value settle settlement
    settlementprice schlusskurs schluss kurs px prc navpershare letzter zuletzt cl\u00f4ture cloture dernier
    cierre \u00faltimo ultimo chiusura fechamento slotkoers slutkurs
    \u6536\u76d8 \u6536\u76d8\u4ef7 \u7d42\u5024 \uc885\uac00"""
    ),
)
OPEN = _words(
    """open openprice pxopen er\u00f6ffnung er\u00f6ffn eroeffnung erster ouverture ouv apertura abertura
    \u5f00\u76d8 \u5f00\u76d8\u4ef7 \u59cb\u5024 \uc2dc\uac00"""
)
HIGH = _words(
    """high highprice pxhigh hoch tageshoch plushaut haut m\u00e1ximo m\u00e1xima maximo maxima massimo
    \u6700\u9ad8 \u6700\u9ad8\u4ef7 \u9ad8\u5024 \uace0\uac00"""
)
LOW = _words(
    """low lowprice pxlow tief tagestief plusbas bas m\u00ednimo m\u00ednima minimo minima minimum
    \u6700\u4f4e \u6700\u4f4e\u4ef7 \u5b89\u5024 \uc800\uac00"""
)
ADJUSTED = _words(
    """adjclose adjustedclose adjcloseprice adjustedcloseprice adjustedprice adjprice closeadj
    closeadjusted adjustedclosingprice totalreturnindex totalreturnprice adjustedpx pxadj"""
)
OTHER = (
    OPEN
    | HIGH
    | LOW
    | _words(
        """volume vol pxvolume dividends dividend stocksplits splits splitfactor splitcoefficient capitalgains
        dividendamount divcash vwap turnover change changepct pctchange adjopen adjhigh adjlow adjvolume
        trades transactions numberoftrades bid ask mid currency exchange openint openinterest amount
        marketcap per volumen umsatz st\u00fcck st\u00fccke stuecke var variation prevclose previousclose
        unadjustedclose closeunadjusted closeunadj rawclose \u6210\u4ea4\u91cf \u6210\u4ea4\u989d
        \u51fa\u6765\u9ad8 \uac70\ub798\ub7c9"""
    )
)
VOLUME = _words("volume volumes vol tradedvolume totalvolume sharestraded umsatzst\u00fcck volumen pxvolume")
_LETTERS = re.compile(r"[\W_]+")
_PAIR = re.compile(r"^\('(.*)', '(.*)'\)$", re.DOTALL)


def plain_name(name: str) -> str:
    """Return a column's name in small letters without blanks and marks."""
    return _LETTERS.sub("", clean(name).casefold())


def is_close(name: str) -> bool:
    """Return whether a column of this name has closing prices."""
    return any(plain_name(name) in tier for tier in CLOSE)


def is_adjusted(name: str) -> bool:
    """Return whether a column of this name has adjusted closing prices."""
    return plain_name(name) in ADJUSTED


def is_quote(names: Iterable[str]) -> bool:
    """Return whether names are those of one instrument's quotes: opening, high and low are among them."""
    found = set(map(plain_name, names))
    return all(found & kind for kind in (OPEN, HIGH, LOW))


def is_field(name: str) -> bool:
    """Return whether a name is one of a field, which is no instrument."""
    return is_close(name) or is_adjusted(name) or plain_name(name) in OTHER


def pair(name: str) -> tuple[str, str] | None:
    """Return both names of a column of pandas that has two, as Parquet files keep them."""
    found = _PAIR.match(name)
    return (found[1], found[2]) if found else None
