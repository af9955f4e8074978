"""What a book may not say: refused in one line, before anything is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acceleray.settings import Settings
from book.desk import Desk

BOOK = "portfolio_id,instrument_id,quantity\nA,AAPL,100\nA,MSFT,-50\nB,SAP,7\n"
TREE = (
    "portfolio_id,name,base_currency,nav,benchmark_id,parent_id\n"
    "DESK,Desk,USD,,,\nA,One,USD,1000,,DESK\nB,Two,USD,,,DESK\n"
)


@pytest.fixture
def desk(settings: Callable[..., Settings]) -> Desk:
    return Desk(settings)


REFUSED: dict[str, tuple[str, str, str, str]] = {
    "quantity and market value of opposite signs": (
        "portfolio,ticker,quantity,market_value\nA,AAPL,-5,700\n", "", "",
        "Line 2 of positions.csv has quantity -5 and market_value 700 for AAPL, which contradict each other",
    ),
    "nothing held that is worth something": (
        "portfolio,ticker,quantity,market_value\nA,AAPL,0,700\n", "", "",
        "has quantity 0 and market_value 700 for AAPL",
    ),
    "weight and market value against each other": (
        "portfolio,ticker,market_value,weight\nA,AAPL,500,0.50\nA,MSFT,300,0.30\nA,SAP,150,0.20\n", "", "",
        "Line 4 of positions.csv has weight 0.2 and market_value 150.00",
    ),
    "weight and market value against NAV": (
        "portfolio,ticker,market_value,weight\nA,AAPL,500,0.6\n", "portfolio_id,nav\nA,1000\n", "",
        "which is 0.5 of 1,000.00, the NAV given; correct one of them",
    ),
    "a NAV of zero with weights": (
        "portfolio,ticker,weight\nA,AAPL,0.6\n", "portfolio_id,nav\nA,0\n", "",
        "has NAV 0 for portfolio A, whose positions are weights",
    ),
    "a NAV below zero with weights": (
        "portfolio,ticker,weight\nA,AAPL,0.6\n", "portfolio_id,nav\nA,-1000\n", "",
        "has NAV -1,000 for portfolio A, whose positions are weights",
    ),
    "an unknown parent": (BOOK, TREE + "C,,,,,NOBODY\n", "", "has parent NOBODY for portfolio C"),
    "an own ancestor": (
        BOOK, "portfolio_id,parent_id\nA,B\nB,C\nC,A\n", "", "A is its own ancestor (A in B in C in A)",
    ),
    "an own parent": (BOOK, "portfolio_id,parent_id\nA,A\nB,\n", "", "A is its own ancestor (A in A)"),
    "a portfolio twice": (
        BOOK, TREE + "A,Again,USD,,,\n", "",
        "has portfolio A again, after Line 3 of",
    ),
    "an instrument twice": (BOOK, "", "instrument_id,name\nAAPL,x\nAAPL,y\n", "AAPL again, after Line 2"),
    "a portfolio's currency that is none": (
        BOOK, "portfolio_id,base_currency\nA,EURO\nB,USD\n", "", "has base_currency 'EURO', which is not an",
    ),
    "an instrument's currency that is none": (
        BOOK, "", "instrument_id,currency\nAAPL,XQQ\n", "has currency 'XQQ', which is not an ISO 4217 code",
    ),
    "a position's currency that is none": (
        "portfolio,ticker,quantity,currency\nA,AAPL,1,US$\n", "", "", "has currency 'US$', which is not an",
    ),
    "an instrument without a currency in a mixed book": (
        BOOK, "", "instrument_id,currency\nAAPL,USD\nMSFT,EUR\n",
        "Instrument SAP (Line 4 of positions.csv) has no currency, and the book has EUR and USD",
    ),
    "two instruments without a currency in a mixed book": (
        BOOK + "B,NEW,1\n", "", "instrument_id,currency\nAAPL,USD\nSAP,EUR\n",
        "Instrument MSFT (Line 3 of positions.csv) has no currency, as 1 other, and the book has EUR and USD",
    ),
    "an instrument in two currencies": (
        "portfolio,ticker,quantity,currency\nA,AAPL,1,USD\nB,AAPL,1,EUR\n", "", "", "for AAPL, and Line ",
    ),
    "a market value in pence": (
        "portfolio,ticker,market_value,currency\nA,AAPL,1,GBX\n", "", "", "has a market value in GBX",
    ),
    "all positions of later": (
        "as_of,portfolio,ticker,quantity\n2023-01-03,A,AAPL,1\n", "", "",
        "All positions are dated after the as-of date 2022-12-28, the first ones 2023-01-03",
    ),
    "a benchmark that is nothing": (
        BOOK, "portfolio_id,benchmark_id\nA,INDEX\nB,\n", "", "has benchmark INDEX for portfolio A",
    ),
    "a file without the columns": (
        "fund,paper,pieces\nA,AAPL,1\n", "", "", "its columns are 'fund', 'paper', 'pieces'; map",
    ),
    "two columns for one": (
        "portfolio,ticker,shares,units\nA,AAPL,1,2\n", "", "", "has 'shares' and 'units', and each can be",
    ),
    "a NAV that is no number": (BOOK, "portfolio_id,nav\nA,much\nB,1\n", "", "has 'much' for nav"),
    "a multiplier of zero": (BOOK, "", "instrument_id,multiplier\nAAPL,0\n", "has '0' for multiplier"),
    "a unit of price that is none": (BOOK, "", "instrument_id,price_unit\nAAPL,x\n", "has price_unit 'x'"),
    "no row that can be used": ("portfolio,ticker,shares\nA,AAPL,x\n", "", "", "No position can be used"),
    "no row at all": ("portfolio,ticker,shares\n", "", "", "has a header but no position below it"),
    "a mark that can be read in two ways": (
        "portfolio,ticker,shares\nA,AAPL,1.234\n", "", "", "set positions.decimal in conf/book.yml to",
    ),
    "per cent signs in some rows": (
        "portfolio,ticker,weight\nA,AAPL,5%\nA,MSFT,0.05\n", "", "", "other rows have a per cent sign",
    ),
    "a file that ends within a row": (BOOK + "B,AA", "", "", "Line 5 of "),
    "an empty file": ("", "", "", "is empty; it needs a header with an instrument"),
    "rows behind a line that is none": (
        BOOK + "Subtotal\nB,AAPL,1\n", "", "", "Line 5 of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_in_one_line(desk: Desk, case: str) -> None:
    positions, portfolios, instruments, message = REFUSED[case]
    desk.positions(positions)
    if portfolios:
        desk.portfolios(portfolios)
    if instruments:
        desk.instruments(instruments)
    found = desk.refusal()
    assert message in found, found


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("positions: {colums: {}}\n", "positions.colums: unknown key; did you mean columns?"),
        ("positions: {columns: {ticker: Nowhere}}\n", "says that ticker is 'Nowhere', and"),
        ("positions: {columns: {tikcer: instrument_id}}\n", "positions.columns.tikcer: unknown column"),
        ("positions: {value_unit: 0}\n", "positions.value_unit: Input should be greater than 0"),
        ("types: {aktie: share}\n", "types.aktie: Input should be"),
        ("positions: [", "conf/book.yml is not valid YAML"),
        ("types: {}\ntypes: {}\n", "the key 'types' is there twice"),
        ("positions: {groups: [desk]}\n", "positions.groups: "),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(desk: Desk, mapping: str, message: str) -> None:
    assert message in desk.positions(BOOK).mapped(mapping).refusal()


def test_rounded_weights_agree_with_market_values(desk: Desk) -> None:
    desk.positions(
        "portfolio,ticker,market_value,Weight (%)\nA,AAPL,33333,33.3\nA,MSFT,66666,66.7\nA,SAP,1,0.0\n"
    )
    assert len(desk.accepted().positions) == 3
