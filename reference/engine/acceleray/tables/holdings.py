"""Holdings as the desk delivers them: received in bronze, validated and matched in silver."""

from acceleray.tables.contract import PORTFOLIO, Column, Table, run_columns

_FILE = Column("file", "string", "File or table it is in", volatile=True)
_LINE = Column("line", "long", "Line or row of the file", volatile=True)
_CELLS = Column("cells", "string", "All cells of the line as received, a JSON object by column")

HOLDINGS_RECEIVED = Table(
    layer="bronze",
    name="holdings_received",
    comment="Positions, portfolios and instruments as received, one row per line, before any judgement.",
    scope="run_id",
    key=("run_id", "content", "row"),
    columns=(
        *run_columns(),
        Column("content", "string", "Contents of the line: positions, portfolios or instruments"),
        Column("row", "long", "Its number among them, sorted by content: lines have no order"),
        _FILE,
        _LINE,
        _CELLS,
    ),
    checks=(("content_is_known", "content IN ('positions', 'portfolios', 'instruments')"),),
)

HOLDINGS = Table(
    layer="silver",
    name="holdings",
    comment="Validated positions, each a line of the desk's files, matched with an instrument.",
    scope="run_id",
    key=("run_id", "position_id"),
    columns=(
        *run_columns(),
        Column(
            "position_id",
            "string",
            "Portfolio, instrument (with its date, if it has one) and number of the line",
        ),
        PORTFOLIO,
        Column("instrument_id", "string", "Instrument; cash is CASH. and its currency"),
        Column("held_on", "date", "Date of the position; NULL where the file has none", nullable=True),
        Column("current", "boolean", "Whether it is of its portfolio's last date, which counts"),
        Column("quantity", "double", "Units held, short negative; of cash its amount", "units", True),
        Column("market_value", "double", "Value as received", "currency", True),
        Column("weight", "double", "Share of NAV as received", "fraction", True),
        Column("currency", "string", "ISO 4217 code of the market value"),
        Column("groups", "string", "Further columns of the file, a JSON object by column"),
        _FILE,
        _LINE,
        _CELLS,
    ),
    checks=(
        (
            "it_says_how_much",
            "quantity IS NOT NULL OR market_value IS NOT NULL OR weight IS NOT NULL",
        ),
    ),
)

HOLDINGS_QUARANTINED = Table(
    layer="silver",
    name="holdings_quarantined",
    comment="Received positions kept out of silver.holdings, each with the reason.",
    scope="run_id",
    key=("run_id", "row"),
    columns=(
        *run_columns(),
        Column("row", "long", "Its number among them, sorted by content"),
        PORTFOLIO,
        _FILE,
        _LINE,
        _CELLS,
        Column("reason", "string", "Why the position was not accepted"),
    ),
)

PORTFOLIOS_KNOWN = Table(
    layer="silver",
    name="portfolios_known",
    comment="Portfolios of the desk, from its file of portfolios or from its positions.",
    scope="run_id",
    key=("run_id", "portfolio_id"),
    columns=(
        *run_columns(),
        PORTFOLIO,
        Column("name", "string", "Name for people"),
        Column("base_currency", "string", "ISO 4217 code of the currency it is valued in"),
        Column("nav", "double", "Net asset value as received; NULL where none is", "base currency", True),
        Column("benchmark_id", "string", "Portfolio or series it is measured against", nullable=True),
        Column("parent_id", "string", "Portfolio it is a part of", nullable=True),
    ),
)

INSTRUMENTS_KNOWN = Table(
    layer="silver",
    name="instruments_known",
    comment="Instruments that are held or in the desk's file of instruments, with their attributes.",
    scope="run_id",
    key=("run_id", "instrument_id"),
    columns=(
        *run_columns(),
        Column("instrument_id", "string", "Instrument; cash is CASH. and its currency"),
        Column("name", "string", "Name for people", nullable=True),
        Column("ticker", "string", "Ticker", nullable=True),
        Column("isin", "string", "ISIN (ISO 6166)", nullable=True),
        Column("cusip", "string", "CUSIP", nullable=True),
        Column("sedol", "string", "SEDOL", nullable=True),
        Column("figi", "string", "FIGI", nullable=True),
        Column("series", "string", "Series of prices that it has; NULL without", nullable=True),
        Column("priced", "boolean", "Whether it has one"),
        Column("held", "boolean", "Whether any position is of it"),
        Column("type", "string", "equity, fund, index, fx, future, forward, cash, option or bond"),
        Column("modelled", "boolean", "Whether its type is valued; options and bonds are not"),
        Column("currency", "string", "ISO 4217 code of its price; NULL where nothing says it", nullable=True),
        Column("price_unit", "double", "Value of one unit of its price: 0.01 for pence", "currency"),
        Column("multiplier", "double", "Units of the price that one unit held is worth", "units"),
        Column("asset_class", "string", "Asset class, as the files say", nullable=True),
        Column("sector", "string", "Sector, as the files say", nullable=True),
        Column("country", "string", "Country, as the files say", nullable=True),
        Column("issuer", "string", "Issuer, as the files say", nullable=True),
        Column("calendar", "string", "Exchange calendar, as the files say", nullable=True),
        Column("proxy", "string", "Series that stands in for its prices", nullable=True),
        Column("proxy_beta", "double", "Move per unit that the proxy moves", "fraction", True),
        Column("groups", "string", "Further columns of the file, a JSON object by column"),
    ),
    checks=(
        (
            "type_is_known",
            "type IN ('equity', 'fund', 'index', 'fx', 'future', 'forward', 'cash', 'option', 'bond')",
        ),
        ("units_are_positive", "price_unit > 0 AND multiplier > 0"),
    ),
)
