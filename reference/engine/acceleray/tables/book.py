"""Gold book: portfolios, their positions, and one row of scores for each."""

from acceleray.tables.contract import FACTOR, INSTRUMENT, PORTFOLIO, Column, Table, run_columns

PORTFOLIOS = Table(
    layer="gold",
    name="portfolios",
    comment="The book: portfolios with their net asset value.",
    scope="run_id",
    key=("run_id", "portfolio_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("name", "string", "Name for people"),
        Column("origin", "string", "reported, sample, reference or simulated"),
        Column("nav", "double", "Net asset value", "currency"),
        Column("currency", "string", "Base currency, ISO 4217 code"),
        Column("place", "long", "Place in the book; the first, 0, is the one of headlines", "", True),
        Column("parent_id", "string", "Portfolio that it is a part of, empty for none", "", True),
        Column("benchmark_id", "string", "Portfolio or series it is measured against", "", True),
        Column("gross_exposure_pct_nav", "double", "Long and short positions, added up", "% of NAV", True),
        Column("net_exposure_pct_nav", "double", "Long less short positions", "% of NAV", True),
        Column("cash_pct_nav", "double", "Cash less financing, in all currencies", "% of NAV", True),
        Column("proxied_pct_nav", "double", "Positions that move with a proxy", "% of NAV", True),
        Column("unpriced_pct_nav", "double", "Positions without prices, not in the risk", "% of NAV", True),
        Column("not_modelled_pct_nav", "double", "Options and bonds, not in the risk", "% of NAV", True),
    ),
    checks=(("nav_is_positive", "nav > 0"),),
)

POSITIONS = Table(
    layer="gold",
    name="positions",
    comment="Holdings of portfolios, one row per instrument, including the holdings of their parts.",
    scope="run_id",
    key=("run_id", "portfolio_id", "instrument_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        INSTRUMENT,
        Column("weight", "double", "Exposure as a share of NAV, long positive", "fraction"),
        Column(
            "quantity", "double", "Units held, shorts negative; NULL where a line gives none", "units", True
        ),
        Column("type", "string", "equity, fund, index, fx, future, forward, cash, option, bond", "", True),
        Column("status", "string", "priced, proxied, cash, currency, unpriced, not modelled", "", True),
        Column("reason", "string", "Why it is not priced", "", True),
        Column("price", "double", "Last close, times price unit and multiplier", "price_currency", True),
        Column("price_currency", "string", "Currency of the price, ISO 4217 code", "", True),
        Column("price_date", "date", "Day of that close, the as-of date or an earlier one", "", True),
        Column("fx_rate", "double", "Units of the base currency per unit of the price currency", "", True),
        Column("market_value", "double", "Value, shorts negative", "currency", True),
        Column("exposure", "double", "Amount that moves with its price, shorts negative", "currency", True),
        Column("currency", "string", "Base currency of the portfolio", "", True),
        Column("asset_class", "string", "As the instruments file says", "", True),
        Column("sector", "string", "As the instruments file says", "", True),
        Column("country", "string", "As the instruments file says", "", True),
        Column("issuer", "string", "As the instruments file says", "", True),
    ),
)

PORTFOLIO_SCORES = Table(
    layer="gold",
    name="portfolio_scores",
    comment="Every portfolio in one row: expected score, risk, and what could not be priced or scored.",
    scope="run_id",
    key=("run_id", "portfolio_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column(
            "expected_score", "double", "Sum of weight times score; without a score neutral", "rank -0.5..0.5"
        ),
        Column(
            "volatility_1d_pct_nav",
            "double",
            "Standard deviation of simulated returns, brought to one day by the square root of time",
            "% of NAV",
        ),
        Column("var_pct_nav", "double", "Value at risk at the headline confidence", "% of NAV"),
        Column("es_pct_nav", "double", "Expected shortfall at the headline confidence", "% of NAV"),
        Column("horizon_d", "long", "Horizon of both, the shortest simulated", "trading days"),
        Column(
            "unpriced_pct_nav", "double", "Share of NAV in instruments without a calibrated model", "% of NAV"
        ),
        Column("unscored_pct_nav", "double", "Share of NAV in instruments without a score", "% of NAV"),
        Column("model_uri", "string", "Model that made the scores"),
    ),
)

PORTFOLIO_EXPOSURES = Table(
    layer="gold",
    name="portfolio_exposures",
    comment="Exposure of every portfolio to every risk factor.",
    scope="run_id",
    key=("run_id", "portfolio_id", "factor_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        FACTOR,
        Column("exposure", "double", "Weighted beta of the holdings that have one", "return per unit"),
        Column("covered_pct_nav", "double", "Share of NAV in holdings that have a beta", "% of NAV"),
    ),
)
