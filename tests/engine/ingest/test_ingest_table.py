"""Delta tables as a source: long and wide, quoted names, and what is refused."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.settings import load
from acceleray.stages.ingest.delta_table import from_table
from acceleray.stages.ingest.grouped import Here
from acceleray.stages.ingest.quality import judge
from acceleray.stages.ingest.received import Received, refuse_dates
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PRICES
from ingest.reading_files import received_cells

LONG = """
    VALUES ('b', DATE'2024-01-02', 2.0D), ('a', DATE'2024-01-02', 1.1D), ('a', DATE'2024-01-03', 1.2D),
           ('a', DATE'2024-01-04', CAST('NaN' AS DOUBLE)), ('a', DATE'2024-01-05', NULL),
           ('b', DATE'2024-01-04', 2.5D) AS prices(Instrument_Id, DATE, price)
"""
WIDE = """
    VALUES (TIMESTAMP'2024-01-02 00:00:00', '1.1', 2.0D), (TIMESTAMP'2024-01-03 00:00:00', '1.2', NULL),
           (TIMESTAMP'2024-01-04 00:00:00', 'NaN', 2.5D) AS prices(Date, a, b)
"""


@pytest.fixture(scope="module")
def project(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    return new_project()


@pytest.fixture
def saved(spark: Any, project: Callable[..., Run]) -> Callable[[str, str], Run]:
    """Return a function that saves a query as a Delta table of the project and makes a run that reads it."""

    def save(name: str, query: str) -> Run:
        own = project().settings
        schema = own.catalog.bronze.replace("bronze", "own")
        folder = own.state_dir / "warehouse" / schema / name
        frame = spark.sql(f"SELECT * FROM {query}" if query.lstrip().startswith("VALUES") else query)
        frame.write.format("delta").mode("overwrite").option("overwriteSchema", True).save(str(folder))
        where = f"market_data.table=spark_catalog.{schema}.{name}"
        return project("market_data.source=table", where, "market_data.calendar=weekdays")

    return save


@pytest.fixture
def viewed(spark: Any, project: Callable[..., Run]) -> Callable[[str, str], Run]:
    """Return a function that gives a query a name and makes a run that reads it: nothing is written."""

    def view(name: str, query: str) -> Run:
        frame = spark.sql(f"SELECT * FROM {query}" if query.lstrip().startswith("VALUES") else query)
        frame.createOrReplaceTempView(name)
        where = f"market_data.table={name}"
        return project("market_data.source=table", where, "market_data.calendar=weekdays")

    return view


def received(run: Run) -> Received:
    found = from_table(run.lake.spark, run.settings)
    refuse_dates(found)
    return found


def accepted(found: Received) -> list[tuple[str, str, float]]:
    judged = judge(found.prices, 20).series
    assert isinstance(judged, Here)
    rows = [row for table in judged.tables for row in table.to_pylist() if row["price"] is not None]
    return sorted((row["instrument_id"], row["date"].isoformat(), row["price"]) for row in rows)


EXPECTED = [
    ("a", "2024-01-02", 1.1),
    ("a", "2024-01-03", 1.2),
    ("b", "2024-01-02", 2.0),
    ("b", "2024-01-04", 2.5),
]


def test_a_long_table_is_loaded_whatever_the_case_of_its_columns(saved: Callable[[str, str], Run]) -> None:
    run = saved("long", LONG)
    loaded = ingest(run)
    assert (loaded.received, loaded.accepted, loaded.quarantined, loaded.instruments) == (4, 4, 0, 2)
    prices = run.read(PRICES).orderBy("instrument_id", "date").collect()
    assert [(row["instrument_id"], row["date"].isoformat(), row["price"]) for row in prices] == EXPECTED
    assert run.source == f"table:{run.settings.market_data.table}"


def test_a_wide_table_of_the_same_prices_holds_the_same_cells(viewed: Callable[[str, str], Run]) -> None:
    found = received(viewed("wide", WIDE))
    assert accepted(found) == EXPECTED
    assert found.announced == ("a", "b")


REFUSED = {
    "twice": (
        "SELECT 'a' AS instrument_id, '2024-01-02' AS date, explode(array(1.0D, 2.0D)) AS price",
        "has 2024-01-02 2 times for a",
    ),
    "undated": ("SELECT 'a' AS instrument_id, CAST(NULL AS DATE) AS date, 1.0D AS price", "has '' for a"),
    "hours": (
        "SELECT * FROM VALUES (TIMESTAMP'2024-01-02 16:00:00', 1.0D), (TIMESTAMP'2024-01-02 17:00:00', 2.0D)"
        " AS t(date, a)",
        "2024-01-02 16:00:00",
    ),
    "nameless": ("SELECT '' AS instrument_id, '2024-01-02' AS date, 1.0D AS price", "without instrument_id"),
    "no_date": ("SELECT 1.0D AS a", "no column named date"),
    "only_date": ("SELECT DATE'2024-01-02' AS date", "a date column and nothing else"),
    "two_scales": (
        "SELECT * FROM VALUES ('2024-01-02', '998', '1.5'), ('2024-01-03', '1.003', '1.25') AS t(date, a, b)",
        "The row of 2024-01-03 of table .* has '1.003' for a, a point that can be",
    ),
    "both_marks": (
        "SELECT * FROM VALUES ('2024-01-02', '1,5'), ('2024-01-03', '1.25') AS t(date, a)",
        "has '1,5' for a, a decimal comma; other numbers",
    ),
    "other_type": ("SELECT DATE'2024-01-02' AS date, 1.0D AS a, true AS ok", "Column ok .* boolean"),
}
DAYS = "explode(sequence(DATE'2024-01-01', DATE'2024-12-30', INTERVAL 1 DAY))"
WEEKDAYS = f"(SELECT * FROM (SELECT {DAYS} AS day) WHERE weekday(day) < 5)"


def instants(hours: str) -> str:
    """Return a query of weekdays as instants, so many hours after midnight UTC, and a price of each."""
    stamp = f"timestamp_seconds(unix_date(day) * 86400 + 3600 * ({hours}))"
    return f"SELECT {stamp} AS date, CAST(unix_date(day) AS DOUBLE) AS a FROM {WEEKDAYS}"


STAMPS = {
    "new_york": instants("CASE WHEN day BETWEEN '2024-03-11' AND '2024-11-03' THEN 4 ELSE 5 END"),
    "zurich": instants("CASE WHEN day BETWEEN '2024-04-01' AND '2024-10-27' THEN -2 ELSE -1 END"),
    "utc": instants("0"),
    "ntz": f"SELECT CAST(day AS TIMESTAMP_NTZ) AS date, CAST(unix_date(day) AS DOUBLE) AS a FROM {WEEKDAYS}",
    "closes": instants("CASE WHEN day BETWEEN '2024-03-11' AND '2024-11-03' THEN 20 ELSE 21 END"),
    "ntz_closes": (
        "SELECT CAST(day AS TIMESTAMP_NTZ) + INTERVAL '17:30' HOUR TO MINUTE AS date,"
        f" CAST(unix_date(day) AS DOUBLE) AS a FROM {WEEKDAYS}"
    ),
    "days": f"SELECT day AS date, CAST(unix_date(day) AS DOUBLE) AS a FROM {WEEKDAYS}",
}


@pytest.mark.parametrize("case", STAMPS)
def test_a_timestamp_of_any_type_and_zone_is_the_exchanges_day(
    case: str, viewed: Callable[[str, str], Run]
) -> None:
    found = received(viewed(f"stamps_{case}", STAMPS[case]))
    rows = received_cells(found)
    assert len(rows) == 261
    assert {(row["date"] - date(1970, 1, 1)).days - float(row["number_text"]) for row in rows} == {0.0}


def test_a_live_price_in_a_table_is_left_out_and_said(viewed: Callable[[str, str], Run]) -> None:
    time = "CASE WHEN day = '2024-12-30' THEN ' 11:23:45-05:00' ELSE ' 00:00:00-05:00' END"
    query = f"SELECT concat(day, {time}) AS date, CAST(unix_date(day) AS DOUBLE) AS a FROM {WEEKDAYS}"
    found = received(viewed("live", query))
    assert max(row["date"] for row in received_cells(found)) == date(2024, 12, 27)
    said = "1 instrument, 260 dates; '2024-12-30 11:23:45-05:00' is left out, a live price and no close"
    assert found.understood[1] == said
    # Two exchanges are open, and their days are those of two offsets.
    query = (
        f"SELECT concat(day, replace({time}, '-05', place)) AS date, place AS instrument_id, 1.0D AS price"
        f" FROM {WEEKDAYS} CROSS JOIN (SELECT explode(array('-05', '+01')) AS place)"
    )
    found = received(viewed("two_live", query))
    assert found.understood[1].endswith("-05:00' and 1 other are left out, live prices and no closes") or (
        found.understood[1].endswith("+01:00' and 1 other are left out, live prices and no closes")
    )


TEXT = """
    VALUES ('13.02.2024', 'A', '1.036,5', 'n/a'), ('14.02.2024', 'A', '998', '1,5'),
           ('14.02.2024', 'B', '-', '2')
    AS prices(Tag, Symbol, Close, adj_close)
