"""The environment is prepared once, completely, and never over somebody's files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from render import ROOT

SCRIPT = ROOT / "template/engine/scripts/prepare.sh"
# Stands for Python: makes "environments" that hold itself, and writes down what was installed.
PYTHON = """#!/bin/sh
case "$*" in
-c*) exit ${FAKE_UNSUPPORTED:-0} ;;
*venv*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
*pip*) echo "installed $*" >> "$FAKE_LOG"; echo "Collecting one==1"; exit ${FAKE_BROKEN:-0} ;;
esac
"""


class Machine:
    """A folder with a space in its name, a lock, and a PATH that has no other Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "Projekt ü"
        tools = self.folder / "tools"
        tools.mkdir(parents=True)
        for tool in ("sh", "cksum", "grep", "ls", "mkdir", "find", "mv", "cp", "tail"):
            (tools / tool).symlink_to(str(shutil.which(tool)))
        (tools / "python3").write_text(PYTHON)
        (tools / "python3").chmod(0o755)
        self.lock = self.folder / "requirements.lock"
        self.lock.write_text("one==1\n")
        self.also: tuple[Path, ...] = ()
        self.venv = self.folder / ".venv"

    def prepare(self, *included: Path, **fakes: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.folder / "tools"), "FAKE_LOG": str(self.folder / "log"), **fakes}
        locks = [self.lock, *self.also, *(("--", *included) if included else ())]
        command = ["sh", str(SCRIPT), str(self.venv), *map(str, locks)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @property
    def installations(self) -> int:
        log = self.folder / "log"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_second_use_installs_nothing(machine: Machine) -> None:
    assert machine.prepare().returncode == 0
    again = machine.prepare()
    assert (again.returncode, again.stdout, machine.installations) == (0, "", 1)


def test_a_changed_lock_installs_again_from_scratch(machine: Machine) -> None:
    machine.prepare()
    (machine.venv / "old library").mkdir()
    machine.lock.write_text("one==2\n")
    assert machine.prepare().returncode == 0
    assert machine.installations == 2
    assert not (machine.venv / "old library").exists()


def test_an_interrupted_installation_is_redone(machine: Machine) -> None:
    interrupted = machine.prepare(FAKE_BROKEN="1")
    assert interrupted.returncode == 1
    assert "The libraries could not be installed" in interrupted.stderr
    assert "Collecting one==1" in interrupted.stderr
    (machine.venv / "half a library").mkdir()
    assert machine.prepare().returncode == 0
    assert machine.installations == 2
    assert not (machine.venv / "half a library").exists()


def test_an_environment_serves_the_locks_that_its_own_includes(machine: Machine) -> None:
    included = machine.folder / "included.lock"
    included.write_text("part==1\n")
    machine.prepare(included)
    machine.lock = included
    machine.prepare()
    assert machine.installations == 1


def test_a_second_lock_is_installed_too_once_it_has_a_library(
    machine: Machine,
) -> None:
    own = machine.folder / "own.lock"
    own.write_text("# Libraries of your own\n")
    machine.also = (own,)
    machine.prepare()
    assert machine.prepare().stdout == ""
    own.write_text("# Libraries of your own\ntwo==2\n")
    assert machine.prepare().returncode == 0
    assert machine.installations == 2
    assert f"-r {own}" in (machine.folder / "log").read_text().splitlines()[-1]


def test_a_folder_with_other_files_is_left_alone(machine: Machine) -> None:
    machine.venv.mkdir()
    (machine.venv / "thesis.txt").write_text("ten years of work\n")
    refused = machine.prepare()
    assert refused.returncode == 1
    assert "remove it, or name another folder with VENV=" in refused.stderr
    assert os.listdir(machine.venv) == ["thesis.txt"]


def test_a_machine_without_a_supported_python_is_told_so_in_one_line(machine: Machine) -> None:
    refused = machine.prepare(FAKE_UNSUPPORTED="1")
    assert refused.returncode == 1
    assert refused.stderr == (
        "No Python 3.11, 3.12 or 3.13 found; install one of them and run the same command again.\n"
    )
    assert not machine.venv.exists()
