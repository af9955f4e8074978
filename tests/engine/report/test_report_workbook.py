from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report import workbook
from acceleray.report.desk import overview
from acceleray.settings import Settings
from report.invented_desk import desk, with_details
from report.invented_rows import Rows


@pytest.fixture
def desk_rows(run_rows: Callable[..., Rows]) -> Rows:
    """Return a run of a desk with groups, positions and active risk."""
    return with_details(desk(run_rows()))


def sheets(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every sheet by the names of its first row."""
    book = CalamineWorkbook.from_path(str(path))
    found = {}
    for name in book.sheet_names:
        head, *rows = book.get_sheet_by_name(name).to_python()
        found[name] = [dict(zip(map(str, head), row, strict=True)) for row in rows]
    return found


def test_the_workbook_has_the_tables_with_numbers_as_numbers(
    desk_rows: Rows, page_settings: Settings, tmp_path: Path
) -> None:
    found = overview.gather(desk_rows.read, page_settings)
    made = sheets(workbook.write(desk_rows.read, found, tmp_path / "desk.xlsx"))
    first = made["overview"][0]
    assert first["portfolio_id"] == "DESK"
    assert (first["nav"], first["var_1d"], first["es_10d"]) == (1e6, 25_312.4, 26_078.6 * 3.0)
    assert made["position_risk"][0]["component"] == 15_000.0
    assert made["positions"][0]["as_of"] == date(2022, 12, 28)
    for table in workbook.TABLES:
        rows = desk_rows.read(table)
        assert len(made.get(table.name, [])) == rows.num_rows, table.label
    values = [row["value"] for row in made["risk_measures"]]
    # A sheet keeps sixteen digits.
    assert sorted(values) == pytest.approx(
        sorted(desk_rows.read(t.RISK_MEASURES)["value"].to_pylist()), rel=1e-15
    )


def test_a_name_that_looks_like_a_formula_or_an_address_stays_text(
    desk_rows: Rows, page_settings: Settings, tmp_path: Path
) -> None:
    hostile = ["=cmd()", "+1", "-2+3", "@sum", "http://x.example", "{=A1}"]
    rows = desk_rows[t.POSITIONS]
    rows.extend({**rows[0], "instrument_id": name} for name in hostile)
    found = overview.gather(desk_rows.read, page_settings)
    path = workbook.write(desk_rows.read, found, tmp_path / "desk.xlsx")
    assert set(hostile) <= {row["instrument_id"] for row in sheets(path)["positions"]}
    with ZipFile(path) as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name), name
            assert b"<hyperlink " not in parts.read(name), name


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(
    desk_rows: Rows, page_settings: Settings, tmp_path: Path
) -> None:
    found = overview.gather(desk_rows.read, page_settings)
    with pytest.raises(PortfolioError, match="cannot be written"):
        workbook.write(desk_rows.read, found, tmp_path / "none" / "desk.xlsx")
    assert not list(tmp_path.iterdir())
