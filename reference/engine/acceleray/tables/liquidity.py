"""Liquidity: how long positions and portfolios take to sell into the volumes that are given."""

from acceleray.tables.contract import INSTRUMENT, PORTFOLIO, Column, Table, run_columns

_PARTICIPATION = Column("participation", "double", "Share of the volume that is traded", "fraction")

POSITION_LIQUIDITY = Table(
    layer="gold",
    name="position_liquidity",
    comment="Days that each position takes to liquidate; cash and forwards on rates need no market here.",
    scope="run_id",
    key=("run_id", "portfolio_id", "instrument_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        INSTRUMENT,
        Column("exposure", "double", "Amount that moves with its price, or its value if larger", "currency"),
        Column("currency", "string", "Base currency of the portfolio"),
        Column("units", "double", "Units held; from exposure and price where no quantity is given", "", True),
        Column("average_daily_volume", "double", "As settings liquidity.average says", "units", True),
        _PARTICIPATION,
        Column("days_to_liquidate", "double", "Units over participation times volume", "trading days", True),
        Column("reason", "string", "Why the days are not known", "", True),
    ),
    checks=(("days_or_a_reason", "(days_to_liquidate IS NULL) <> (reason IS NULL)"),),
)

PORTFOLIO_LIQUIDITY = Table(
    layer="gold",
    name="portfolio_liquidity",
    comment="How much of each portfolio can be liquidated in some days, and its slowest position.",
    scope="run_id",
    key=("run_id", "portfolio_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("days_to_liquidate", "double", "Of the slowest position with volumes", "trading days", True),
        Column("slowest", "string", "That position's instrument", "", True),
        Column("gross_pct_nav", "double", "Positions that need a market, long and short added", "% of NAV"),
        Column("liquidated_1d_pct_nav", "double", "Part of them sold in 1 day", "% of NAV"),
        Column("liquidated_5d_pct_nav", "double", "Part of them sold in 5 days", "% of NAV"),
        Column("liquidated_10d_pct_nav", "double", "Part of them sold in 10 days", "% of NAV"),
        Column("unknown_pct_nav", "double", "Of them, those whose days are not known", "% of NAV"),
        _PARTICIPATION,
        Column("average", "string", "How volumes are averaged: median or mean"),
        Column("volume_days", "long", "Days that they are averaged over", "trading days"),
        Column("last_volume_date", "date", "Last of these days"),
    ),
)
