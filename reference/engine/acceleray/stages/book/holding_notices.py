"""Console lines about holdings: the first ones in full, the rest counted."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.quant.currencies import pair_of
from acceleray.stages.book.things import CURRENCY_TRADES

# Lines about single rows or instruments; the tables have all of them.
_NAMED = 5
# Weights that add up to more than this are leverage beyond any fund's, or per cent without a sign.
_GROSS = 20.0


def counts_of(positions: pa.Table, instruments: pa.Table) -> str:
    """Return how many positions, portfolios and instruments were accepted, in words."""
    held = instruments.filter(instruments["held"])
    counts = (len(positions), pc.count_distinct(positions["portfolio_id"]).as_py(), len(held))
    words = ("position", "portfolio", "instrument")
    return ", ".join(
        f"{count:,} {word}{'s' * (count != 1)}" for count, word in zip(counts, words, strict=True)
    )


def lines_of(
    positions: pa.Table, instruments: pa.Table, quarantined: pa.Table, listed: bool
) -> tuple[str, ...]:
    """Return what is left out, what does not move by its own prices, and what looks wrong.

    `listed` says whether there is a file of instruments.
    """
    held = instruments.filter(instruments["held"])
    lines = _named(
        [
            f"line {line} of {file} {reason}"
            for file, line, reason in zip(
                *(quarantined[name].to_pylist() for name in ("file", "line", "reason")), strict=True
            )
        ],
        "quarantined: ",
        "silver.holdings_quarantined",
    )
    unpriced = held.filter(pc.and_(pc.invert(held["priced"]), pc.not_equal(held["type"], "cash")))
    every = unpriced.to_pylist()
    # A forward on a pair is valued at rates, whether or not the pair has a series.
    trades = [row for row in every if row["type"] in CURRENCY_TRADES]
    alone = [row for row in trades if pair_of(row["instrument_id"]) or not row["proxy"]]
    lines += _named([line for row in alone if (line := _trade(row))], "", "silver.instruments_known")
    said = {row["instrument_id"] for row in alone}
    rows = [row for row in every if row["instrument_id"] not in said]
    lines += _named(
        [
            f"{_title(row)}"
            + (f", replaced by its proxy {row['proxy']}" if row["proxy"] else ": it counts as unpriced")
            for row in rows
            if row["modelled"]
        ],
        "no prices of ",
        "silver.instruments_known",
    )
    lines += _named(
        [
            f"{_title(row)}, an {row['type']}".replace("an b", "a b")
            for row in held.to_pylist()
            if not row["modelled"]
        ],
        "not modelled: ",
        "silver.instruments_known",
    )
    if not listed and any(row["ticker"] is None and (row["isin"] or row["cusip"]) for row in rows):
        lines.append(
            "instruments known by ISIN or CUSIP alone need an instruments file to find their prices: set "
            "book.instruments_path"
        )
    return (*lines, *_suspicious(positions))


def _trade(row: dict[str, str]) -> str:
    """Return what is known of a currency trade and what is not; empty where an id given names its pair."""
    name, own, named = row["instrument_id"], pair_of(row["instrument_id"]), pair_of(row["name"] or "")
    if own and row["name"] != name:
        return ""
    if own:
        return (
            f"{name} is taken as a currency forward: its quantity as {own[0]} bought for {own[1]}, its market"
            " value as its gain"
        )
    id_of, amount = "of its pair, such as EURUSD,", "an amount of the first currency bought"
    if named:
        id_of, amount = "".join(named), f"{named[0]} bought"
    return (
        f"{_title(row)} is a currency trade, and nothing says which currency its quantity is in: it is in no"
        " risk number, and a market value counts in NAV as its gain; to include it, list it in the"
        f" instruments file with instrument_id {id_of} and type {row['type']} if its quantity is {amount}"
    )


def _title(row: dict[str, str]) -> str:
    name = row["name"]
    return (
        f"{row['instrument_id']} ({name})" if name and name != row["instrument_id"] else row["instrument_id"]
    )


def _named(said: Sequence[str], before: str, table: str) -> list[str]:
    lines = [before + one for one in said[:_NAMED]]
    if len(said) > _NAMED:
        lines.append(f"{before}{len(said) - _NAMED:,} more; {table} has all of them")
    return lines


def _suspicious(positions: pa.Table) -> list[str]:
    sums = positions.group_by("portfolio_id").aggregate([("weight", "sum")]).sort_by("portfolio_id")
    large = sums.filter(pc.greater(pc.abs(sums["weight_sum"]), _GROSS))
    return _named(
        [
            f"weights of {name} add up to {total:,.2f} times NAV; if they are per cent, map them as "
            "weight_pct in conf/book.yml"
            for name, total in zip(
                large["portfolio_id"].to_pylist(), large["weight_sum"].to_pylist(), strict=True
            )
        ],
        "",
        "silver.holdings",
    )
