"""Bronze: prices exactly as they were received."""

from acceleray.tables.contract import Column, Table, source_column

PRICES_RECEIVED = Table(
    layer="bronze",
    name="prices_received",
    comment="Prices as received, one row per quoted value, before any judgement.",
    scope="source",
    key=("source", "instrument_id", "date"),
    columns=(
        source_column(),
        Column("instrument_id", "string", "Instrument, as the source calls it"),
        Column("date", "date", "Price date"),
        Column("price_text", "string", "Price exactly as received"),
        Column("load_id", "string", "Received content the row came with, SHA-256", volatile=True),
        Column("loaded_at", "timestamp", "When it was received", "UTC", volatile=True),
    ),
)
