"""Gold live record: risk as reported for a day, and the P&L of the day after. Never rewritten."""

from acceleray.tables.contract import (
    CONFIDENCE,
    HORIZON,
    INSTRUMENT,
    METHOD,
    PORTFOLIO,
    Column,
    Table,
    run_columns,
    source_column,
)

_WORKLOAD = Column("workload", "string", "Workload that reported it")
_REVISION = Column("revision", "long", "1 as first reported, one more each time it was restated")

RISK_REPORTED = Table(
    layer="gold",
    name="risk_reported",
    comment="Risk of every portfolio as it was reported for each as-of date; rows are added, never changed.",
    scope="run_id",
    key=("run_id", "portfolio_id", "measure", "confidence", "horizon_d", "method", "revision"),
    columns=(
        *run_columns(),
        source_column(),
        _WORKLOAD,
        PORTFOLIO,
        Column("measure", "string", "value_at_risk or expected_shortfall"),
        CONFIDENCE,
        HORIZON,
        METHOD,
        _REVISION,
        Column("value", "double", "Loss", "currency"),
        Column("value_pct_nav", "double", "Loss as a share of NAV", "% of NAV"),
        Column("nav", "double", "Net asset value it was reported for", "currency"),
        Column("currency", "string", "ISO 4217 code"),
        Column("reported_at", "timestamp", "When the row was added", "UTC", volatile=True),
        Column(
            "reason", "string", "Empty as first reported, else the old number and the cause of the change"
        ),
    ),
    checks=(("revision_is_positive", "revision >= 1"),),
    append_only=True,
)

EXPOSURES_REPORTED = Table(
    layer="gold",
    name="exposures_reported",
    comment="Exposures of the reported positions, for the hypothetical P&L of the day after.",
    scope="run_id",
    key=("run_id", "portfolio_id", "instrument_id", "part", "series_id", "legs"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        INSTRUMENT,
        Column("part", "string", "price, or currency: the part of a change in rates, in the base currency"),
        Column("series_id", "string", "Price series that it moves with, empty for cash"),
        Column("legs", "string", "Rates from its currency to the base, +1 or -1 the power of each"),
        Column("beta", "double", "On the returns of the series, 1 but for a proxy"),
        Column("weight", "double", "Exposure as a share of NAV, long positive", "fraction"),
    ),
)

REALISED_PNL = Table(
    layer="gold",
    name="realised_pnl",
    comment="P&L of the day after each reported one-day VaR; rows are added, never changed.",
    scope="run_id",
    key=("run_id", "workload", "portfolio_id", "method", "confidence", "date", "revision"),
    columns=(
        *run_columns(),
        source_column(),
        _WORKLOAD,
        PORTFOLIO,
        METHOD,
        CONFIDENCE,
        Column("date", "date", "Day of the P&L, the first risk day after forecast_as_of"),
        Column("revision", "long", "1 as first joined, one more each time it became known better"),
        Column("forecast_as_of", "date", "As-of date of the forecast"),
        Column("forecast_run_id", "string", "Run that reported the forecast"),
        Column("forecast_revision", "long", "Its revision in gold.risk_reported"),
        Column("reported_late", "boolean", "Was the forecast reported on the day of the P&L or after it"),
        Column("value_at_risk", "double", "Forecast loss", "currency"),
        Column("nav", "double", "Net asset value it was reported for", "currency"),
        Column(
            "hypothetical_pnl",
            "double",
            "P&L of the positions reported; none where too few have a return",
            "currency",
            True,
        ),
        Column("hypothetical_exception", "boolean", "Did its loss exceed the forecast", "", True),
        Column("covered_pct_gross", "double", "Gross weight that has a return", "% of gross weight"),
        Column("actual_pnl", "double", "P&L as booked, where pnl.source gives it", "currency", True),
        Column("actual_exception", "boolean", "Did its loss exceed the forecast", "", True),
        Column("currency", "string", "ISO 4217 code"),
        Column("joined_at", "timestamp", "When the row was added", "UTC", volatile=True),
    ),
    append_only=True,
)

LIVE_RECORD = Table(
    layer="gold",
    name="live_record",
    comment="Tests of one-day VaR as reported, on the days since the first report.",
    scope="run_id",
    key=("run_id", "portfolio_id", "method", "confidence", "pnl"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        METHOD,
        CONFIDENCE,
        Column("pnl", "string", "hypothetical or actual"),
        Column("days", "long", "Days with a forecast and a P&L", "trading days"),
        Column("reported_late_d", "long", "Of them with a forecast reported after the fact", "trading days"),
        Column("first_date", "date", "First day"),
        Column("last_date", "date", "Last day"),
        Column("exceptions", "long", "Days on which the loss exceeded the forecast"),
        Column("expected_exceptions", "double", "Exceptions a right model would average"),
        Column("exceptions_250", "long", "Of them in the last 250 days"),
        Column("basel_zone", "string", "Traffic light over the last 250 days; none before", "", True),
        Column("kupiec_p", "double", "p-value of unconditional coverage"),
    ),
)
