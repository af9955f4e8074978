"""What each command takes and prints; nothing here starts Spark or Ray."""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from acceleray.cli.workloads import listed
from acceleray.runtime.project import Modules, Project
from acceleray.settings import Settings
from portfolio import PROJECT
from rendered import ENGINE

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
Start = Callable[..., "subprocess.Popen[str]"]


def test_help_names_every_command(portfolio: Portfolio) -> None:
    out = "\n".join(portfolio("--help")[1])
    for name in ("run", "workloads", "tables", "show", "lineage", "what-if", "maintain", "doctor"):
        assert re.search(rf"^  {name} ", out, re.MULTILINE), name


@pytest.mark.parametrize("asked", [["--help"], ["run", "--help"], ["what-if", "--help"]])
def test_help_needs_none_of_the_heavy_libraries(python: Start, asked: list[str]) -> None:
    script = (
        f"import sys; from portfolio.__main__ import main; sys.argv[1:] = {asked};main(); print(*sys.modules)"
    )
    out, _ = python("-c", script).communicate()
    imported = set(out.splitlines()[-1].split())
    assert "acceleray.cli" in imported
    assert not imported & {"pyspark", "ray", "mlflow", "numpy", "pandas", "pyarrow", "scipy", "xgboost"}


@pytest.mark.parametrize("command", ["run", "show", "lineage", "what-if", "maintain", "doctor"])
def test_the_help_of_a_command_shows_how_it_is_called(portfolio: Portfolio, command: str) -> None:
    code, out, _ = portfolio(command, "--help")
    assert code == 0
    assert any(line.strip().startswith(f"portfolio {command} ") for line in out)


def test_the_version_of_project_and_engine_is_one_line(portfolio: Portfolio) -> None:
    code, out, _ = portfolio("--version")
    assert (code, len(out)) == (0, 1)
    release = (ENGINE / "VERSION").read_text(encoding="utf-8").strip()
    assert out[0].startswith(f"portfolio from source, engine {release} (Python 3.")


def test_workloads_are_listed_as_their_recipes_declare_them(portfolio: Portfolio) -> None:
    found = [PROJECT.workload(name) for name in PROJECT.workload_names()]
    code, out, _ = portfolio("workloads")
    assert (code, len(out)) == (0, 1 + len(found))
    for line, one in zip(out[1:], found, strict=True):
        assert re.split(r"  +", line) == [one.name, one.title, one.engine]


def test_a_workload_that_is_not_written_as_plain_text_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "own_recipes"
    package.mkdir()
    (package / "made.py").write_text(
        "from types import SimpleNamespace\n"
        "TITLE = 'Made ' + 'up'\n"
        "WORKLOAD = SimpleNamespace(name='made', title=TITLE, engine='ray')\n"
    )
    (package / "plain.py").write_text("import nowhere\nWORKLOAD = Workload('plain', 'Read', 'spark')\n")
    of = Project(folder=tmp_path, workloads=Modules("own_recipes", package, "WORKLOAD"))
    sys.path.insert(0, str(tmp_path))
    try:
        assert listed(of, "made") == ("made", "Made up", "ray")
        assert listed(of, "plain") == ("plain", "Read", "spark")
    finally:
        sys.path.remove(str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("rnu",), "No such command 'rnu'"),
        (("run",), "Missing argument 'WORKLOAD'"),
        (("show", "gold.runs", "--limit", "0"), "Invalid value for '--limit'"),
        (("tables", "--set", "ray.worker=1"), "Unknown setting 'ray.worker'; did you mean ray.workers?"),
        (("tables", "--set", "ray.workers"), "--set needs section.key=value, not 'ray.workers'."),
        (("tables", "--environment", "prod"), "No settings file"),
        (("tables", "--project", "/"), "/ has no conf/base.yml"),
        (("run", "x", "--as-of", "28.12.2022"), "--as-of needs a date like 2020-06-30, not '28.12.2022'."),
        (("run", "x", "--profile", "laptop"), "Setting profile = 'laptop' is not usable"),
        (("show", "gold.calibrations"), "Unknown table 'gold.calibrations'; did you mean gold.calibration?"),
        (("lineage", "risk_measure"), "Unknown table 'risk_measure'; did you mean gold.risk_measures?"),
        (("show", "runs", "--csv", "no/such/folder/x.csv"), "no/such/folder/x.csv cannot be written"),
    ],
)
def test_bad_input_is_one_plain_line_and_exit_code_2(
    portfolio: Portfolio, project: Path, arguments: tuple[str, ...], line: str
) -> None:
    code, out, err = portfolio(*arguments)
    assert (code, out, len(err)) == (2, [], 1), err
    assert err[0].startswith(f"Error: {line}")
    assert not (project / "var").exists()


def test_an_unknown_workload_names_the_nearest(portfolio: Portfolio) -> None:
    here = PROJECT.workload_names()[0]
    code, _, err = portfolio("run", here[:-1])
    assert (code, err) == (2, [f"Error: Unknown workload '{here[:-1]}'; did you mean {here}?"])


def test_outside_of_a_project_one_line_says_so(
    tmp_path: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = portfolio("tables")
    assert (code, len(err)) == (2, 1)
    assert "--project DIR" in err[0]


def test_a_project_is_found_from_a_folder_inside_it(
    project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "notebooks" / "deep")
    assert portfolio("doctor")[1][1].startswith("ok       Settings: ")


def test_the_doctor_examines_the_profile_it_is_asked_for(portfolio: Portfolio) -> None:
    own, asked = portfolio("doctor")[1], portfolio("doctor", "--profile", "cluster")[1]
    assert any(line.startswith("ok       Plan: local[") for line in own)
    assert any(line.startswith("ok       Plan: 2 Spark executors x 3 cores") for line in asked)


# What a run says at its end.


@pytest.mark.parametrize("columns", ["20", "200"])
def test_the_last_line_of_a_run_is_its_report_whatever_the_width(
    project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    from acceleray.runtime import workload

    seen: list[Settings] = []
    report = project / "var" / ("long-name-" * 15) / "ä b.html"
    ended = workload.Conclusion((("VaR 99 %, 1 day", "31,000 USD"),), "passed: 17 of 10.4", report)

    def execute(found: str, settings: Settings, *others: Any) -> Any:
        seen.append(settings)
        return workload.Outcome("r1", (("ingest", 1200, 1.26), ("report", 0, 0.5)), ended)

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(Project, "workload", lambda self, name: name)
    monkeypatch.setattr(workload, "execute", execute)
    code, out, _ = portfolio("run", "any", "--as-of", "2020-06-30", "--set", "seed=3", "--profile", "local")
    assert code == 0
    assert out[-1] == f"Report: {report}"
    assert out[:3] == ["stage   rows  seconds", "ingest  1200      1.3", "report     0      0.5"]
    assert "VaR 99 %, 1 day  31,000 USD" in out
    assert "Backtest         passed: 17 of 10.4" in out
    assert (seen[0].as_of, seen[0].seed, seen[0].profile) == (date(2020, 6, 30), 3, "local")
