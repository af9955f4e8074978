"""Record what a terminal shows while somebody types a story: an asciinema cast and an SVG that plays it.

python scripts/talk_recording.py limit-breach FOLDER
python scripts/talk_recording.py limit-breach

FOLDER is where `python scripts/transcripts.py demo --in FOLDER` has left a project to ask. Both files are
written to docs/talk/images. Without FOLDER the SVG is drawn again from the cast that is there.
"""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from render import ROOT
from transcripts import STORIES, cleaned, commands, environment, prepared

IMAGES = ROOT / "docs/talk/images"
WIDTH, HEIGHT = 190, 30
# How fast a person types, seconds per letter, and how long they look at an answer.
LETTER_S, LOOK_S = 0.04, 1.0
# Pixels of a character and of a line in the SVG, and around the text.
ACROSS, DOWN, AROUND = 7.3, 18, 14
# Without motion, and on paper, the whole recording is there at once.
STYLE = (
    "text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#e8edf2;white-space:pre}"
    "@media screen and (prefers-reduced-motion:no-preference){"
    "tspan{animation:show .01s both}@keyframes show{from{fill-opacity:0}}}"
)


def recorded(story: str, folder: Path) -> Iterator[tuple[float, str]]:
    """Yield when and what the terminal shows: typed commands, and answers as they come."""
    now, place = 0.0, prepared(folder)
    for command in commands((STORIES / story / "script").read_text(encoding="utf-8")):
        if command.startswith("cd "):
            place = place / command.removeprefix("cd ").strip()
            continue
        yield now, "$ " if not command.startswith("#") else ""
        for letter in command.replace("\n", "\r\n"):
            now += LETTER_S
            yield now, letter
        yield now, "\r\n"
        if command.startswith("#"):
            continue
        for after, text in answered(command, place, folder):
            yield now + after, text
        now += after + LOOK_S


def answered(command: str, place: Path, folder: Path) -> Iterator[tuple[float, str]]:
    """Yield what a command writes to a terminal, with the seconds since its start; the last one is empty."""
    ours, theirs = pty.openpty()
    surroundings = environment(folder) | {
        "TERM": "xterm-256color",
        "LINES": str(HEIGHT),
        "COLUMNS": str(WIDTH),
    }
    began = time.monotonic()
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=place,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    while True:
        ready, _, _ = select.select([ours], [], [], 0.2)
        if ready:
            try:
                read = os.read(ours, 65536)
            except OSError:
                # The terminal is closed with its last process.
                break
            if not read:
                break
            said = cleaned(read.decode("utf-8", "replace").replace("\r\n", "\n"), folder)
            yield time.monotonic() - began, said.replace("\n", "\r\n")
        elif process.poll() is not None:
            break
    process.wait()
    os.close(ours)
    yield time.monotonic() - began, ""


def cast(story: str, events: Iterable[tuple[float, str]]) -> str:
    """Return a recording as asciicast v2."""
    lines = [json.dumps({"version": 2, "width": WIDTH, "height": HEIGHT, "title": story})]
    lines += [json.dumps([round(when, 3), "o", text], ensure_ascii=False) for when, text in events]
    return "\n".join(lines) + "\n"


def picture(recording: str) -> str:
    """Return an asciicast as an SVG: each letter and each answer appears at its time."""
    head, *events = map(json.loads, recording.splitlines())
    lines: list[list[tuple[float, str]]] = [[]]
    for when, _, text in events:
        for number, part in enumerate(text.split("\r\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((when, part))
    if not lines[-1]:
        lines.pop()
    width = 2 * AROUND + ACROSS * max(sum(len(part) for _, part in line) for line in lines)
    height = 2 * AROUND + DOWN * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="Recording of the story {escape(head["title"])}"><style>{STYLE}</style>',
        '<rect width="100%" height="100%" rx="8" fill="#1b2733"/>',
    ]
    for number, line in enumerate(lines):
        y = AROUND + DOWN * number + 13
        said = "".join(
            f'<tspan style="animation-delay:{when:.2f}s">{escape(part)}</tspan>' for when, part in line
        )
        parts.append(f'<text x="{AROUND}" y="{y}" xml:space="preserve">{said}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Record a story if a folder is given, and draw it."""
    story, *folder = sys.argv[1:]
    path = IMAGES / f"{story}.cast"
    if folder:
        path.write_text(cast(story, recorded(story, Path(folder[0]) / "story")), encoding="utf-8")
    drawn = picture(path.read_text(encoding="utf-8"))
    path.with_suffix(".svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
