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
        Column("origin", "string", "reference or simulated"),
        Column("nav", "double", "Net asset value", "currency"),
        Column("currency", "string", "ISO 4217 code"),
    ),
    checks=(("nav_is_positive", "nav > 0"),),
)

POSITIONS = Table(
    layer="gold",
    name="positions",
    comment="Weights of instruments in portfolios.",
    scope="run_id",
    key=("run_id", "portfolio_id", "instrument_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        INSTRUMENT,
        Column("weight", "double", "Share of NAV, long positive", "fraction"),
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
