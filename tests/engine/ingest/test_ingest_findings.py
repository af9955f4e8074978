"""Findings and corrections through the ingest stage, with real Spark and Delta."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyspark.sql import functions as F
from rich.console import Console

from acceleray.errors import PortfolioError
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.stages.ingest.correcting import corrected, effects
from acceleray.stages.ingest.corrections import COLUMNS, parse
from acceleray.stages.ingest.findings import Wanted, find
from acceleray.stages.ingest.grouped import Here, cells_of
from acceleray.stages.ingest.quality import judge
from acceleray.stages.ingest.reading.delivery import CELLS
from acceleray.stages.ingest.sample import from_sample
from acceleray.stages.ingest.stage import Loaded, ingest
from acceleray.stages.ingest.survey import survey
from acceleray.tables import PRICE_FINDINGS, PRICES, PRICES_QUARANTINED, PRICES_RECEIVED
from quant.finding_helpers import found_in
from quant.test_price_findings_jumps import DAYS, prices

HEADER = ",".join(COLUMNS)


def write(path: Path, columns: dict[str, NDArray[np.float64]], digits: int = 4) -> None:
    lines = [",".join(["date", *columns])]
    for at, day in enumerate(DAYS):
        cells = [f"{column[at]:.{digits}f}" if np.isfinite(column[at]) else "" for column in columns.values()]
        lines.append(",".join([str(day), *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def faulty() -> dict[str, NDArray[np.float64]]:
    columns = prices(5)
    columns["A1"][600:] /= 4
    columns["A2"][700] *= 10
    columns["A3"][-100:] = np.nan
    columns["A4.1"] = columns["A4"]
    columns["CASH"] = np.round(100 * np.cumprod(np.full(DAYS.size, 1 + 0.02 / 252)), 4)
    return columns


def loaded(run: Run) -> tuple[Loaded, str]:
    """Ingest; return what was loaded and what was said."""
    heard = io.StringIO()
    run.reporter = Reporter(Console(file=heard, width=500))
    with run.stage("ingest", "Ingest"):
        result = ingest(run)
    return result, heard.getvalue()


def findings(run: Run) -> dict[tuple[str, str], Any]:
    rows = run.lake.read(PRICE_FINDINGS, run.source).collect()
    # How the file was read is a row too, and is tested where files are read.
    return {(row["instrument_id"], row["kind"]): row for row in rows if row["kind"] != "understood"}


@pytest.fixture(scope="module")
def project(
    new_project: Callable[[], Callable[..., Run]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Callable[..., Run], Path]:
    path = tmp_path_factory.mktemp("faulty") / "prices.csv"
    write(path, faulty())
    make = new_project()
    return lambda *more: make("market_data.source=csv", f"market_data.path={path}", *more), path


@pytest.fixture(scope="module")
def first(project: tuple[Callable[..., Run], Path]) -> tuple[Run, Loaded, str]:
    run = project[0]()
    return run, *loaded(run)


def test_planted_faults_are_rows_with_their_load_and_one_line_each(first: tuple[Run, Loaded, str]) -> None:
    run, result, said = first
    rows = findings(run)
    assert set(rows) == {
        ("A1", "split"),
        ("A2", "reversal"),
        ("A3", "ended"),
        ("A4.1", "twin"),
        ("CASH", "cash_like"),
    }
    assert {row["load_id"] for row in rows.values()} == {result.load_id}
    assert str(rows["A1", "split"]["first_date"]) == str(DAYS[600])
    for row in rows.values():
        assert said.count(f"    {row['severity']}: {row['instrument_id']}: {row['text']}") == 1


def test_spark_finds_what_is_found_without_it(first: tuple[Run, Loaded, str]) -> None:
    columns = {name: np.round(column, 4) for name, column in faulty().items()}
    expected = {(one.instrument, one.kind, one.text) for one in found_in(DAYS, columns)}
    assert {(*key, row["text"]) for key, row in findings(first[0]).items()} == expected


@pytest.mark.nightly
def test_the_same_prices_again_change_nothing(
    project: tuple[Callable[..., Run], Path], first: tuple[Run, Loaded, str]
) -> None:
    run = project[0]()
    tables = (PRICE_FINDINGS, PRICES_RECEIVED, PRICES)
    before = [run.lake.version(table) for table in tables]
    assert loaded(run)[0].load_id == first[1].load_id
    assert [run.lake.version(table) for table in tables] == before


def test_a_severity_can_be_refused_and_then_nothing_is_committed(
    project: tuple[Callable[..., Run], Path], first: tuple[Run, Loaded, str]
) -> None:
    run = project[0]("market_data.on_findings={error: refuse}", "market_data.name=other")
    with pytest.raises(PortfolioError, match=r"refused by market_data\.on_findings\.error: A1: -7"):
        loaded(run)
    assert run.lake.read(PRICES, run.source).count() == 0


def test_a_readjusted_history_is_one_note_and_is_remembered(
    make_run: Callable[..., Run], tmp_path: Path
) -> None:
    path = tmp_path / "prices.csv"
    columns = prices(3)
    held = {name: np.where(DAYS[990] > DAYS, column, np.nan) for name, column in columns.items()}
    write(path, held)
    overrides = ("market_data.source=csv", f"market_data.path={path}")
    loaded(make_run(*overrides))
    columns["A1"][:995] *= 0.9873
    columns["A2"][500] *= 1.02
    write(path, columns)
    for _ in range(2):
        run = make_run(*overrides)
        loaded(run)
        rows = findings(run)
        assert {(key, row["severity"]) for key, row in rows.items()} == {
            (("A1", "readjusted"), "info"),
            (("A2", "history_changed"), "warning"),
        }
        assert rows["A1", "readjusted"]["value"] == pytest.approx(0.9873, abs=1e-5)
        assert (rows["A1", "readjusted"]["count"], rows["A2", "history_changed"]["count"]) == (990, 1)


def test_returns_in_place_of_prices_are_refused(make_run: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    write(path, {name: np.diff(np.log(column), prepend=4.0) for name, column in prices(3).items()}, 6)
    with pytest.raises(PortfolioError, match=r"is refused: A0: .* look like returns, not prices"):
        loaded(make_run("market_data.source=csv", f"market_data.path={path}"))


def test_real_prices_have_no_error() -> None:
    judged = judge(from_sample().prices, 20).series
    assert {one.severity for one in find(judged, survey(judged).market, Wanted())} == {"warning"}


def test_corrections_change_the_cells_they_name_and_no_others() -> None:
    texts = ["400", "4O4", "101", "102"]
    given = cells_of("AAA", pa.array([DAYS[k].item() for k in range(4)], pa.date32()), pa.array(texts))
    corrections = parse(
        "c.csv",
        f"{HEADER}\nAAA,{DAYS[2]},,adjust,0.25,split\nAAA,{DAYS[1]},,replace,404,letter\n"
        f"AAA,{DAYS[3]},,drop,,bad\nZZZ,{DAYS[0]},,drop,,gone\n",
    )
    rows = corrected(given, corrections.lines[:3]).to_pylist()
    found = [(row["price_text"], row["number_text"], row["adjusted_text"]) for row in rows]
    assert found[:3] == [("400", "400", "100.0"), ("4O4", "404", "101.0"), ("101", "101", "101")]
    assert found[3][1:] == ("dropped", "dropped")
    other = cells_of("BBB", pa.array([DAYS[0].item()], pa.date32()), pa.array(["7"]))
    judged = judge(Here((given, other)), 20, None, corrections).series
    assert isinstance(judged, Here)
    kept = [row for table in judged.tables for row in table.to_pylist()]
    assert [row["price"] for row in kept] == [400, 404, 101, None, 7]
    assert [row["adjusted_price"] for row in kept] == [100, 101, 101, None, 7]
    assert [row["reason"] for row in kept] == [None, None, None, "dropped by line 4 of c.csv: bad", None]
    done = [(one.kind, one.instrument, one.count) for one in effects(judged, corrections)]
    assert done == [
        ("corrected", "AAA", 2),
        ("corrected", "AAA", 1),
        ("corrected", "AAA", 1),
        ("correction_unused", "ZZZ", 0),
    ]


def test_a_replaced_close_keeps_its_ratio_to_the_adjusted_one() -> None:
    given = pa.table([["AAA"], [DAYS[0].item()], ["80"], ["80"], ["60"]], schema=CELLS)
    line = parse("c.csv", f"{HEADER}\nAAA,{DAYS[0]},,replace,100,letter\n").lines
    (row,) = corrected(given, line).to_pylist()
    assert (row["price_text"], row["number_text"], row["adjusted_text"]) == ("80", "100", "75.0")


def test_a_factor_makes_no_adjusted_close_of_a_close_among_others() -> None:
    days = [DAYS[k].item() for k in range(3)]
    given = pa.table([["AAA"] * 3, days, *[["80", "84", "40"]] * 2, ["60", None, "40"]], schema=CELLS)
    line = parse("c.csv", f"{HEADER}\nAAA,{DAYS[2]},,adjust,0.5,split\n").lines
    assert corrected(given, line)["adjusted_text"].to_pylist() == ["30.0", None, "40"]


def test_a_correction_mends_its_finding_and_makes_another_load(
    project: tuple[Callable[..., Run], Path], first: tuple[Run, Loaded, str]
) -> None:
    had, run = set(findings(first[0])), project[0]()
    file = run.settings.project_dir / "conf" / "corrections.csv"
    file.write_text(
        f"{HEADER}\nA1,{DAYS[600]},,adjust,0.25,4-for-1 split\nA2,{DAYS[5]},,drop,,bad\n", encoding="utf-8"
    )
    try:
        after, said = loaded(run)
    finally:
        file.unlink()
    assert after.load_id != first[1].load_id
    assert "600 prices before" in said
    assert ("A1", "split") in had
    assert set(findings(run)) == had - {("A1", "split")} | {("A1", "corrected"), ("A2", "corrected")}
    (dropped,) = run.lake.read(PRICES_QUARANTINED, run.source).collect()
    assert dropped["reason"] == "dropped by line 3 of conf/corrections.csv: bad"
    kept = run.lake.read(PRICES, run.source).where(F.col("instrument_id") == "A1").orderBy("date").collect()
    assert [round(kept[at]["price"] / kept[at]["adjusted_price"]) for at in (0, 599, 600)] == [4, 4, 1]