"""


def test_text_in_a_table_is_decided_as_in_a_file(viewed: Callable[[str, str], Run]) -> None:
    found = received(viewed("text", TEXT))
    rows = {
        (r["instrument_id"], r["price_text"], r["number_text"], r["adjusted_text"])
        for r in received_cells(found)
    }
    assert rows == {("A", "1.036,5", "1036.5", None), ("A", "998", "998", "1.5")}
    assert found.understood == (
        "long table, day-first dates, decimal comma, close and adjusted close",
        "2 dates",
    )


def test_fields_of_a_table_are_one_instrument_named_after_it(saved: Callable[[str, str], Run]) -> None:
    query = (
        "SELECT DATE'2024-01-02' AS date, 1.0D AS open, 3.0D AS high, 1.0D AS low, 2.0D AS close, 9L AS vol"
    )
    (row,) = received_cells(received(saved("msft", query)))
    assert (row["instrument_id"], row["number_text"], row["adjusted_text"]) == ("msft", "2.0", None)


def test_columns_of_the_users_own_are_mapped_in_a_table(saved: Callable[[str, str], Run]) -> None:
    run = saved("mapped", "SELECT 'A' AS wer, 'B' AS symbol, DATE'2024-01-02' AS tag, 2.0D AS p, 3.0D AS q")
    columns = "market_data.columns={instrument_id: wer, price: q}"
    own = run.settings
    table = f"market_data.table={own.market_data.table}"
    mapped = load(own.project_dir, overrides=(columns, "market_data.source=table", table))
    (row,) = received_cells(from_table(run.lake.spark, mapped))
    assert (row["instrument_id"], row["number_text"]) == ("A", "3.0")


def test_a_view_is_read_like_a_table(saved: Callable[[str, str], Run], project: Callable[..., Run]) -> None:
    run = saved("below", "SELECT DATE'2024-01-02' AS date, 2.5D AS a, 3.5D AS b")
    received(run)
    below = run.settings.market_data.table
    catalog, schema, _ = below.split(".")
    run.lake.spark.sql(f"CREATE OR REPLACE VIEW {catalog}.{schema}.above AS SELECT date, a FROM {below}")
    found = received(project("market_data.source=table", f"market_data.table={catalog}.{schema}.above"))
    assert [tuple(row.values())[2:] for row in received_cells(found)] == [("2.5", "2.5", None)]
    run.lake.spark.sql("CREATE OR REPLACE TEMP VIEW passing AS SELECT DATE'2024-01-02' AS date, 2.5D AS a")
    found = received(project("market_data.source=table", "market_data.table=passing"))
    assert found.announced == ("a",)


ABSENT = ("own.none", "none.at.all", "odd`; DROP TABLE x; --.t", "a..b", "", "a.b.c.d")


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_does_not_hold_prices_is_refused_in_one_line(
    case: str, viewed: Callable[[str, str], Run]
) -> None:
    query, expected = REFUSED[case]
    with pytest.raises(PortfolioError, match=expected) as refused:
        received(viewed(case, query))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ABSENT)
def test_a_table_that_is_not_there_is_refused_in_one_line(name: str, project: Callable[..., Run]) -> None:
    with pytest.raises(PortfolioError, match=r"There is no Delta table|set market_data\.table") as refused:
        ingest(project("market_data.source=table", f"market_data.table={name}"))
    assert "\n" not in str(refused.value)
