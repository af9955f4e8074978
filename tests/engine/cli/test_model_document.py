"""`portfolio model-document` where there is nothing to document, and where there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acceleray import tables as t
from acceleray.report.model_document import run_rows
from cli.conftest import Portfolio
from report.invented import invented
from report.invented_history import History, history


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> History:
    """Let the command find invented runs: the later one was refused."""
    monkeypatch.setattr("acceleray.report.canvas._svg", lambda *_: "data:image/svg+xml;base64,")
    found = history(invented(["AAA", "BBB"]), invented(["AAA", "BBB"]))
    for row in found[t.BACKTEST_VERDICTS]:
        if row["run_id"] == "r-2" and row["decision"] == "promoted":
            row |= {"decision": "not promoted", "reason": "too mild"}
    monkeypatch.setattr(run_rows, "KeptInTables", lambda tables: found)
    return found


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (
            "risk",
            "No run has made a risk model yet; backtest one first: `portfolio run risk_stress_testing`.",
        ),
        (
            "signal",
            "No run has made a signal model yet; train one first: `portfolio run distributed_training`.",
        ),
    ],
)
def test_without_a_run_it_says_what_to_run_in_one_line(portfolio: Portfolio, kind: str, line: str) -> None:
    assert portfolio("model-document", kind) == (1, [], [line])


def test_without_a_run_of_that_name_neither(portfolio: Portfolio) -> None:
    code, out, err = portfolio("model-document", "risk", "--run", "0123")
    assert (code, out) == (2, [])
    assert err == [
        "Error: Run 0123 made no risk model, and no other run has; backtest one first: "
        "`portfolio run risk_stress_testing`."
    ]


def test_it_documents_the_latest_that_was_promoted(
    portfolio: Portfolio, runs: History, project: Path
) -> None:
    code, out, err = portfolio("model-document", "risk")
    assert (code, err) == (0, [])
    folder = project / "var" / "reports"
    paths = [folder / f"model-document-risk-r-1.{ending}" for ending in ("html", "md")]
    assert out == [f"Model document: {path}" for path in paths]
    assert [path.read_text(encoding="utf-8")[:2] for path in paths] == ["<!", "# "]


def test_a_refused_one_is_documented_by_name_and_elsewhere(
    portfolio: Portfolio, runs: History, project: Path
) -> None:
    code, _, err = portfolio("model-document", "risk", "--run", "r-2", "--output", "validation")
    assert (code, err) == (0, [])
    text = (project / "validation" / "model-document-risk-r-2.md").read_text(encoding="utf-8")
    assert text.splitlines()[2] == "**Not promoted: too mild.**"


def test_where_all_were_refused_it_names_the_latest(portfolio: Portfolio, runs: History) -> None:
    for row in runs[t.BACKTEST_VERDICTS]:
        if row["decision"] == "promoted":
            row["decision"] = "not promoted"
    line = "No risk model has been promoted; `--run r-2` documents the latest, which was refused."
    assert portfolio("model-document", "risk") == (1, [], [line])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "Error: Missing argument 'risk|signal'. See portfolio --help."),
        (("credit",), "Error: There is no model document of 'credit'; say risk or signal."),
    ],
)
def test_what_is_missing_or_wrong_is_one_plain_line(
    portfolio: Portfolio, arguments: tuple[Any, ...], line: str
) -> None:
    assert portfolio("model-document", *arguments) == (2, [], [line])


def test_a_file_is_no_folder_to_write_to(portfolio: Portfolio, project: Path) -> None:
    (project / "here").touch()
    code, out, err = portfolio("model-document", "risk", "--output", "here")
    assert (code, out, err) == (2, [], ["Error: here is a file; --output needs a folder."])


def test_help_shows_how_it_is_called(portfolio: Portfolio) -> None:
    code, out, _ = portfolio("model-document", "--help")
    assert code == 0
    assert "portfolio model-document signal --output validation" in "\n".join(out)
