"""Gold backtest: forecasts, outcomes and verdicts."""

from acceleray.tables.contract import CONFIDENCE, MODEL, PORTFOLIO, Column, Table, run_columns

BACKTEST_FORECASTS = Table(
    layer="gold",
    name="backtest_forecasts",
    comment="One-day VaR and ES forecasts made with data up to the day before, and what happened.",
    scope="run_id",
    key=("run_id", "portfolio_id", "model", "confidence", "date"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        MODEL,
        CONFIDENCE,
        Column("date", "date", "Day the forecast is for"),
        Column("value_at_risk_pct_nav", "double", "Forecast loss", "% of NAV"),
        Column("es_confidence", "double", "Confidence level of the expected shortfall, 0.975 for 97.5 %"),
        Column("expected_shortfall_pct_nav", "double", "Forecast mean loss beyond it", "% of NAV"),
        Column("es_threshold_pct_nav", "double", "Forecast VaR at that level", "% of NAV"),
        Column("loss_pct_nav", "double", "Realised loss, gains negative", "% of NAV"),
        Column("exception", "boolean", "Did the loss exceed the forecast"),
    ),
)

BACKTEST_VERDICTS = Table(
    layer="gold",
    name="backtest_verdicts",
    comment="What the out-of-sample days say about each model.",
    scope="run_id",
    key=("run_id", "portfolio_id", "model", "confidence"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        MODEL,
        CONFIDENCE,
        Column("days", "long", "Out-of-sample days", "trading days"),
        Column("exceptions", "long", "Days on which the loss exceeded the forecast"),
        Column("expected_exceptions", "double", "Exceptions a perfect model would average"),
        Column("kupiec_statistic", "double", "Likelihood ratio of unconditional coverage"),
        Column("kupiec_p", "double", "Its p-value"),
        Column("independence_statistic", "double", "Christoffersen likelihood ratio of independence"),
        Column("independence_p", "double", "Its p-value"),
        Column(
            "conditional_coverage_statistic",
            "double",
            "Christoffersen likelihood ratio of conditional coverage",
        ),
        Column("conditional_coverage_p", "double", "Its p-value"),
        Column("basel_zone", "string", "Traffic light over the last 250 days"),
        Column("basel_multiplier", "double", "Capital multiplier of that zone"),
        Column("z2", "double", "Acerbi-Szekely Z2 of the expected shortfall; negative is too mild"),
        Column("z2_recent", "double", "The same over the last 250 days; -0.70 is critical at 5 %"),
        Column("passed", "boolean", "Kupiec and conditional coverage both not rejected at 5 %"),
        Column("reason", "string", "The verdict in words"),
        Column("decision", "string", "promoted, not promoted, or benchmark: shown for comparison only"),
    ),
)
