"""The talk: timings add up, outputs and figures are those of today, and every slide has notes."""

from __future__ import annotations

import html
import json
import re

import pytest

import talk
import talk_figures
import talk_recording
import transcripts

SLIDES = talk.TALK / "slides.md"


def test_the_sections_take_8_28_7_and_2_minutes() -> None:
    assert talk.seconds() == {"problem": 480, "walk": 1680, "production": 420, "questions": 120}


def test_every_slide_has_notes_with_a_timing() -> None:
    slides = SLIDES.read_text(encoding="utf-8").split("\n---\n")[1:]
    assert len(slides) > 15
    assert all(len(talk.TIMED.findall(slide)) == 1 for slide in slides)


@pytest.mark.parametrize("name", talk.PAGES)
def test_outputs_on_slides_are_those_of_the_stories(name: str) -> None:
    text = (talk.TALK / name).read_text(encoding="utf-8")
    assert talk.LIVE.search(text)
    assert talk.filled(text) == text, "run: python scripts/talk.py --fill"


def test_every_command_that_the_live_part_types_is_one_of_a_story() -> None:
    typed = {
        line.removeprefix("$ ")
        for name in talk.PAGES
        for block in talk.LIVE.finditer((talk.TALK / name).read_text(encoding="utf-8"))
        for line in block[0].splitlines()
        if line.startswith("$ ") and not line.endswith("…")
    }
    scripts = "\n".join((transcripts.STORIES / name / "script").read_text() for name in transcripts.stories())
    assert typed
    assert not [line for line in typed if line not in scripts]


@pytest.mark.parametrize("name", talk_figures.FIGURES)
def test_figures_are_those_of_the_published_measurements(name: str) -> None:
    kept = (talk_figures.IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    assert talk_figures.FIGURES[name]() == kept, "run: python scripts/talk_figures.py"
    assert len(re.findall("<rect", kept)) > 4


@pytest.mark.parametrize("story", talk_recording.RECORDED)
def test_recordings_show_the_words_of_their_story(story: str) -> None:
    kept = talk_recording.IMAGES / story
    drawn, cast = (kept.with_suffix(end).read_text(encoding="utf-8") for end in (".svg", ".cast"))
    assert talk_recording.picture(story) == drawn, "run: python scripts/talk_recording.py"
    head, *events = map(json.loads, cast.splitlines())
    assert (head["version"], head["title"]) == (2, story)
    assert [when for when, *_ in events] == sorted(when for when, *_ in events)
    shown = "".join(text for *_, text in events).replace("\r\n", "\n")
    assert shown == (transcripts.STORIES / story / "output.txt").read_text(encoding="utf-8")
    rows = re.findall(r"<text[^>]*>(.*?)</text>", drawn)
    told = html.unescape("".join(re.sub(r"<[^>]+>", "", row) for row in rows))
    assert told == shown.replace("\n", "")
    assert len(drawn) < 200_000


def test_a_story_without_the_command_is_named() -> None:
    with pytest.raises(SystemExit, match="The story new has no command with"):
        talk.said("new", ["make coffee"])
