"""Run the stories in tests/transcripts: what somebody types, and what they see.

`python scripts/transcripts.py` runs every story and writes its output.txt again; names run some of them, and
`--in FOLDER` keeps the project of those with engines.
A test runs the same and compares. Paths, times, hashes and sizes are replaced, because they differ from run
to run; whatever else differs is a message or a number that has changed, and shows as a difference.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from releases import git
from render import ROOT, copy_template

STORIES = ROOT / "tests/transcripts"
# Stories that start Spark and Ray: the first makes the project that the others go on with.
WITH_ENGINES = ("demo", "limit-breach", "what-if", "reproduce", "own-book", "bad-prices")
# Another release of the template: it changes one line, which the story's customer has changed as well.
CHANGED = ("template/conf/base.yml.jinja", "window_d: 2500 #", "window_d: 2000 #")
REPLACED = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b|\b[0-9a-f]{16}\b"), "HASH"),
    (re.compile(r"(?<![.\d])\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7}\b(?=[ :.,])"), "HASH"),
    # How many files a project has says nothing about a story.
    (re.compile(r"\b\d+(?= files in| unchanged)"), "N"),
    # Nor does the line on which a difference stands.
    (re.compile(r"^(@@+)(?: [-+]\d+(?:,\d+)?)+ @@+", re.MULTILINE), r"\1 LINES \1"),
    (re.compile(r"/tmp/pf-\S+"), "TEMPORARY"),
    # A stage's seconds, alone in their column or at the end of a line.
    (re.compile(r" +\d+\.\d( s)?$", re.MULTILINE), r" N.N\1"),
    (re.compile(r"\b\d+(\.\d+)?( s\b| seconds\b| MB\b)"), r"N\2"),
    (re.compile(r"\b20[2-9]\d-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "TIME"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
)


def stories() -> list[str]:
    """Return the names of all stories."""
    return sorted(path.parent.name for path in STORIES.glob("*/script"))


def commands(script: str) -> Iterator[str]:
    """Yield the commands of a script, comments too; a command may have a text of several lines (<<EOF)."""
    lines = iter(script.splitlines())
    for line in lines:
        if not line.strip():
            continue
        found = [line]
        if end := re.search(r"<<'?(\w+)'?", line):
            for more in lines:
                found.append(more)
                if more == end[1]:
                    break
        yield "\n".join(found)


def run(story: str, folder: Path) -> str:
    """Return what a story prints when it is run in a folder, as its output.txt has it."""
    text = (STORIES / story / "script").read_text(encoding="utf-8")
    place = prepared(folder)
    parts = []
    for command in commands(text):
        shown = command if command.startswith("#") else f"$ {command}"
        parts.append(f"printf '%s\\n' {shlex.quote(shown)}")
        if not command.startswith("#"):
            parts.append(f'{command}\ncode=$?; [ "$code" = 0 ] || echo "[exit $code]"')
    said = subprocess.run(
        ["bash", "-c", "exec 2>&1\n" + "\n".join(parts)],
        cwd=place,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return normalised(said.stdout + said.stderr, folder)


def environment(folder: Path) -> dict[str, str]:
    """Return the surroundings of a story: its own commands first, no settings of this machine's Git."""
    # What Python has compiled of libraries is read there, and nothing is added.
    keep = ("LANG", "JAVA_HOME", "TMPDIR", "PYTHONPYCACHEPREFIX")
    who = {f"GIT_{role}_{what}": "Desk" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return who | {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "COLUMNS": "100",
        "PYTHONDONTWRITEBYTECODE": "1",
        "VENV": str(Path(sys.executable).parents[1]),
        "MAKEFLAGS": "--no-print-directory",
    }


def prepared(folder: Path) -> Path:
    """Return the folder in which a story begins, next to the template in two releases and the commands."""
    place = folder / "here"
    place.mkdir(parents=True, exist_ok=True)
    if (folder / "template").exists():
        return place
    template = copy_template(folder / "template")
    git(template, "init", "--quiet", "--initial-branch", "main")
    for version in ("1.0.0", "1.1.0"):
        if version == "1.1.0":
            path = template / CHANGED[0]
            text = path.read_text(encoding="utf-8")
            if CHANGED[1] not in text:
                raise SystemExit(
                    f"{CHANGED[0]} has no line '{CHANGED[1]}' any more; choose another one here."
                )
            path.write_text(text.replace(CHANGED[1], CHANGED[2]), encoding="utf-8")
        git(template, "add", "--all")
        git(template, "commit", "--quiet", "--message", version)
        git(template, "tag", version)
    path = folder / "bin"
    path.mkdir()
    python = shlex.quote(sys.executable)
    sources = shlex.quote(str(ROOT / "src"))
    _command(path / "acceleray", f'PYTHONPATH={sources} exec {python} -m acceleray_cli "$@"')
    _command(path / "portfolio", f'PYTHONPATH="$PWD/src:$PWD/engine" exec {python} -m portfolio "$@"')
    return place


def _command(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def normalised(said: str, folder: Path) -> str:
    """Return the whole output of a story as its output.txt has it."""
    return cleaned(said, folder).rstrip() + "\n"


def cleaned(said: str, folder: Path) -> str:
    """Return what was printed without what differs from run to run."""
    for own in {str(folder / "here"), str((folder / "here").resolve())}:
        said = said.replace(f"{own}/", "").replace(own, ".")
    for own in {str(folder), str(folder.resolve())}:
        said = said.replace(own, "..")
    said = said.replace(str(ROOT), "ACCELERAY")
    for pattern, by in REPLACED:
        said = pattern.sub(by, said)
    return said


def main() -> None:
    """Run the stories that are named, or all, and write what they print."""
    arguments = sys.argv[1:]
    kept = Path(arguments.pop()).resolve() if arguments[-2:-1] == ["--in"] else None
    chosen = [name for name in arguments if name != "--in"] or stories()
    if unknown := set(chosen) - set(stories()):
        raise SystemExit(f"There is no story {', '.join(sorted(unknown))}; there are {', '.join(stories())}.")
    # Those with engines go on in one project, in their own order; each other one has its own folder.
    ordered = [name for name in WITH_ENGINES if name in chosen] + [n for n in chosen if n not in WITH_ENGINES]
    with tempfile.TemporaryDirectory() as shared:
        for story in ordered:
            with tempfile.TemporaryDirectory() as own:
                folder = (kept or Path(shared)) if story in WITH_ENGINES else Path(own)
                said = run(story, folder / "story")
            (STORIES / story / "output.txt").write_text(said, encoding="utf-8", newline="\n")
            print(f"{story}: {len(said.splitlines())} lines")


if __name__ == "__main__":
    main()
