"""Silver: prices that passed the quality rules, and those that did not, with reasons."""

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
        Column("price", "double", "Closing price, adjusted as the source adjusts it", "price currency"),
        Column("load_id", "string", "Received content the price comes from"),
    ),
    checks=(("price_is_positive", "price > 0 AND price < double('infinity')"),),
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
        Column("load_id", "string", "Received content the price comes from"),
    ),
)
