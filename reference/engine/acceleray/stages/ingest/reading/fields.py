"""Names of columns: of the date, of instruments, and of fields such as volume, which are no instruments."""

from __future__ import annotations

import re

from acceleray.stages.ingest.reading.grid import clean


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DATE = _words(
    """date dates datum datetime timestamp time tradedate tradingdate tradingday pricedate asofdate
    asof fecha data dt handelstag tag day businessdate valuationdate navdate quotedate refdate per"""
)
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
    settlementprice schlusskurs schluss kurs px prc navpershare"""
    ),
)
ADJUSTED = _words(
    """adjclose adjustedclose adjcloseprice adjustedcloseprice adjustedprice adjprice closeadj
    closeadjusted adjustedclosingprice totalreturnindex totalreturnprice adjustedpx pxadj"""
)
OTHER = _words(
    """open high low volume vol openprice highprice lowprice dividends dividend stocksplits splits
    splitfactor splitcoefficient capitalgains dividendamount divcash vwap turnover change changepct
    pctchange adjopen adjhigh adjlow adjvolume trades transactions numberoftrades bid ask mid
    currency exchange openint openinterest amount marketcap per erffnung hoch tief volumen"""
)
VOLUME = _words("volume volumes vol tradedvolume totalvolume sharestraded umsatzst\u00fcck volumen")
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


def is_field(name: str) -> bool:
    """Return whether a name is one of a field, which is no instrument."""
    return is_close(name) or is_adjusted(name) or plain_name(name) in OTHER


def pair(name: str) -> tuple[str, str] | None:
    """Return both names of a column of pandas that has two, as Parquet files keep them."""
    found = _PAIR.match(name)
    return (found[1], found[2]) if found else None
