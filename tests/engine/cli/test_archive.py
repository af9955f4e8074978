"""`portfolio archive` and `portfolio reproduce` as people see them; no engine is started."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from acceleray.archive.comparing import Compared
from acceleray.archive.manifest import seal
from acceleray.archive.reproducing import Reproduced
from acceleray.runtime.workload import Conclusion, Outcome
from acceleray.settings import load
from acceleray.tables import PORTFOLIOS, RISK_DAYS
from archive.kept_run import RUN, finished

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
SETTINGS = ("market_data.source=csv", "market_data.path=prices.csv")


@pytest.fixture
def ended(project: Path) -> Path:
    finished(load(project, "local", SETTINGS))
    return project


def test_archive_says_where_it_is_its_seal_and_how_to_go_on(ended: Path, portfolio: Portfolio) -> None:
    code, out, error = portfolio("archive", RUN)
    folder = ended / "var" / "archive" / RUN
    names = [line.partition(": ")[0] for line in out]
    assert (code, names) == (0, ["Archive", "Seal", "Evidence pack", "Reproduce it"])
    assert out[0].startswith(f"Archive: {folder} (")
    assert out[2:] == [
        f"Evidence pack: portfolio archive {RUN} --pack evidence-{RUN}.zip",
        f"Reproduce it: portfolio reproduce {RUN} --from {folder}",
    ]
    assert any("Copy the table versions it read and wrote" in line for line in error)
    assert portfolio("archive", RUN)[1][1] == out[1]


def test_a_pack_is_written_with_the_archive_that_is_there(
    ended: Path, portfolio: Portfolio, tmp_path: Path
) -> None:
    portfolio("archive", RUN)
    assert portfolio("archive", RUN, "--pack", str(tmp_path / "a.zip"))[0] == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as pack:
        assert f"Run {RUN}: risk_stress_testing, as of 2022-12-28" in pack.read("README.txt").decode()
    code, _, [line] = portfolio("archive", RUN, "--pack", str(tmp_path / "no" / "a.zip"))
    assert (code, "cannot be written" in line) == (2, True)


def test_an_unknown_run_is_one_line(ended: Path, portfolio: Portfolio) -> None:
    assert portfolio("archive", "ffff") == (
        2,
        [],
        ["Error: No finished run is called ffff; `portfolio show gold.runs` lists them."],
    )


def test_reproduce_refuses_what_is_no_archive_damaged_or_of_another_run(
    ended: Path, portfolio: Portfolio, tmp_path: Path
) -> None:
    code, _, [line] = portfolio("reproduce", RUN)
    place = ended / "var" / "archive"
    assert code == 2
    assert line == f"Error: There is no archive of run {RUN} in {place}; name its folder with --from DIR."
    portfolio("archive", RUN, "--to", str(tmp_path))
    (tmp_path / RUN / "project" / "conf" / "base.yml").write_text("x: 1\n", encoding="utf-8")
    code, out, error = portfolio("reproduce", RUN, "--from", str(tmp_path))
    assert (code, out) == (2, [])
    assert "is damaged: project/conf/base.yml has changed since it was archived" in error[-1]
    shutil.move(tmp_path / RUN, tmp_path / "other")
    seal(tmp_path / "other")
    code, _, error = portfolio("reproduce", "ffff", "--from", str(tmp_path / "other"))
    assert (code, error[-1]) == (
        2,
        f"Error: {tmp_path / 'other'} is the archive of run {RUN}, not of ffff.",
    )


def reproduced(portfolio: Portfolio, ended: Path, found: Reproduced) -> tuple[int, list[str], list[str]]:
    portfolio("archive", RUN)
    with patch("acceleray.archive.reproducing.reproduce", return_value=found):
        return portfolio("reproduce", RUN)


def test_reproduce_says_which_tables_differ_where_and_why(ended: Path, portfolio: Portfolio) -> None:
    tables = (Compared(PORTFOLIOS, 2, "1 of 2 rows, first at portfolio_id=A: nav was 1.0, is 2.0"),)
    found = Reproduced(
        RUN, "b" * 16, ("prices", "code"), (*tables, Compared(RISK_DAYS, 7)), "", ended / "var"
    )
    code, out, error = reproduced(portfolio, ended, found)
    assert (code, error) == (1, [f"1 of 2 tables differ from run {RUN}."])
    assert [line.split() for line in out[:3]] == [
        ["result", "table", "rows", "what", "differs"],
        f"different gold.portfolios 2 {tables[0].difference}".split(),
        ["equal", "silver.risk_days", "7"],
    ]
    assert out[3:] == [
        f"Other prices and code than then: the reproduced run is {'b' * 16}.",
        f"The reproduced run: {ended / 'var'}",
    ]


def test_reproduce_on_another_processor_says_so(ended: Path, portfolio: Portfolio) -> None:
    code, out, error = reproduced(
        portfolio, ended, Reproduced(RUN, RUN, (), (Compared(RISK_DAYS, 7),), "Some 1", None)
    )
    assert (code, error) == (0, [f"All 1 tables are equal to those of run {RUN}."])
    assert out[2:] == ["Compared to 1e-10: the original run was made on another processor, Some 1."]


@pytest.mark.parametrize("auto", ["true", "false"])
def test_a_run_is_archived_at_its_end_where_that_is_set(ended: Path, portfolio: Portfolio, auto: str) -> None:
    outcome = Outcome(RUN, (), Conclusion((), "passed", ended / "report.html"))
    with patch("acceleray.runtime.workload.execute", return_value=outcome):
        code, out, _ = portfolio("run", "risk_stress_testing", "--set", f"archive.auto={auto}")
    assert code == 0
    assert (ended / "var" / "archive" / RUN).is_dir() == any(line.startswith("Seal: ") for line in out)
    assert (auto == "true") == (ended / "var" / "archive" / RUN).is_dir()
    assert out[-1] == f"Report: {ended / 'report.html'}"


def test_what_a_run_concluded_is_said_even_if_it_cannot_be_archived(
    ended: Path, portfolio: Portfolio
) -> None:
    (ended / "prices.csv").unlink()
    outcome = Outcome(RUN, (), Conclusion((), "passed", ended / "report.html"))
    with patch("acceleray.runtime.workload.execute", return_value=outcome):
        code, out, error = portfolio("run", "risk_stress_testing", "--set", "archive.auto=true")
    assert (code, out[-1]) == (2, f"Report: {ended / 'report.html'}")
    assert "is gone; restore it and archive again" in error[-1]
