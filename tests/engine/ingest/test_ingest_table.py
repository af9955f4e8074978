"""Delta tables as a source: long and wide, quoted names, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.stages.ingest.delta_table import from_table
from acceleray.stages.ingest.quality import judge
from acceleray.stages.ingest.received import Received, refuse_dates
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PRICES

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


def received(run: Run) -> Received:
    found = from_table(run.lake.spark, run.settings)
    refuse_dates(found)
    return found


def accepted(found: Received) -> list[tuple[str, str, float]]:
    rows = judge(found.cells, 20).where("price IS NOT NULL").orderBy("instrument_id", "date").collect()
    return [(row["instrument_id"], row["date"].isoformat(), row["price"]) for row in rows]


EXPECTED = [
    ("a", "2024-01-02", 1.1),
    ("a", "2024-01-03", 1.2),
    ("b", "2024-01-02", 2.0),
    ("b", "2024-01-04", 2.5),
]


def test_a_long_table_is_loaded_whatever_the_case_of_its_columns(saved: Callable[[str, str], Run]) -> None:
    run = saved("long", LONG)
    loaded = ingest(run)
    assert (loaded.received, loaded.accepted, loaded.quarantined, loaded.instruments) == (5, 4, 1, 2)
    prices = run.read(PRICES).orderBy("instrument_id", "date").collect()
    assert [(row["instrument_id"], row["date"].isoformat(), row["price"]) for row in prices] == EXPECTED
    assert run.source == f"table:{run.settings.market_data.table}"


def test_a_wide_table_of_the_same_prices_holds_the_same_cells(saved: Callable[[str, str], Run]) -> None:
    found = received(saved("wide", WIDE))
    assert accepted(found) == EXPECTED
    assert found.announced == ("a", "b")


REFUSED = {
    "twice": (
        "SELECT 'a' AS instrument_id, '2024-01-02' AS date, explode(array(1.0D, 2.0D)) AS price",
        "has 2024-01-02 2 times for a",
    ),
    "undated": ("SELECT 'a' AS instrument_id, CAST(NULL AS DATE) AS date, 1.0D AS price", "has '' for a"),
    "hours": ("SELECT TIMESTAMP'2024-01-02 16:00:00' AS date, 1.0D AS a", "2024-01-02 16:00:00"),
    "nameless": ("SELECT '' AS instrument_id, '2024-01-02' AS date, 1.0D AS price", "without instrument_id"),
    "no_date": ("SELECT 1.0D AS a", "no column named date"),
    "only_date": ("SELECT DATE'2024-01-02' AS date", "a date column and no instrument"),
    "other_type": ("SELECT DATE'2024-01-02' AS date, 1.0D AS a, true AS ok", "Column ok .* boolean"),
}
ABSENT = ("own.none", "none.at.all", "odd`; DROP TABLE x; --.t", "a..b", "", "a.b.c.d")


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_does_not_hold_prices_is_refused_in_one_line(
    case: str, saved: Callable[[str, str], Run]
) -> None:
    query, expected = REFUSED[case]
    with pytest.raises(PortfolioError, match=expected) as refused:
        received(saved(case, query))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ABSENT)
def test_a_table_that_is_not_there_is_refused_in_one_line(name: str, project: Callable[..., Run]) -> None:
    with pytest.raises(PortfolioError, match=r"There is no Delta table|set market_data\.table") as refused:
        ingest(project("market_data.source=table", f"market_data.table={name}"))
    assert "\n" not in str(refused.value)
