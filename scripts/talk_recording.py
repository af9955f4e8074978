"""Recordings of a terminal for the talk: an asciinema cast and an SVG that plays it.

`python scripts/talk_recording.py` makes both in docs/talk/images from stories in tests/transcripts: commands
and output are those of a real run, which tests compare; the pace is set here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape

from render import ROOT
from transcripts import STORIES

IMAGES = ROOT / "docs/talk/images"
RECORDED = ("demo",)
WIDTH, HEIGHT = 120, 30
# Seconds: a typed word, a line of output, and a look at the answer before the next command.
WORD_S, LINE_S, LOOK_S = 0.25, 0.12, 2.0
# Pixels of a character and of a line in the SVG, and around the text.
ACROSS, DOWN, AROUND = 7.3, 18, 14
STYLE = (
    "text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#e8edf2;white-space:pre}"
    ".typed{fill:#9fd3ff}"
)

Event = tuple[float, str]


def events(story: str) -> Iterator[Event]:
    """Yield when and what the terminal shows: typed words of commands, lines of output.

    Args:
        story: a folder in tests/transcripts.
    """
    now = 0.0
    for line in (STORIES / story / "output.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("$ "):
            now += LOOK_S if now else 0.0
            for word in re.findall(r"\S+ *", line):
                yield now, word
                now += WORD_S
            yield now, "\r\n"
        else:
            now += LINE_S
            yield now, f"{line}\r\n"


def cast(story: str) -> str:
    """Return the recording of a story as asciicast v2."""
    head = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": story}
    lines = [json.dumps(head), *(json.dumps([round(when, 2), "o", text]) for when, text in events(story))]
    return "\n".join(lines) + "\n"


def screen(story: str) -> list[list[Event]]:
    """Return the rows of the terminal, each with what appears in it and when; long lines go on below."""
    rows: list[list[Event]] = [[]]
    for when, text in events(story):
        shown = text.removesuffix("\r\n")
        while shown:
            room = WIDTH - sum(len(part) for _, part in rows[-1])
            if not room:
                rows.append([])
                continue
            rows[-1].append((when, shown[:room]))
            shown = shown[room:]
        if text.endswith("\r\n"):
            rows.append([])
    return rows[:-1]


def picture(story: str) -> str:
    """Return the recording of a story as an SVG; without motion, and on paper, its last screen."""
    rows = screen(story)
    end = max(when for row in rows for when, _ in row) + LOOK_S
    width, height = round(2 * AROUND + ACROSS * WIDTH), 2 * AROUND + DOWN * HEIGHT
    beyond = max(0, len(rows) - HEIGHT)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Recording of the story {escape(story)}">',
        f"<style>{STYLE}.roll{{transform:translateY({-DOWN * beyond}px)}}{_motion(rows, end)}</style>",
        '<rect width="100%" height="100%" rx="8" fill="#1b2733"/>',
        f'<svg x="{AROUND}" y="{AROUND}" width="{width - 2 * AROUND}" height="{DOWN * HEIGHT}">'
        '<g class="roll">',
    ]
    typing = False
    for number, row in enumerate(rows):
        if row and row[0][1].startswith("$ "):
            typing = True
        elif len({when for when, _ in row}) < 2:
            typing = False
        said = "".join(
            f'<tspan style="animation-delay:{when:.2f}s">{escape(part)}</tspan>' for when, part in row
        )
        kind = ' class="typed"' if typing else ""
        parts.append(f'<text{kind} y="{DOWN * number + 13}" xml:space="preserve">{said}</text>')
    return "\n".join([*parts, "</g></svg></svg>"]) + "\n"


def _motion(rows: list[list[Event]], end: float) -> str:
    """Return the styles that show text at its time, and move the screen up by a row where it is full."""
    steps = ["0%{transform:none}"]
    for number, row in enumerate(rows):
        if row and number >= HEIGHT:
            up = DOWN * (number - HEIGHT + 1)
            steps.append(f"{100 * row[0][0] / end:.2f}%{{transform:translateY(-{up}px)}}")
    return (
        "@media screen and (prefers-reduced-motion:no-preference){"
        "tspan{animation:show .01s both}@keyframes show{from{fill-opacity:0}}"
        f".roll{{animation:roll {end:.1f}s step-end both}}@keyframes roll{{{''.join(steps)}}}}}"
    )


def main() -> None:
    """Write both files of each recorded story."""
    for story in RECORDED:
        (IMAGES / f"{story}.cast").write_text(cast(story), encoding="utf-8")
        (IMAGES / f"{story}.svg").write_text(picture(story), encoding="utf-8")


if __name__ == "__main__":
    main()
