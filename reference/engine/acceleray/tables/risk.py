"""Gold risk: scenarios and their measures."""

from acceleray.tables.contract import (
    CONFIDENCE,
    HORIZON,
    INSTRUMENT,
    METHOD,
    PORTFOLIO,
    Column,
    Table,
    run_columns,
)

SCENARIO_SETS = Table(
    layer="gold",
    name="scenario_sets",
    comment="How scenarios were made; with the seed they can be made again, so they are not stored.",
    scope="run_id",
    key=("run_id", "method", "horizon_d"),
    columns=(
        *run_columns(),
        METHOD,
        HORIZON,
        Column(
            "scenarios", "long", "Number of scenarios; all residual days once where one day is enumerated"
        ),
        Column("seed", "long", "Seed; random numbers are keyed by it and a block of scenarios"),
        Column("residual_first", "date", "First day of the residual window"),
        Column("residual_last", "date", "Last day of the residual window"),
        Column("residual_days", "long", "Days that can be drawn or are enumerated", "trading days"),
        Column("instruments", "long", "Instruments simulated"),
        Column("copula_nu", "double", "Degrees of freedom of the t copula", "", True),
    ),
)

LOSS_DISTRIBUTION = Table(
    layer="gold",
    name="loss_distribution",
    comment="Histogram of the reference portfolio's simulated losses.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "horizon_d", "bin"),
    columns=(
        *run_columns(),
        METHOD,
        PORTFOLIO,
        HORIZON,
        Column("bin", "long", "Bin number, from the largest gain to the largest loss"),
        Column("loss_from_pct_nav", "double", "Lower edge, loss positive", "% of NAV"),
        Column("loss_to_pct_nav", "double", "Upper edge, loss positive", "% of NAV"),
        Column("scenarios", "long", "Scenarios in the bin"),
    ),
)

RISK_MEASURES = Table(
    layer="gold",
    name="risk_measures",
    comment="Simulated risk of every portfolio; losses are positive.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        METHOD,
        PORTFOLIO,
        Column("measure", "string", "value_at_risk or expected_shortfall"),
        CONFIDENCE,
        HORIZON,
        Column("value", "double", "Loss", "currency"),
        Column("value_pct_nav", "double", "Loss as a share of NAV", "% of NAV"),
        Column("standard_error", "double", "Standard error of value; error_of has its source", "currency"),
        Column(
            "error_of",
            "string",
            "window: another sample of residual days, each taken once (filtered_historical, one day);"
            " draws: other random numbers (all else)",
        ),
        Column("currency", "string", "ISO 4217 code"),
    ),
    checks=(("confidence_is_a_share", "confidence > 0 AND confidence < 1"),),
)

RISK_CONTRIBUTIONS = Table(
    layer="gold",
    name="risk_contributions",
    comment="Euler contributions of holdings to VaR and ES; they add up to the portfolio's value.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "instrument_id", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        METHOD,
        PORTFOLIO,
        INSTRUMENT,
        Column("measure", "string", "value_at_risk or expected_shortfall"),
        CONFIDENCE,
        HORIZON,
        Column("contribution", "double", "Part of the portfolio's loss", "currency"),
        Column("price_contribution", "double", "Of it by the price of the holding", "currency", True),
        Column("currency_contribution", "double", "Of it by the change of its currency", "currency", True),
        Column("currency", "string", "ISO 4217 code"),
    ),
)

RISK_ATTRIBUTION = Table(
    layer="gold",
    name="risk_attribution",
    comment="Simulated expected shortfall split into market, specific and residual; the parts add up to it.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        METHOD,
        PORTFOLIO,
        CONFIDENCE,
        HORIZON,
        Column("expected_shortfall_pct_nav", "double", "The whole", "% of NAV"),
        Column("factor_pct_nav", "double", "Part of the market: beta times its move", "% of NAV"),
        Column("specific_pct_nav", "double", "Part of the instruments' own daily moves", "% of NAV"),
        Column("residual_pct_nav", "double", "Compounding over days, which is neither", "% of NAV"),
    ),
)

_OF_RISK = (
    METHOD,
    HORIZON,
    Column("measure", "string", "value_at_risk or expected_shortfall"),
    CONFIDENCE,
)

ACTIVE_RISK = Table(
    layer="gold",
    name="active_risk",
    comment="Simulated risk of every portfolio against its benchmark; losses are positive.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "benchmark_id", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("benchmark_id", "string", "Portfolio or series it is measured against"),
        METHOD,
        HORIZON,
        Column("measure", "string", "value_at_risk, expected_shortfall or tracking_error"),
        Column("confidence", "double", "Confidence level; 0 for tracking error, which has none", "fraction"),
        Column("value", "double", "Loss against the benchmark; tracking error: its deviation", "currency"),
        Column("value_pct_nav", "double", "The same as a share of NAV", "% of NAV"),
        Column("standard_error", "double", "Standard error of value", "currency", True),
        Column("currency", "string", "ISO 4217 code"),
    ),
)

ACTIVE_CONTRIBUTIONS = Table(
    layer="gold",
    name="active_contributions",
    comment="Euler contributions of the portfolio's and the benchmark's holdings to active risk.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "instrument_id", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("benchmark_id", "string", "Portfolio or series it is measured against"),
        INSTRUMENT,
        *_OF_RISK,
        Column("contribution", "double", "Part of the active loss", "currency"),
        Column("currency", "string", "ISO 4217 code"),
    ),
)

GROUP_RISK = Table(
    layer="gold",
    name="group_risk",
    comment="Simulated risk of the groups of every portfolio: parts, sectors, currencies, any column.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "grouping", "group", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("grouping", "string", "Attribute that groups positions; portfolio: the parts of the whole"),
        Column("group", "string", "One of the groups"),
        *_OF_RISK,
        Column("standalone", "double", "Risk of the group alone", "currency"),
        Column("standard_error", "double", "Standard error of standalone", "currency"),
        Column("contribution", "double", "Part of the portfolio's loss; groups add up to it", "currency"),
        Column("gross_exposure_pct_nav", "double", "Long and short positions, added up", "% of NAV"),
        Column("net_exposure_pct_nav", "double", "Long less short positions", "% of NAV"),
        Column("currency", "string", "ISO 4217 code"),
    ),
)

POSITION_RISK = Table(
    layer="gold",
    name="position_risk",
    comment="Component, marginal and incremental risk of the positions of every portfolio.",
    scope="run_id",
    key=("run_id", "method", "portfolio_id", "instrument_id", "measure", "confidence", "horizon_d"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        INSTRUMENT,
        *_OF_RISK,
        Column("component", "double", "Euler contribution; positions add up to the whole", "currency"),
        Column(
            "marginal",
            "double",
            "Loss for one more unit of money in the position",
            "currency per currency",
            True,
        ),
        Column("incremental", "double", "Loss with the position less loss without it", "currency"),
        Column("currency", "string", "ISO 4217 code"),
    ),
)
