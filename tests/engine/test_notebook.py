"""What a notebook shows: a table where there is a page to show it on, plain lines in a script."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from acceleray.runtime.notebook import show_comparison
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


def test_any_other_notebook_shows_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_notebook(monkeypatch)
    show_comparison(COMPARED)
    said = capsys.readouterr().out
    assert "┃" in said
    for word in ("plain", "7,312", "failed", "349", "passed", "reason"):
        assert word in said


def test_nothing_compared_is_nothing_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(None)
    assert capsys.readouterr().out == ""
