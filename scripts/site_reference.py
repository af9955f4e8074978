"""Reference pages made from code: settings from their file, commands from their own help, transcripts."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

from render import ROOT

SETTINGS = ROOT / "reference/conf/base.yml"
ENTRY = re.compile(r"^(?P<indent> *)(?P<key>\w+):(?: (?P<value>.*?))?(?:(?:^| )# (?P<why>.*))?$")
TRANSCRIPTS = ROOT / "tests/transcripts"
COLUMNS = "100"


def settings() -> str:
    """Return the page of all settings: a table per section with key, default and comment."""
    lines = [
        "# Settings",
        "",
        "`conf/base.yml` of a project. `--set section.key=value` changes one run.",
        "",
    ]
    stack: list[str] = []
    for line in SETTINGS.read_text(encoding="utf-8").splitlines():
        found = ENTRY.match(line)
        if not line.strip() or line.lstrip().startswith("#") or found is None:
            continue
        depth, key = len(found["indent"]) // 2, found["key"]
        stack[depth:] = [key]
        value, why = (found["value"] or "").strip(), found["why"] or ""
        if depth == 0 and not value:
            lines += ["", f"## {key}", "", why, "", "| setting | default | what it does |", "|---|---|---|"]
        elif depth == 0:
            lines += [
                "",
                f"## {key}",
                "",
                "| setting | default | what it does |",
                "|---|---|---|",
                _row(key, value, why),
            ]
        else:
            lines.append(_row(".".join(stack), value, why))
    return "\n".join(lines) + "\n"


def _row(key: str, value: str, why: str) -> str:
    shown = f"`{value}`" if value else ""
    return f"| `{key}` | {shown} | {escaped(why)} |".replace("  ", " ")


def escaped(text: str) -> str:
    """Return prose in which nothing is taken for Markdown but code in backticks."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<>\[\]|$\\])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def commands() -> str:
    """Return the page of all commands, each with what its own --help prints."""
    lines = ["# Commands", ""]
    for title, folder in (
        ("make, in this repository", ROOT),
        ("make, in a generated project", ROOT / "reference"),
    ):
        said = subprocess.run(
            ["make", "--no-print-directory", "help"], cwd=folder, capture_output=True, text=True, check=True
        )
        lines += [f"## {title}", "", "```text", said.stdout.rstrip(), "```", ""]
    lines += ["## portfolio", "", "```text", _portfolio("--help"), "```", ""]
    for name in portfolio_commands():
        lines += [f"### portfolio {name}", "", "```text", _portfolio(name, "--help"), "```", ""]
    lines += ["## acceleray", "", "```text", _acceleray("--help"), "```", ""]
    for name in ("new", "adopt", "check", "preview", "update"):
        lines += [f"### acceleray {name}", "", "```text", _acceleray(name, "--help"), "```", ""]
    return "\n".join(lines)


def portfolio_commands() -> list[str]:
    """Return the names of the commands of `portfolio`, as its help lists them."""
    listed = _portfolio("--help").partition("Commands:")[2]
    return re.findall(r"^  ([a-z][a-z-]*)  ", listed, re.MULTILINE)


def _portfolio(*arguments: str) -> str:
    import acceleray.cli.app
    from portfolio import PROJECT

    with contextlib.redirect_stdout(io.StringIO()) as said:
        acceleray.cli.app.main(PROJECT, arguments)
    return said.getvalue().rstrip()


def _acceleray(*arguments: str) -> str:
    said = subprocess.run(
        [sys.executable, "-m", "acceleray_cli", *arguments],
        cwd=ROOT / "src",
        env={"PATH": "/usr/bin:/bin", "COLUMNS": COLUMNS},
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.rstrip()


def transcripts() -> str:
    """Return the page of all transcripts: what each story types, and what it saw."""
    lines = [
        "# Transcripts",
        "",
        "A test runs each story and compares the output with this text.",
        "",
    ]
    for folder in sorted(path.parent for path in TRANSCRIPTS.glob("*/script")):
        lines += [f"## {folder.name}", "", "```console", output(folder), "```", ""]
    return "\n".join(lines)


def output(folder: Path) -> str:
    """Return the golden output of a story."""
    return (folder / "output.txt").read_text(encoding="utf-8").rstrip()
