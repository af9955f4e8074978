"""Every story is run and gives the output that is published: a message that changes is a difference here."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

import transcripts

QUICK = ("bad-answers", "new")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where stories run: the template in two releases is written once."""
    return tmp_path_factory.mktemp("stories") / "story"


def assert_as_published(story: str, folder: Path) -> None:
    said = transcripts.run(story, folder).splitlines()
    published = (transcripts.STORIES / story / "output.txt").read_text(encoding="utf-8").splitlines()
    changes = "\n".join(difflib.unified_diff(published, said, "published", "now", lineterm=""))
    assert not changes, f"{changes}\nIf this is right: python scripts/transcripts.py {story}"


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.nightly])
        for name in transcripts.stories()
        if name not in transcripts.WITH_ENGINES
    ],
)
def test_a_story_is_as_published(story: str, folder: Path) -> None:
    shutil.rmtree(folder / "here", ignore_errors=True)
    assert_as_published(story, folder)


@pytest.mark.nightly
def test_the_stories_with_engines_are_as_published_one_after_the_other(tmp_path: Path) -> None:
    for story in transcripts.WITH_ENGINES:
        if story in transcripts.stories():
            assert_as_published(story, tmp_path / "story")


def test_what_differs_from_run_to_run_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    said = (
        f"{tmp_path}/here/desk/var 12.3 s\n  Simulate the book (Ray)   104.0 s\n"
        "run 0123456789abcdef of 1a2b3c4: 72 exceptions, 0.0112877 of NAV\n"
        "742 files in x, 3 updated, 700 unchanged"
    )
    assert transcripts.normalised(said, tmp_path) == (
        "desk/var N.N s\n  Simulate the book (Ray) N.N s\n"
        "run HASH of HASH: 72 exceptions, 0.0112877 of NAV\nN files in x, 3 updated, N unchanged\n"
    )


def test_a_command_with_a_text_of_several_lines_is_one_command() -> None:
    script = "# why\ncat > x <<EOF\na b\nEOF\n\nls\n"
    assert list(transcripts.commands(script)) == ["# why", "cat > x <<EOF\na b\nEOF", "ls"]


def test_every_story_has_an_output_to_show() -> None:
    names = transcripts.stories()
    assert len(names) >= 9
    assert not [name for name in names if not (transcripts.STORIES / name / "output.txt").exists()]
