"""The talk: paste outputs of stories into its pages, and render slides and handout as HTML and PDF.

`python scripts/talk.py --fill` pastes, `python scripts/talk.py` renders into build/talk. npm installs
the Marp that docs/talk/package.json pins; Chromium or Chrome has to be here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from markdown_it import MarkdownIt

from render import ROOT
from transcripts import STORIES

TALK = ROOT / "docs/talk"
OUT = ROOT / "build/talk"
PAGES = ("slides.md", "live.md")
LIVE = re.compile(
    r"<!-- live: (?P<story>\S+) (?P<words>.*?) -->\n```console\n.*?```\n<!-- end -->", re.DOTALL
)
# What a slide has room for; longer outputs keep their beginning and end.
LINES, COLUMNS = 16, 100
# Warnings about the sample's prices, and how far tasks have come: a slide is about something else.
LEFT_OUT = re.compile(r" +(warning:|\d+ of \d+ )")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMED = re.compile(r"<!-- section: (\w+) · (\d+):(\d\d)")


def said(story: str, words: list[str]) -> str:
    """Return those commands of a story with their output that contain one of some words.

    Raises:
        SystemExit: the story has no such command.
    """
    text = (STORIES / story / "output.txt").read_text(encoding="utf-8")
    parts = re.split(r"^(?=\$ |# )", text, flags=re.MULTILINE)
    typed = [part.rstrip() for part in parts if part.startswith("$ ")]
    found = [part for part in typed if any(word in part.partition("\n")[0] for word in words)]
    if not found:
        raise SystemExit(f"The story {story} has no command with {words}.")
    lines = [
        line if len(line) <= COLUMNS else line[: COLUMNS - 1] + "…"
        for line in "\n".join(found).splitlines()
        if not LEFT_OUT.match(line)
    ]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 7], "…", *lines[-6:]]
    return "\n".join(lines)


def filled(text: str) -> str:
    """Return a page with the outputs of today pasted where it asks for them."""

    def pasted(found: re.Match[str]) -> str:
        words = found["words"]
        chosen = words.split() if found["story"] == "bad-prices" else [words]
        output = said(found["story"], chosen)
        return f"<!-- live: {found['story']} {words} -->\n```console\n{output}\n```\n<!-- end -->"

    return LIVE.sub(pasted, text)


def seconds() -> dict[str, int]:
    """Return the seconds of each section, from the notes of the slides."""
    found: dict[str, int] = {}
    for section, minutes, rest in TIMED.findall((TALK / "slides.md").read_text(encoding="utf-8")):
        found[section] = found.get(section, 0) + 60 * int(minutes) + int(rest)
    return found


def rendered() -> list[Path]:
    """Return the files that were rendered: slides and handout, each as HTML and PDF."""
    OUT.mkdir(parents=True, exist_ok=True)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("Slides as PDF need Chromium or Chrome; install one, or put it on the PATH.")
    if shutil.which("npm") is None:
        raise SystemExit("Slides need npm, which installs the Marp that docs/talk/package.json pins.")
    place = OUT / "marp"
    place.mkdir(exist_ok=True)
    shutil.copy2(TALK / "package.json", place)
    if not (place / "node_modules/.bin/marp").exists():
        quiet = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
        options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
        subprocess.run(["npm", "install", *options], cwd=place, env=quiet, check=True)
    # Images are next to the slides, as they are in the repository.
    for folder in ("docs/talk/images", "docs/images"):
        shutil.copytree(ROOT / folder, OUT / "docs" / Path(folder).relative_to("docs"), dirs_exist_ok=True)
    slides = OUT / "docs/talk/slides.html"
    marp = [str(place / "node_modules/.bin/marp"), "--html", "--no-stdin", "--output", str(slides)]
    subprocess.run([*marp, str(TALK / "slides.md")], check=True)
    handout = OUT / "docs/talk/handout.html"
    handout.write_text(_page((TALK / "handout.md").read_text(encoding="utf-8")), encoding="utf-8")
    made = []
    for page in (slides, handout):
        made += [page, page.with_suffix(".pdf")]
        _printed(browser, *made[-2:])
    return made


def _printed(browser: str, page: Path, to: Path) -> None:
    command = [browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={to}"]
    if os.name == "posix" and os.geteuid() == 0:
        # Chromium's sandbox refuses to run as root; it prints our own page and nothing else.
        command.append("--no-sandbox")
    subprocess.run([*command, page.as_uri()], check=True, capture_output=True, timeout=120)


def _page(text: str) -> str:
    body = MarkdownIt("commonmark").enable("table").render(text)
    style = (TALK / "handout.css").read_text(encoding="utf-8")
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Handout</title>"
    return (
        f"<!DOCTYPE html><html lang='en'><head>{head}<style>{style}</style></head><body>{body}</body></html>"
    )


def main() -> None:
    """Paste, or render."""
    if sys.argv[1:] == ["--fill"]:
        for name in PAGES:
            page = TALK / name
            page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
        return
    for path in rendered():
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
