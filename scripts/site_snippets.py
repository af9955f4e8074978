"""Snippets of the pages: a test that names the page runs its Python; its commands exist and parse."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import tomllib
from functools import cache
from typing import Any

from render import ROOT

RUN = ROOT / "docs/site/snippets.toml"
BLOCK = re.compile(r"^```(?P<language>[a-z]*)[^\n]*\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
MAKE = re.compile(r'^make(?: +ARGS=(["\']).*?\1| +[A-Z]+=\S+| +-\S+)* *(?P<target>[a-z][a-z-]*)?')
INNER = re.compile(r"""^make portfolio ARGS=(["'])(?P<inner>.*?)\1""")


def unchecked(kept: str, text: str) -> list[str]:
    """Return what no test runs or no parser knows in the snippets of a page, a line each."""
    wrong, listed = [], _run().get(kept, {})
    python = [found for found in BLOCK.finditer(text) if found["language"] == "python"]
    if python:
        wrong += _python(kept, listed)
    for found in BLOCK.finditer(text):
        if found["language"] in ("", "console", "sh"):
            wrong += [
                f"{kept}: {problem}" for line in found["text"].splitlines() for problem in _command(line)
            ]
    return wrong


@cache
def _run() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = tomllib.loads(RUN.read_text(encoding="utf-8"))
    return loaded


def _python(kept: str, listed: dict[str, str]) -> list[str]:
    if "not_run" in listed:
        return []
    test = ROOT / listed.get("test", "missing")
    if not test.is_file():
        return [f"{kept}: no test runs its Python; name one in {RUN.relative_to(ROOT)}"]
    if kept.rpartition("/")[2] not in test.read_text(encoding="utf-8"):
        return [f"{kept}: {listed['test']} does not read this page"]
    return []


def _command(line: str) -> list[str]:
    """Return why a line is no command that exists, if it is one of ours."""
    line = re.split(r" +# ", line.removeprefix("$ ").strip())[0].split(" && ")[-1].split(" | ")[0]
    if inner := INNER.match(line):
        line = f"portfolio {inner['inner']}"
    if re.match(r"make( |$)", line):
        target = (MAKE.match(line) or {"target": None})["target"]
        return [] if target is None or target in _targets() else [f"there is no `make {target}`"]
    if re.match(r"(pipx run \S+ \S+ )?(portfolio|acceleray) [a-z]", line) and "..." not in line:
        return _parsed(line[re.search(r"portfolio|acceleray", line).start() :])  # type: ignore[union-attr]
    return []


@cache
def _targets() -> frozenset[str]:
    names: set[str] = set()
    for path in ("Makefile", "template/Makefile.jinja"):
        names |= set(re.findall(r"^([a-z][a-z-]*):", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))
    return frozenset(names)


def _parsed(line: str) -> list[str]:
    program, *words = shlex.split(line)
    words = [word for word in words if word not in ("\\", "&")]
    problem = _portfolio(words) if program == "portfolio" else _acceleray(words)
    return [f"`{line}`: {problem}"] if problem else []


@cache
def _application() -> Any:
    import typer.main

    from acceleray.cli.app import _application as application

    return typer.main.get_command(application())


def _portfolio(words: list[str]) -> str | None:
    group = _application()
    if words[0].startswith("-"):
        return None
    command = group.commands.get(words[0])
    if command is None:
        return f"there is no command {words[0]}"
    try:
        command.make_context(words[0], words[1:], resilient_parsing=False)
    except Exception as error:
        return None if type(error).__name__ == "Exit" else str(getattr(error, "message", error))
    return None


def _acceleray(words: list[str]) -> str | None:
    from acceleray_cli.cli import _parser

    with contextlib.suppress(SystemExit, argparse.ArgumentError):
        with contextlib.redirect_stderr(None):
            _parser().parse_args(words)
        return None
    return "its arguments are not understood"
