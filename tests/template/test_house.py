"""Rules that hold for every file of this repository."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from render import KEPT, ROOT

SKIPPED = {".hypothesis", *KEPT, ".git", "build"}
TEXT = {"", ".cfg", ".jinja", ".json", ".lock", ".md", ".properties", ".py", ".sh", ".toml", ".txt", ".yml"}
# Devices of Windows, whatever ending follows.
RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])")
HOSTS = re.compile(r"(pypi|pythonhosted|npmjs|repo1?\.maven)\." + r"(org|com|apache)")
# Put together from pieces, so that this file does not find itself. Users have folders in a workspace too:
# below /Workspace, after a variable, or of the people that tests make up.
_OF_A_WORKSPACE = r"(?![${(]|jane\.doe@x|0f1e-2d)"
HOMES = r"(?<!Workspace)/" + "Users/" + _OF_A_WORKSPACE
MACHINE = re.compile("|".join(["/" + "home/", HOMES, "/" + "root/", "/" + "work/", r"[A-Z]:\\" + r"\\Users"]))


def files() -> Iterator[Path]:
    """Yield every text file a clone would hold."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(folder, name) for name in sorted({*names} - SKIPPED) if Path(name).suffix in TEXT)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_python_modules_stay_under_300_lines() -> None:
    long = {
        name_of(path)
        for path in files()
        if path.suffix == ".py" and len(path.read_bytes().splitlines()) >= 300
    }
    assert not long


def test_no_python_file_of_the_template_has_template_syntax() -> None:
    python = [path for path in files() if name_of(path).startswith("template/") and ".py" in path.suffixes]
    assert not [name_of(path) for path in python if path.suffix == ".jinja"]
    assert not [
        name_of(path) for path in python if re.search(r"\{%|%\}|\{\{ *\w+ *\}\}|\{#", path.read_text("utf-8"))
    ]


def test_no_file_name_has_template_syntax() -> None:
    assert not [name_of(path) for path in files() if re.search(r"[{}%\[\]]", name_of(path))]


def test_every_path_can_be_checked_out_on_windows() -> None:
    paths = [name_of(path) for path in files()]
    # A project adds its own folders in front, and Windows ends at 260.
    assert not [path for path in paths if len(path.removeprefix("template/")) > 150]
    parts = {part for path in paths for part in path.split("/")}
    assert not [
        part for part in parts if part.endswith((".", " ")) or re.search(r'[<>:"|?*\\\x00-\x1f]', part)
    ]
    assert not [part for part in parts if RESERVED.fullmatch(part.split(".")[0])]
    places = {str(Path(*path.split("/")[:end])) for path in paths for end in range(1, path.count("/") + 2)}
    alike = Counter(place.casefold() for place in places)
    assert not [place for place, count in alike.items() if count > 1]


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "aux"])
def test_a_name_that_windows_keeps_to_itself_is_known(name: str) -> None:
    assert RESERVED.fullmatch(name)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert not [name_of(path) for path in files() if HOSTS.search(path.read_text("utf-8"))]


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    assert not [name_of(path) for path in files() if MACHINE.search(path.read_text("utf-8"))]


def test_the_workflow_of_this_repository_is_valid_and_only_calls_what_people_call() -> None:
    loaded = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    assert loaded["permissions"] == {"contents": "read"}
    (job,) = loaded["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    json.dumps(loaded["jobs"])


@pytest.mark.parametrize("name", ["ci.yml", "nightly.yml"])
def test_actions_are_pinned_by_commit(name: str) -> None:
    text = (ROOT / ".github/workflows" / name).read_text(encoding="utf-8")
    used = [line.strip(" -") for line in text.splitlines() if "uses:" in line]
    assert used
    # A tag can be moved to other code.
    assert all(re.fullmatch(r"uses: actions/[a-z-]+@[0-9a-f]{40} # v[\d.]+", line) for line in used)


def test_continuous_integration_has_the_history_that_updates_are_tested_from() -> None:
    loaded = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    (checkout,) = [step for step in loaded["jobs"]["test"]["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"]["fetch-depth"] == 0


def test_the_template_is_checked_as_strictly_here_as_where_it_is_generated(defaults: Path) -> None:
    here = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    there = tomllib.loads((defaults / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert (here["line-length"], here["target-version"]) == (there["line-length"], there["target-version"])
    assert (here["lint"]["select"], here["lint"]["ignore"]) == (
        there["lint"]["select"],
        there["lint"]["ignore"],
    )
    assert sorted(here["lint"]["per-file-ignores"].values()) == sorted(
        there["lint"]["per-file-ignores"].values()
    )
