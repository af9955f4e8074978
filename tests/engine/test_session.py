"""A notebook's session: closed by its last cell, by an exception, by its first cell, by the end of Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.processes.lock import holder
from acceleray.runtime import session as module
from acceleray.runtime.session import close_open, open_session
from acceleray.runtime.workload import Workload
from acceleray.settings import Settings
from engines.living import carrying, gone, named
from rendered import project
from workloads.running import environment

QUIET: Any = SimpleNamespace(say=lambda line: None, stage=lambda title: _nothing())
WORKLOAD = Workload("quiet", "Quiet", "spark", lambda run: None)  # type: ignore[arg-type,return-value]


class Shell:
    """An IPython that runs cells: what it calls after each is all that a session asks of it."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.after: list[Callable[[Any], None]] = []
        self.events = SimpleNamespace(
            register=lambda event, function: self.after.append(function),
            unregister=lambda event, function: self.after.remove(function),
        )

    def cell(self, code: str) -> BaseException | None:
        error: BaseException | None = None
        try:
            exec(code, self.user_ns)
        except BaseException as raised:
            error = raised
        for function in list(self.after):
            function(SimpleNamespace(error_in_exec=error, error_before_exec=None))
        return error


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, settings: Callable[..., Settings]) -> Iterator[list[str]]:
    """Stand in for engines and MLflow; return how each run ended, in order."""
    ends: list[str] = []

    @contextmanager
    def engines(chosen: Settings) -> Iterator[Any]:
        yield None, SimpleNamespace(mapped=[])

    @contextmanager
    def tracked_run(chosen: Settings, name: str) -> Iterator[Any]:
        try:
            yield SimpleNamespace()
        except KeyboardInterrupt:
            ends.append("KILLED")
            raise
        except BaseException:
            ends.append("FAILED")
            raise
        ends.append("FINISHED")

    monkeypatch.setattr(module, "engines", engines)
    monkeypatch.setattr(module, "tracked_run", tracked_run)
    monkeypatch.setattr(module, "Lake", lambda *given: None)
    yield ends
    close_open(KeyboardInterrupt())


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, settings: Callable[..., Settings]) -> Shell:
    made = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: made))
    made.user_ns |= {"open": lambda: open_session(WORKLOAD, settings(), reporter=QUIET)}
    return made


def test_the_last_cell_closes_the_session_and_a_second_call_does_nothing(
    ended: list[str], shell: Shell, settings: Callable[..., Settings]
) -> None:
    shell.cell("session = open()")
    assert holder(settings().machine_dir) == "This process"
    shell.cell("session.close()")
    shell.cell("session.close()")
    assert (ended, holder(settings().machine_dir), shell.after) == (["FINISHED"], None, [])


def test_a_cell_that_raises_closes_the_session(
    ended: list[str], shell: Shell, settings: Callable[..., Settings]
) -> None:
    shell.cell("session = open()")
    shell.cell("1 + 1")
    assert ended == []
    assert isinstance(shell.cell("1 / 0"), ZeroDivisionError)
    assert (ended, holder(settings().machine_dir), shell.after) == (["FAILED"], None, [])
    assert shell.user_ns["session"].closed


def test_the_first_cell_run_again_closes_the_session_and_opens_one_that_works(
    ended: list[str], shell: Shell, settings: Callable[..., Settings]
) -> None:
    shell.cell("first = session = open()")
    assert shell.cell("session = open()") is None
    assert ended == ["KILLED"]
    assert shell.user_ns["first"].closed
    assert not shell.user_ns["session"].closed
    shell.cell("first.close()")
    assert holder(settings().machine_dir) == "This process"
    shell.cell("session.close()")
    assert (ended, holder(settings().machine_dir)) == (["KILLED", "FINISHED"], None)


SCRIPT = """
import sys
from pathlib import Path
from acceleray.runtime.session import open_session
from acceleray.settings import load
from portfolio import PROJECT

settings = load(Path(sys.argv[1]), "local", sys.argv[3:])
session = open_session(PROJECT.workload("investment_signal_prioritization"), settings, PROJECT)
if sys.argv[2] == "raises":
    raise RuntimeError("the cell is wrong")
sys.exit(3)
"""


@pytest.mark.nightly
@pytest.mark.ray
@pytest.mark.parametrize(("ends", "code", "status"), [("raises", 1, "FAILED"), ("leaves", 3, "KILLED")])
def test_a_script_that_raises_or_leaves_frees_lock_and_processes(
    ends: str, code: int, status: str, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    few = ("spark.cores=1", "ray.workers=1", "ray.object_store_mb=128", f"paths.state={state}")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with process_environment({"SESSION": str(tmp_path)}):
        command = [sys.executable, str(script), str(project()), ends, *few]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == code, done.stderr
    assert ("RuntimeError: the cell is wrong" in done.stderr) == (ends == "raises")
    assert holder(state) is None
    assert [named(one) for one in carrying("SESSION", str(tmp_path)) if not gone([one], 30)] == []
    client = MlflowClient(f"sqlite:///{state / 'mlflow' / 'mlflow.db'}")
    names = [one.experiment_id for one in client.search_experiments()]
    assert [one.info.status for one in client.search_runs(names)] == [status]
