"""A task of a job on Databricks fails where a command does, and only there."""

import sys
from pathlib import Path

import pytest

from acceleray.cli import task
from acceleray.errors import PortfolioError
from portfolio import PROJECT


def called_with(*parameters: str, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sys, "argv", ["portfolio-task", *parameters])
    task(PROJECT)


def test_a_command_that_ends_with_anything_but_0_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PortfolioError, match="portfolio models-of-old ended with exit code 2"):
        called_with("models-of-old", patch=monkeypatch)
    assert "No such command" in capfd.readouterr().err


def test_a_look_at_a_place_that_is_not_databricks_fails_there(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "engine").mkdir()
    (project / "engine/pyproject.toml").write_text('[project]\nname = "e"\n')
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["pydantic"]\n')
    monkeypatch.delenv("DATABRICKS_RUNTIME_VERSION", raising=False)
    look = ("doctor", "--project", str(project), "--profile", "databricks")
    with pytest.raises(PortfolioError, match="portfolio doctor ended with exit code 1"):
        called_with(*look, patch=monkeypatch)
    assert "missing  Place" in capfd.readouterr().out
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.1")
    called_with(*look, patch=monkeypatch)
    assert "Everything is here." in capfd.readouterr().out
