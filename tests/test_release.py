"""A release is refused with its reasons, or tagged and recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import record, refusals
from releases import git, released


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
        ("", "no version of PEP 440"),
        ("next", "no version of PEP 440"),
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
