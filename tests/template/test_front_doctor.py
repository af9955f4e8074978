"""`acceleray doctor` says what a machine lacks before there is a project, a line each with what mends it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceleray_cli import allowance, examination
from acceleray_cli.cli import main
from render import ROOT

Capture = pytest.CaptureFixture[str]


def test_what_the_operating_system_is_asked_is_the_same_in_front_end_and_engine() -> None:
    engine = ROOT / "template/engine/acceleray/engines/processes/allowance.py"
    assert Path(allowance.__file__).read_bytes() == engine.read_bytes()


def test_a_machine_with_all_a_project_needs_ends_with_0(toy: Path, capsys: Capture) -> None:
    assert main(["doctor", "--template", str(toy)]) == 0, capsys.readouterr().out
    out = capsys.readouterr().out
    assert "ok       Git: git version " in out
    assert f"reaches {toy}, newest release 1.1.0\n" in out


def test_each_thing_that_is_missing_is_one_line_with_what_mends_it(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", os.devnull)
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "none.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://kim:S3CRET@proxy.example.com:3128")
    monkeypatch.setattr(allowance, "runs_programs", lambda _: False)
    monkeypatch.setattr(allowance, "memory_left", lambda: 512_000_000)
    monkeypatch.setattr(examination.shutil, "which", lambda _: None)
    assert main(["doctor", "--template", str(tmp_path / "none")]) == 1
    out = capsys.readouterr().out
    missing = [line for line in out.splitlines() if line.startswith("missing")]
    for subject, advice in (
        ("Git", "There is no template at"),
        ("Make", "install make"),
        ("Cache", "set paths.cache"),
        ("Temporary folder", "set TMPDIR"),
        ("Certificates", "set it to the certificates of your company"),
    ):
        assert any(line.startswith(f"missing  {subject}: ") and advice in line for line in missing), subject
    assert len(missing) == 5
    assert "512 MB left by the limit of the container, 4,000 MB" in out
    assert "S3CRET" not in out


def test_nothing_is_said_when_nobody_reads_on(toy: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = (sys.executable, "-m", "acceleray_cli", "doctor", "--template", str(toy))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_home_from_which_no_program_runs_is_said(
    toy: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(allowance, "runs_programs", lambda folder: folder != tmp_path)
    assert main(["doctor", "--template", str(toy)]) == 1
    line = f"missing  Cache: {tmp_path} is mounted noexec; set paths.cache in conf/base.yml"
    assert line in capsys.readouterr().out


def test_a_machine_without_git_is_looked_at_all_the_same(
    toy: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor", "--template", str(toy)]) == 1
    out = capsys.readouterr().out
    assert "missing  Git: Git is not on the search path; install it." in out
    assert "missing  Make: " in out
    assert main(["check", str(tmp_path)]) == 2


def test_a_configuration_that_git_cannot_read_is_said_with_its_file(
    toy: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[user\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert main(["new", str(tmp_path / "no"), "--defaults", "--template", str(toy)]) == 2
    line = f"settings: fatal: bad config line 1 in file {config}; correct that file.\n"
    assert capsys.readouterr().err.endswith(line)
    assert main(["doctor", "--template", str(toy)]) == 1
    assert f"bad config line 1 in file {config}" in capsys.readouterr().out
