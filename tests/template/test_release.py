"""A release is refused with its reasons, or tagged and recorded."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from release import guard, record, refusals, release
from releases import git, released
from render import ROOT


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "releases.yml").write_text('"0.1.0": ' + 40 * "a" + "\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0\n\n- More.\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "start")
    return tmp_path


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", "not a version of PEP 440"),
        ("next", "not a version of PEP 440"),
        ("v0.2.0", "Write v0.2.0 as 0.2.0"),
        ("0.1.0", "not newer than 0.1.0"),
        ("0.3.0", "no heading '## 0.3.0'"),
    ],
)
def test_a_version_that_cannot_be_released_is_refused_in_words(
    version: str, said: str, repository: Path
) -> None:
    assert said in "\n".join(refusals(version, repository))


def test_what_is_not_committed_cannot_be_released(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("## 0.2.0\n\nEdited\n")
    assert refusals("0.2.0", repository) == ["Something is not committed."]


def test_a_release_is_a_tag_and_a_line_that_names_the_tagged_commit(repository: Path) -> None:
    assert refusals("0.2.0", repository) == []
    commit = record("0.2.0", repository)
    assert released(repository)["0.2.0"] == commit == git(repository, "rev-parse", "0.2.0^{commit}")
    assert git(repository, "status", "--porcelain") == ""
    assert "There is a tag 0.2.0 already." in refusals("0.2.0", repository)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of this repository whose changelog has the version 99.0."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True)
    changelog = tmp_path / "clone" / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace("\n## ", "\n## 99.0\n\n## ", 1), encoding="utf-8")
    git(tmp_path / "clone", "commit", "--quiet", "--all", "--message", "changelog")
    return tmp_path / "clone"


@pytest.mark.nightly
def test_a_release_of_this_repository_is_named_tagged_and_recorded(clone: Path) -> None:
    commit = release(
        "99.0", clone, ["tests/template/test_release.py::test_what_is_not_committed_cannot_be_released"]
    )
    assert git(clone, "rev-parse", "99.0^{commit}") == commit == released(clone)["99.0"]
    assert tomllib.loads(git(clone, "show", "99.0:pyproject.toml"))["project"]["version"] == "99.0"
    assert git(clone, "status", "--porcelain") == ""


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("change", "guard", "said"),
    [
        (
            "reference/README.md",
            "tests/template/test_release.py",
            "reference/ was not what the template generates",
        ),
        ("CONTRIBUTING.md", "tests/template/no_such_test.py", "Nothing was tagged"),
    ],
)
def test_a_release_that_a_check_stops_leaves_no_tag_and_no_commit(
    clone: Path, change: str, guard: str, said: str
) -> None:
    (clone / change).write_text("changed\n", encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "change")
    before = git(clone, "rev-parse", "HEAD")
    with pytest.raises(SystemExit, match=said):
        release("99.0", clone, [guard])
    assert git(clone, "tag", "--list", "99.0") == ""
    assert git(clone, "rev-parse", "HEAD") == before


@pytest.mark.nightly
def test_update_tests_that_were_skipped_stop_a_release(tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth", "1", ROOT.as_uri(), str(shallow))
    with pytest.raises(
        SystemExit, match=r"Nothing was tagged: \d+ tests were skipped \(this is a shallow clone"
    ):
        guard(shallow, ["tests/template/test_updates.py"])
