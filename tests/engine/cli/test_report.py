"""`portfolio report` without Spark: the newest run of the book, its pages, and its tables as XLSX."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake
from python_calamine import CalamineWorkbook

from acceleray import tables as t
from acceleray.engines.delta.log import table_folder
from acceleray.settings import load
from cli.test_reading import filled

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
AS_OF = date(2022, 12, 28)


def add(folder: Path, declared: t.Table, *rows: dict[str, Any]) -> None:
    place = table_folder(load(folder), declared)
    write_deltalake(str(place), filled(declared, list(rows)), mode="append")


def ran(folder: Path, run_id: str, hour: int, workload: str = "end_to_end_pipeline") -> None:
    """Commit a finished run of two portfolios, whose value at risk is `hour` per cent of NAV."""
    of_run = {"run_id": run_id, "as_of": AS_OF}
    for place, name in enumerate(("DESK", "GROWTH")):
        own = of_run | {"portfolio_id": name, "currency": "EUR"}
        book = {"name": f"{name} of {run_id}", "origin": "reported", "nav": 1e6, "place": place}
        add(folder, t.PORTFOLIOS, own | book | {"parent_id": "DESK" if place else "", "benchmark_id": ""})
        at = {"method": "filtered_historical", "measure": "value_at_risk", "confidence": 0.99, "horizon_d": 1}
        number = {
            "value": 1e4 * hour,
            "value_pct_nav": float(hour),
            "standard_error": 1.0,
            "error_of": "window",
        }
        add(folder, t.RISK_MEASURES, own | at | number)
    finished = datetime(2023, 1, 1, hour, tzinfo=UTC)
    settings = {"settings_json": '{"seed": 1}', "source": "sample", "load_id": "l", "seed": 1}
    add(folder, t.RUNS, of_run | settings | {"workload": workload, "finished_at": finished})


@pytest.fixture
def report(project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """Return `portfolio report` where Spark cannot be started."""
    from acceleray.engines.delta.reader import Reader

    def refuse(reader: Reader) -> None:
        raise AssertionError("Spark was about to be started")

    monkeypatch.setattr(Reader, "_started", refuse)
    monkeypatch.setattr("acceleray.report.canvas._svg", lambda *_: "data:image/svg+xml;base64,")
    return lambda *arguments: portfolio("report", *arguments)


def test_the_newest_report_is_written_again_with_a_page_for_each_portfolio(
    report: Portfolio, project: Path, tmp_path: Path
) -> None:
    ran(project, "older", 3)
    ran(project, "newer", 5)
    code, out, err = report("--output", str(tmp_path / "board"))
    assert code == 0
    page = tmp_path / "board" / f"end_to_end_pipeline-{AS_OF}-newer.html"
    assert out == [f"Report: {page}"]
    assert "DESK of newer" in page.read_text("utf-8")
    assert sorted(file.name for file in page.with_suffix("").iterdir()) == ["DESK.html", "GROWTH.html"]
    assert "end_to_end_pipeline" in (page.parent / "index.html").read_text("utf-8")
    assert any("had other settings than conf/ has now" in line for line in err)
    code, out, _ = report("older", "--output", str(tmp_path / "board"))
    assert (code, out) == (0, [f"Report: {page.with_name(page.name.replace('newer', 'older'))}"])


def test_xlsx_has_the_tables_of_the_run_and_of_no_other(
    report: Portfolio, project: Path, tmp_path: Path
) -> None:
    ran(project, "older", 3)
    ran(project, "newer", 5)
    code, out, _ = report("--xlsx", str(tmp_path / "desk.xlsx"))
    assert (code, out) == (0, [f"Tables: {tmp_path / 'desk.xlsx'}"])
    head, *rows = (
        CalamineWorkbook.from_path(str(tmp_path / "desk.xlsx")).get_sheet_by_name("risk_measures").to_python()
    )
    assert [row[head.index("value_pct_nav")] for row in rows] == [5.0, 5.0]


def test_what_cannot_be_written_is_one_plain_line(report: Portfolio, project: Path, tmp_path: Path) -> None:
    assert report()[0] == 2
    ran(project, "other", 3, workload="mine")
    code, _, err = report("other")
    assert code == 2
    assert err[-1] == "Error: The report of mine cannot be written from its tables; run the workload again."
    code, _, err = report("unknown")
    assert (code, len(err)) == (2, 1)
    assert "No finished run is called unknown" in err[0]
    assert report("other", "--xlsx", str(tmp_path / "none" / "x.xlsx"))[0] == 2
