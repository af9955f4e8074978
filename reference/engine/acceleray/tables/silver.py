"""Silver: prices that passed the quality rules, those that did not, and the days a book is valued on."""

from acceleray.tables.contract import Column, Table, source_column

PRICES = Table(
    layer="silver",
    name="prices",
    comment="Validated closing prices.",
    scope="source",
    key=("source", "instrument_id", "date"),
    columns=(
        source_column(),
        Column("instrument_id", "string", "Instrument"),
        Column("date", "date", "Trading day"),
        Column("price", "double", "Closing price, at which positions are valued", "price currency"),
        Column(
            "adjusted_price",
            "double",
            "Price that returns are taken from: the adjusted close where the source gives one",
            "price currency",
        ),
        Column("load_id", "string", "Received content the price came with", volatile=True),
    ),
    checks=(
        # Zero and less only where `market_data.arithmetic` declares it; that no constraint can know.
        ("price_is_finite", "abs(price) < CAST('infinity' AS DOUBLE)"),
        ("adjusted_price_is_finite", "abs(adjusted_price) < CAST('infinity' AS DOUBLE)"),
    ),
)

PRICES_QUARANTINED = Table(
    layer="silver",
    name="prices_quarantined",
    comment="Received prices kept out of silver.prices, each with the reason.",
    scope="source",
    key=("source", "instrument_id", "date"),
    columns=(
        source_column(),
        Column("instrument_id", "string", "Instrument"),
        Column("date", "date", "Price date"),
        Column("price_text", "string", "Price exactly as received"),
        Column("reason", "string", "Why the price was not accepted"),
        Column("load_id", "string", "Received content the price came with", volatile=True),
    ),
)

RISK_DAYS = Table(
    layer="silver",
    name="risk_days",
    comment="Days on which anything has a price, and which of them a book is valued on.",
    scope="source",
    key=("source", "date"),
    columns=(
        source_column(),
        Column("date", "date", "Day"),
        Column(
            "listed", "long", "Instruments that could have a price, those that trade at weekends left out"
        ),
        Column("priced", "long", "Those of them that have one"),
        Column("risk_day", "boolean", "Whether returns start and end on this day"),
        Column(
            "content",
            "string",
            "Digest of the accepted prices of this day, whatever their order; it moves when one of them does",
        ),
        Column("load_id", "string", "Received content the day came with", volatile=True),
    ),
    checks=(("priced_is_no_more_than_there_are", "priced >= 0 AND listed >= 0"),),
)

PRICE_SERIES = Table(
    layer="silver",
    name="price_series",
    comment="Each instrument with an accepted price: from when to when, and whether it trades at weekends.",
    scope="source",
    key=("source", "instrument_id"),
    columns=(
        source_column(),
        Column("instrument_id", "string", "Instrument"),
        Column("first_date", "date", "Date of its first accepted price"),
        Column("last_date", "date", "Date of its last accepted price"),
        Column("prices", "long", "Accepted prices"),
        Column("quarantined", "long", "Received prices that were not accepted"),
        Column("trades_at_weekends", "boolean", "Whether its price moves on Saturdays or Sundays"),
        Column(
            "return_level",
            "double",
            "Level that a return of 1 refers to where changes are arithmetic; NULL: the price before",
            "price currency",
            True,
        ),
        Column("load_id", "string", "Received content it comes from"),
    ),
    checks=(("it_ends_after_it_begins", "first_date <= last_date"),),
)

PRICE_FINDINGS = Table(
    layer="silver",
    name="price_findings",
    comment="Surprises in the prices: one row a finding, with what to do about it.",
    scope="source",
    key=("source", "instrument_id", "kind", "first_date"),
    columns=(
        source_column(),
        Column("instrument_id", "string", "Instrument; empty where the finding is about all prices"),
        Column("kind", "string", "Kind of finding, such as split, reversal, twin, quarantined"),
        Column("first_date", "date", "First day it is about"),
        Column("last_date", "date", "Last day it is about"),
        Column(
            "severity", "string", "error: numbers would be wrong; warning: they may be; info: they are not"
        ),
        Column("count", "long", "Days, cells or instruments, as the text says"),
        Column("value", "double", "The number behind it, in the unit of the text"),
        Column("text", "string", "The finding, with numbers and dates"),
        Column("advice", "string", "Suggested action; empty if none is needed"),
        Column("load_id", "string", "Received content it was found in"),
    ),
    checks=(("severity_is_known", "severity IN ('error', 'warning', 'info')"),),
)
