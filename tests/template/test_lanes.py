"""Lanes of tests: those beside the others run at the same time, and each says what it took."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lanes
from lanes import Lane, run_all, table
from lanes import lanes as listed

# Two lanes that each wait for the other's file: one after the other, they would wait for ever.
MEETS = """
import sys, time
from pathlib import Path
mine, other = map(Path, sys.argv[1:])
mine.touch()
while not other.exists():
    time.sleep(0.01)
print("met")
"""


def lane(name: str, folder: Path, *command: str, beside: bool = False) -> Lane:
    return Lane(name, folder, ((sys.executable, "-c", *command),), 10, beside)


def test_a_lane_beside_others_runs_at_the_same_time_and_each_is_reported_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(lanes, "CORES", 2)
    took = run_all(
        [
            lane("engines", tmp_path, MEETS, "one", "two"),
            lane("pure", tmp_path, MEETS, "two", "one", beside=True),
        ]
    )
    assert [(each.lane.name, each.passed) for each in took] == [("engines", True), ("pure", True)]
    assert all(each.processor_s > 0.0 for each in took)
    # What a lane beside the others prints comes whole, under its name.
    assert b"\n== pure\nmet\n" in capfdbinary.readouterr().out


def test_a_lane_that_fails_keeps_none_from_running_and_the_end_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "CORES", 1)
    took = run_all([lane("one", tmp_path, "raise SystemExit(1)"), lane("two", tmp_path, "")])
    said = table(took, 3.0)
    assert said.endswith("FAILED: one\n")
    assert [line.split()[:1] for line in said.splitlines()[2:4]] == [["one"], ["two"]]


def test_no_lane_has_the_name_of_another_and_the_night_has_all_of_a_pull_request() -> None:
    quick, night = ([each.name for each in listed(everything)] for everything in (False, True))
    assert len(set(night)) == len(night)
    assert set(quick) < set(night)


def test_processes_of_a_lane_keep_what_they_compile_though_a_container_says_to_keep_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    asked = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    assert lanes.run(lane("kept", tmp_path, asked)).passed
    said = capfdbinary.readouterr().out.decode().split("\n")
    assert said == ["", "== kept", f"False {lanes.ROOT / 'build/pycache'}", ""]


def test_make_keeps_what_python_compiles(tmp_path: Path) -> None:
    makefile = (lanes.ROOT / "Makefile").read_text(encoding="utf-8")
    (tmp_path / "Makefile").write_text(f"{makefile}\nasked:\n\t@echo $${{PYTHONDONTWRITEBYTECODE-kept}}\n")
    said = subprocess.run(
        ["make", "--no-print-directory", "asked"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "kept\n"
