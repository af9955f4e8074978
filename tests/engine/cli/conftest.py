"""The command in an empty project, in this process or in another one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceleray.cli import main
from portfolio import PROJECT

Said = tuple[int, list[str], list[str]]
Portfolio = Callable[..., Said]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project folder, which is also the current one."""
    folder = tmp_path / "Mein Projekt ä"
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "base.yml").write_text("project: {name: P, customer: C}\n")
    (folder / "conf" / "local.yml").write_text("profile: local\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def portfolio(project: Path, capsys: pytest.CaptureFixture[str]) -> Portfolio:
    """Return a function that runs a command here and returns its exit code, output and errors."""

    def command(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(PROJECT, arguments)
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return command


@pytest.fixture
def python() -> Start:
    """Return a function that starts another Python with this one's path and catches what it says."""

    def start(*arguments: str, **named: Any) -> "subprocess.Popen[str]":
        path = os.pathsep.join(filter(None, sys.path))
        environment = named.pop("env", os.environ) | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, *arguments], env=environment, **streams, **named)

    return start
