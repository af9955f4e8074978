"""What a notebook shows: a table where there is a page to show it on, plain lines in a script."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.notebook import settings_from, show_comparison
from acceleray.runtime.showing import show_frame
from acceleray.runtime.workload import Comparison

COMPARED = Comparison(
    ("model", "days", "verdict"),
    (("plain", "7,312", "failed"), ("filtered & calibrated", "349", "passed")),
    ("118 are more than 73 (p < 0.01)", "84 agree with 73"),
)


def in_a_notebook(monkeypatch: pytest.MonkeyPatch, **offered: Any) -> None:
    shell = SimpleNamespace(user_ns=offered)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_a_script_says_every_model_and_its_reason_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(COMPARED)
    assert capsys.readouterr().out.splitlines() == [
        "",
        "model                   days  verdict",
        "plain                  7,312   failed",
        "filtered & calibrated    349   passed",
        "",
        "plain: 118 are more than 73 (p < 0.01)",
        "filtered & calibrated: 84 agree with 73",
        "",
    ]


def test_databricks_shows_a_table_in_which_no_cell_can_be_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    in_a_notebook(monkeypatch, displayHTML=pages.append)
    show_comparison(COMPARED)
    (page,) = pages
    assert "<tr><th>model</th><th>days</th><th>verdict</th><th>reason</th></tr>" in page
    assert page.count("<tr>") == 3
    assert "<td>filtered &amp; calibrated</td><td>349</td><td>passed</td>" in page
    assert "<td>118 are more than 73 (p &lt; 0.01)</td>" in page


def test_any_other_notebook_shows_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_notebook(monkeypatch)
    show_comparison(COMPARED)
    assert "plain                  7,312   failed\n" in capsys.readouterr().out


def test_a_workspace_shows_rows_of_a_table_with_display(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    in_a_notebook(monkeypatch, display=shown.append, displayHTML=None)
    show_frame(("name", "value"), [("a", 1.5), ("b", None)])
    (frame,) = shown
    assert list(frame.columns) == ["name", "value"]
    assert frame["name"].tolist() == ["a", "b"]


CHOSEN = {"project": "", "environment": "", "as_of": "", "set": "seed=7 market_data.name='two words'"}


def test_a_notebook_finds_its_project_one_folder_up_and_its_environment_by_where_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "conf").mkdir()
    base = "project: {name: tests, customer: Tests}\n"
    for name, text in (("base", base), ("local", "profile: local\n"), ("dev", "profile: databricks\n")):
        (tmp_path / "conf" / f"{name}.yml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    here = settings_from(CHOSEN)
    assert (here.project_dir, here.environment, here.profile) == (tmp_path, "local", "local")
    assert (here.seed, here.market_data.name) == (7, "two words")
    # MLflow, too, knows serverless compute by the second alone.
    for name, version in (("DATABRICKS_RUNTIME_VERSION", "17.3"), ("DATABRICKS_ENV_VERSION", "5")):
        with monkeypatch.context() as there_alone:
            there_alone.setenv(name, version)
            there = settings_from(CHOSEN)
        assert (there.project_dir, there.environment, there.profile) == (tmp_path, "dev", "databricks")


def test_a_notebook_outside_of_a_project_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    with pytest.raises(PortfolioError, match=r"have no conf/base.yml; name the project's folder"):
        settings_from(CHOSEN)


def test_nothing_compared_is_nothing_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(None)
    assert capsys.readouterr().out == ""
