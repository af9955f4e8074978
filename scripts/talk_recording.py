"""Record what a terminal shows while somebody types a story: an asciinema cast, with the times as they were.

python scripts/talk_recording.py limit-breach docs/talk/limit-breach.cast FOLDER

FOLDER/story is where `python scripts/transcripts.py demo --in FOLDER` has left a project to ask.
"""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from transcripts import STORIES, cleaned, commands, environment, prepared

WIDTH, HEIGHT = 190, 30
# How fast a person types, seconds per letter, and how long they look at an answer.
LETTER_S, LOOK_S = 0.04, 1.0


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


def main() -> None:
    """Record a story into a cast (asciicast v2)."""
    story, to, folder = sys.argv[1:]
    lines = [json.dumps({"version": 2, "width": WIDTH, "height": HEIGHT, "title": story})]
    lines += [
        json.dumps([round(when, 3), "o", text], ensure_ascii=False)
        for when, text in recorded(story, Path(folder))
    ]
    Path(to).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
