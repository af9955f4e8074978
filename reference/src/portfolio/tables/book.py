"""Gold book: portfolios, their positions, and one row of scores for each."""

from portfolio.tables.contract import INSTRUMENT, PORTFOLIO, Column, Table, run_columns

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
    comment="Every portfolio in one row: expected score, risk, and what could not be priced.",
    scope="run_id",
    key=("run_id", "portfolio_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("expected_score", "double", "Weighted score of the priced positions", "rank -0.5..0.5"),
        Column(
            "volatility_1d_pct_nav", "double", "Standard deviation of simulated one-day returns", "% of NAV"
        ),
        Column("var_pct_nav", "double", "One-day value at risk at the headline confidence", "% of NAV"),
        Column("es_pct_nav", "double", "One-day expected shortfall at the headline confidence", "% of NAV"),
        Column(
            "unpriced_pct_nav", "double", "Share of NAV in instruments without a calibrated model", "% of NAV"
        ),
        Column("model_uri", "string", "Model that made the scores"),
    ),
)
