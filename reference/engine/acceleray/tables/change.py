"""Gold change: the change in a portfolio's risk since the run before, and its causes."""

from acceleray.tables.contract import CONFIDENCE, HORIZON, INSTRUMENT, PORTFOLIO, Column, Table, run_columns

BOOK_LINES = Table(
    layer="gold",
    name="book_lines",
    comment="Weights of portfolios by line, as simulated; the next run starts its comparison here.",
    scope="run_id",
    key=("run_id", "portfolio_id", "instrument_id", "part", "base_currency", "rates"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        INSTRUMENT,
        Column("part", "string", "price or currency"),
        Column("base_currency", "string", "Base currency of a currency line; empty for a price"),
        Column("rates", "string", "Rates of a currency line and their signs, as JSON"),
        Column("series", "string", "Instrument whose returns it takes; empty for cash"),
        Column("beta", "double", "On that instrument's returns"),
        Column("weight", "double", "Share of NAV, long positive", "fraction"),
    ),
)

RISK_CHANGE = Table(
    layer="gold",
    name="risk_change",
    comment="Change of VaR and ES since the run before, split by swapping one input at a time; parts add up.",
    scope="run_id",
    key=("run_id", "portfolio_id", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("measure", "string", "value_at_risk or expected_shortfall, filtered historical simulation"),
        CONFIDENCE,
        HORIZON,
        Column("run_id_before", "string", "Newest earlier run of the same workload and price source"),
        Column("as_of_before", "date", "Its as-of date"),
        Column("before_pct_nav", "double", "As it was reported then", "% of NAV", True),
        Column("value_pct_nav", "double", "As it is reported now", "% of NAV"),
        Column("change_pct_nav", "double", "The second less the first", "% of NAV", True),
        Column(
            "positions_pct_nav",
            "double",
            "Part of the positions, as weights, which prices move too",
            "% of NAV",
            True,
        ),
        Column("instruments_pct_nav", "double", "Part of new and ended instruments", "% of NAV", True),
        Column("market_pct_nav", "double", "Part of new returns and today's volatility", "% of NAV", True),
        Column("parameters_pct_nav", "double", "Part of the models' parameters", "% of NAV", True),
        Column("remainder_pct_nav", "double", "Remainder: prices, settings or code", "% of NAV", True),
        Column("reason", "string", "Why it is not split, all of it remainder; empty otherwise"),
    ),
)
