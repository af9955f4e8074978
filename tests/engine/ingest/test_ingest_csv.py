"""CSV files: what is refused as a whole, before any table exists."""

from collections.abc import Callable
from pathlib import Path

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.stages.ingest.price_file import from_file
from acceleray.stages.ingest.stage import ingest
from ingest.reading_files import received_cells

GOOD = "date,A,B\n2024-01-02,1,2\n2024-01-03,1,2\n2024-01-04,1,2\n"

REFUSED = {
    "empty": (b"", "is empty"),
    "blank lines only": (b"\xef\xbb\xbf\n \n", "is empty"),
    "header only": (b"date,A\n", "no usable price"),
    "no date column": (b"name,A\nx,1\n", "no column named date"),
    "two date columns": (b"date,A,DATE\n2024-01-02,1,2024-01-02\n", "2 columns named date"),
    "no instrument": (b"date\n2024-01-02\n", "nothing else"),
    "two columns of one name": (b"date,A, A\n2024-01-02,1,2\n", "more than one column named 'A'"),
    "a column without a name": (
        b"date,A,\n2024-01-02,1,2\n",
        "Column 3 of .*csv has no name; name it or remove it",
    ),
    "no text": (bytes(range(256)) * 9, "not text in a known encoding"),
    "a row too long": (
        b"date,A\n2024-01-02,1\n2024-01-03,1,5\n",
        "Line 3 of .* has 3 cells, its header in line 1 has 2",
    ),
    "a row too short": (
        b"date,A,B\n\n2024-01-02,1\n",
        "Line 3 of .* has 2 cells, its header in line 1 has 3",
    ),
    "a decimal comma": (b"date,A\n2024-01-02,1,5\n", "has 3 cells, its header in line 1 has 2"),
    "a quote that does not close": (b'date,A,B\n2024-01-02,"1,2\n', "Line 2 of .* is not CSV"),
    "day first": (
        b"date,A\n2024-01-02,1\n03/01/2024,1\n04/01/2024,1\n",
        "Line 2 of .*'2024-01-02'.*other rows",
    ),
    "a day that never was": (b"date,A\n2023-02-29,1\n", "Line 2 of .*'2023-02-29'"),
    "times of day": (
        b"date,A\n2024-01-02 16:00:00,1\n2024-01-02 17:00:00,1\n",
        "'2024-01-02 16:00:00'",
    ),
    "no date in a row": (b"date,A\n2024-01-02,1\n,1\n", "Line 3 of .* has '' for a date"),
    "two dates twice": (
        b"date,A\n2024-01-02,1\n2024-01-03,1\n2024-01-03,2\n2024-01-02,2\n",
        "Line 4 of .* has 2024-01-03 again, after line 3 .1 more row repeats a date",
    ),
    "a date twice": (
        b"date,A,B\n2024-01-02,1,\n2024-01-03,1,1\n2024-01-03,,1\n2024-01-02 00:00,,2\n2024-01-02,,2\n",
        "Line 4 of .* has 2024-01-03 again, after line 3 .2 more rows",
    ),
    "no usable price": (
        b"date,A\n2024-01-02,n/a\n2024-01-03,-1\n",
        "no usable price: of 1 filled cells none is a positive number, the first is '-1' .negative.",
    ),
    "a short history": (
        b"date,A\n2024-01-02,1\n2024-01-03,1\n2024-01-04,0\n",
        "has 2 trading days up to 2024-01-03",
    ),
}


@pytest.fixture(scope="module")
def project(new_project: Callable[[], Callable[..., Run]]) -> Callable[..., Run]:
    return new_project()


def refuse(run: Run, expected: str) -> str:
    with pytest.raises(PortfolioError, match=expected) as refused:
        ingest(run)
    assert "\n" not in str(refused.value)
    assert not (run.settings.state_dir / "warehouse" / run.settings.catalog.bronze).exists()
    assert run.touches == []
    return str(refused.value)


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_line_and_no_table_is_touched(
    case: str, project: Callable[..., Run], tmp_path: Path
) -> None:
    content, expected = REFUSED[case]
    (tmp_path / "prices.csv").write_bytes(content)
    refuse(project("market_data.source=csv", f"market_data.path={tmp_path / 'prices.csv'}"), expected)


def test_a_file_that_is_not_there_is_named_with_its_whole_path(project: Callable[..., Run]) -> None:
    run = project("market_data.source=csv", "market_data.path=data/none.csv")
    assert str(run.settings.project_dir / "data" / "none.csv") in refuse(run, "There is no file")


def test_an_empty_folder_has_no_prices(project: Callable[..., Run], tmp_path: Path) -> None:
    refuse(project("market_data.source=csv", f"market_data.path={tmp_path}"), "contains no file of prices")


def test_a_csv_source_without_a_path_asks_for_one(project: Callable[..., Run]) -> None:
    refuse(project("market_data.source=csv"), "set market_data.path")


def test_an_as_of_date_before_the_first_price_is_refused(project: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(GOOD)
    source = ("market_data.source=csv", f"market_data.path={tmp_path / 'prices.csv'}")
    refuse(project(*source, "as_of=2024-01-01"), "before the first price, 2024-01-02")


def test_the_history_counts_only_up_to_the_as_of_date(project: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(GOOD)
    source = ("market_data.source=csv", f"market_data.path={tmp_path / 'prices.csv'}")
    refuse(project(*source, "as_of=2024-01-03"), "has 2 trading days up to 2024-01-03")


def test_a_file_of_another_layout_and_locale_is_the_same_load(
    project: Callable[..., Run], tmp_path: Path
) -> None:
    (tmp_path / "wide.csv").write_text(
        "date,A,B\n2024-01-12,1.5,2.25\n2024-01-15,1.75,#N/A\n2024-01-16,1.5,1036.5\n"
    )
    german = "Datum;symbol;Kurs\r\n16.01.2024;A;1,5\r\n16.01.2024;B;1.036,5\r\n15.01.2024;A;1,75\r\n"
    german += "12.01.2024;A;1,5\r\n12.01.2024;B;2,25\r\n"
    (tmp_path / "long.csv").write_bytes(german.encode("utf-16"))
    cells = []
    for name in ("wide.csv", "long.csv"):
        run = project("market_data.source=csv", f"market_data.path={tmp_path / name}")
        found = from_file(run.lake.spark, run.settings)
        rows = [{**row, "price_text": ""} for row in received_cells(found)]
        cells.append(sorted((tuple(row.values()) for row in rows), key=str))
        assert len(found.understood) == 2
    assert cells[0] == cells[1]
    assert len(cells[0]) == 5
