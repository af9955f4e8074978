"""Exchange rates from a source of their own: the same load as if the prices had them, or one plain line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PRICE_FINDINGS, PRICES

TOGETHER = (
    "date,A,EURUSD\n2024-01-02,1,1.1\n2024-01-03,2,1.2\n2024-01-04,1,\n2024-01-05,3,1.4\n2024-01-08,2,1.3\n"
)
ALONE = "date,A\n2024-01-02,1\n2024-01-03,2\n2024-01-04,1\n2024-01-05,3\n2024-01-08,2\n"
RATES = "date,EURUSD\n2024-01-02,1.1\n2024-01-03,1.2\n2024-01-05,1.4\n2024-01-08,1.3\n"
# As the European Central Bank writes them: newest first, one euro in each currency, an ended one.
OF_ECB = (
    "Date,USD,CYP,\n2024-01-08,1.3,N/A,\n2024-01-05,1.4,N/A,\n2024-01-03,1.2,0.58,\n2024-01-02,1.1,0.58,\n"
)
SMALL = ("market_data.minimum_history_d=2", "market_data.calendar=weekdays")


@pytest.fixture
def project(make_run: Callable[..., Run], tmp_path: Path) -> Callable[..., Run]:
    """Return a function from contents of files and overrides to a run of prices and rates."""

    def run(prices: str, rates: str = "", *more: str, name: str = "rates.csv") -> Run:
        (tmp_path / "prices.csv").write_text(prices)
        if rates:
            (tmp_path / name).write_text(rates)
            more = ("fx.source=csv", f"fx.path={tmp_path / name}", *more)
        return make_run(
            *SMALL, "market_data.source=csv", f"market_data.path={tmp_path / 'prices.csv'}", *more
        )

    return run


def cells(run: Run) -> list[tuple[Any, ...]]:
    rows = run.lake.read(PRICES, run.source).select("instrument_id", "date", "price", "adjusted_price")
    return sorted(map(tuple, rows.collect()))


@pytest.mark.parametrize(
    ("rates", "more"), [(RATES, ()), (OF_ECB, ("fx.base=EUR",))], ids=["by pair", "of a central bank"]
)
def test_rates_of_their_own_make_the_load_that_prices_with_them_make(
    project: Callable[..., Run], rates: str, more: tuple[str, ...]
) -> None:
    together = project(TOGETHER)
    first = ingest(together)
    wanted = cells(together)
    apart = project(ALONE, rates, *more)
    assert ingest(apart).load_id == first.load_id
    assert cells(apart) == wanted
    said = [
        row["text"]
        for row in apart.lake.read(PRICE_FINDINGS, apart.source).collect()
        if row["kind"] == "understood"
    ]
    assert "rates.csv: EURUSD" in said[0]
    assert ("skipped, no currency pair: CYP" in said[0]) is bool(more)


def test_rates_of_a_table_join_prices_of_a_file_and_rates_of_a_file_prices_of_a_view(
    project: Callable[..., Run], spark: Any
) -> None:
    together = project(TOGETHER)
    first = ingest(together).load_id
    query = "VALUES (DATE'2024-01-02', 1.1D), (DATE'2024-01-03', 1.2D), (DATE'2024-01-05', 1.4D),"
    query += " (DATE'2024-01-08', 1.3D), (DATE'2024-01-04', NULL) AS rates(date, EURUSD)"
    spark.sql(f"SELECT * FROM {query}").createOrReplaceTempView("own_rates")
    assert ingest(project(ALONE, "", "fx.source=table", "fx.table=own_rates")).load_id == first
    query = "VALUES (DATE'2024-01-02', 1), (DATE'2024-01-03', 2), (DATE'2024-01-04', 1),"
    query += " (DATE'2024-01-05', 3), (DATE'2024-01-08', 2) AS prices(date, A)"
    spark.sql(f"SELECT * FROM {query}").createOrReplaceTempView("own_prices")
    of_view = ("market_data.source=table", "market_data.table=own_prices")
    assert ingest(project(ALONE, RATES, *of_view)).load_id == first


REFUSED = {
    "no file": ("", ("fx.source=csv",), "fx.source is csv: set fx.path to a file of rates"),
    "a file that is not there": (
        "",
        ("fx.source=csv", "fx.path=data/none.csv"),
        "There is no file .*none.csv; set fx.path to a file of rates",
    ),
    "no date": ("name,EURUSD\nx,1\n", (), "rates.csv has no column named date"),
    "no rate": ("date,XYZ,GOLD\n2024-01-02,1,2\n", (), "has no rate: XYZ, GOLD names no currency pair"),
    "a pair in both": (
        "date,A,EURUSD\n2024-01-02,1,1\n",
        (),
        "EURUSD is in .*prices.csv and in .*rates.csv; keep it in one",
    ),
    "dates that may be two": (
        "date,EURUSD\n03/04/2024,1\n04/05/2024,1\n",
        (),
        "rates.csv",
    ),
    "a name of a column that is not there": (
        RATES,
        ("fx.columns={date: Handelstag}",),
        "fx.columns says that date is 'Handelstag'",
    ),
    "no such table": (
        "",
        ("fx.source=table", "fx.table=nowhere.rates"),
        "no Delta table or view nowhere.rates",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_rates_are_refused_in_one_line_and_no_table_is_touched(
    case: str, project: Callable[..., Run]
) -> None:
    rates, more, expected = REFUSED[case]
    run = project(TOGETHER if case == "a pair in both" else ALONE, rates, *more)
    with pytest.raises(PortfolioError, match=expected) as refused:
        ingest(run)
    assert "\n" not in str(refused.value)
    assert "market_data" not in str(refused.value)
    assert run.touches == []
