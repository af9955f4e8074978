"""Spare Copier what it does again for each file and each render, and what it copies and never reads.

Each of these changes how long Copier takes and nothing that it writes. Should Copier
change, only time is lost.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from copier import _main, _template
from jinja2 import Environment
from plumbum import local

from acceleray_cli import git

# Copier's method that starts a Git process for each file.
SLOW = "_sync_git_index_executable_bit"
# What decides, besides extensions and the text itself, what the template language makes of a text.
MARKS = (
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
    *("undefined", "optimized", "finalize", "autoescape"),
)
# The rendering that is checked in beside the template: no template reads it, and it is half of all files.
UNREAD = "reference"


@contextmanager
def writing(repository: Path | None = None) -> Iterator[None]:
    """Let Copier write files without a Git process for each, and compile and render only what has to be.

    Copier asks Git for each file whether the repository trusts modes on disk. The answer matters only for
    files of a repository where `core.fileMode` is false, as on Windows.

    Args:
        repository: Where files are written that a repository may hold; none when the folder is a new one.
    """
    needed = repository and git.run(repository, "config", "--type=bool", "core.fileMode").stdout == b"false\n"
    with ExitStack() as changed:
        if not needed:
            _changed(changed, _main.Worker, SLOW, lambda _: lambda *_: None)
        _changed(changed, _main.Worker, "_render_string", _plain_as_it_is)
        _changed(changed, _main.Worker, "answers_relpath", _record_as_it_is)
        _changed(changed, Environment, "compile", _compiled_once)
        _changed(changed, _template, "load_template_config", _questions_once)
        yield


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let Copier pass by a folder of the template that it excludes: it renders each path in it first."""

    def passing(scanning: Callable[..., Any]) -> Callable[..., Any]:
        def scantree(root: str, *others: Any) -> Iterator[Any]:
            left = os.path.join(root, name)
            return (
                entry
                for entry in scanning(root, *others)
                if entry.path != left and not entry.path.startswith(left + os.sep)
            )

        return scantree

    with ExitStack() as changed:
        _changed(changed, _main, "scantree", passing)
        yield


def _changed(until: ExitStack, owner: type | ModuleType, name: str, change: Callable[[Any], Any]) -> None:
    """Give a class or module another attribute in place of this one, if it has it, until the stack ends."""
    if before := vars(owner).get(name):
        setattr(owner, name, change(before))
        until.callback(setattr, owner, name, before)


def _plain_as_it_is(rendering: Callable[..., Any]) -> Callable[..., Any]:
    """Render no text without a mark of the template language: most names of folders and files have none."""

    def render_string(worker: Any, string: Any, *others: Any, **named: Any) -> Any:
        environment = getattr(worker, "jinja_env", None)
        if isinstance(string, str) and environment and _is_plain(environment, string):
            # Extensions are told of each text, as they are where one is compiled.
            return environment.preprocess(string)
        return rendering(worker, string, *others, **named)

    return render_string


def _record_as_it_is(found: property) -> property:
    """Render the name of the file with answers only if it must be: Copier asks at each folder of a path."""

    def answers_relpath(worker: Any) -> Any:
        path = worker.answers_file or worker.template.answers_relpath
        return Path(path) if _is_plain(worker.jinja_env, str(path)) else found.__get__(worker)

    return property(answers_relpath)


def _is_plain(environment: Environment, text: str) -> bool:
    """Return whether a text of one line renders as it is, whatever the answers are."""
    if environment.line_statement_prefix or environment.line_comment_prefix:
        return False
    marks = (
        environment.block_start_string,
        environment.variable_start_string,
        environment.comment_start_string,
    )
    return not any(mark in text for mark in (*marks, "\n", "\r"))


def _compiled_once(compiling: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a text once for all renders of this process."""

    def compile(
        environment: Environment,
        source: Any,
        name: Any = None,
        filename: Any = None,
        *others: Any,
        **named: Any,
    ) -> Any:
        if others or not isinstance(source, str) or any(named.values()):
            return compiling(environment, source, name, filename, *others, **named)
        marks = tuple(getattr(environment, setting) for setting in MARKS)
        key = (type(environment), *marks, *sorted(environment.extensions), name, source)
        if key in (codes := compiled_texts()):
            environment.preprocess(source, name, filename)
        else:
            codes[key] = compiling(environment, source, name, filename)
        # A copy of the template lies elsewhere the next time, and a traceback names the file.
        return codes[key].replace(co_filename=filename or codes[key].co_filename)

    return compile


def _questions_once(loading: Callable[..., Any]) -> Callable[..., Any]:
    """Read the same questions once: YAML takes a fifth of a render, and an update makes five."""

    def load_template_config(conf_path: Path, *others: Any, **named: Any) -> Any:
        text = conf_path.read_bytes()
        if b"!include" in text:
            return loading(conf_path, *others, **named)
        if text not in (read := questions_read()):
            read[text] = loading(conf_path, *others, **named)
        return deepcopy(read[text])

    return load_template_config


@cache
def questions_read() -> dict[bytes, Any]:
    """Return the questions that were read in this process."""
    return {}


@cache
def compiled_texts() -> dict[Hashable, CodeType]:
    """Return what was compiled in this process."""
    return {}


@contextmanager
def reading(location: str) -> Iterator[None]:
    """Let Copier's copy of a template on this machine be without the rendering that is checked in there."""
    if not Path(location).is_dir():
        # Copier keeps its copy of a repository elsewhere for later runs.
        yield
        return
    number = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    with tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name:
        patterns = Path(name, "info/sparse-checkout")
        patterns.parent.mkdir()
        patterns.write_text(f"/*\n!/{UNREAD}/\n", encoding="utf-8")
        with local.env(
            **{
                "GIT_TEMPLATE_DIR": name,
                "GIT_CONFIG_COUNT": str(number + 1),
                f"GIT_CONFIG_KEY_{number}": "core.sparseCheckout",
                f"GIT_CONFIG_VALUE_{number}": "true",
            }
        ):
            yield


@contextmanager
def copying() -> Iterator[None]:
    """Let Copier copy a version of a template once, however often an update asks for it."""
    with (
        tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name,
        ExitStack() as changed,
    ):
        _changed(changed, _template, "clone", lambda cloning: _copied_once(cloning, Path(name)))
        yield


def _copied_once(cloning: Callable[..., str], folder: Path) -> Callable[..., str]:
    copies: dict[tuple[str, str], Path] = {}

    def clone(url: str, ref: str = "HEAD", location: str | None = None) -> str:
        if ref == "HEAD":
            # With what nobody committed, which may be something else the next time.
            return cloning(url, ref, location)
        if copy := next((copy for (place, _), copy in copies.items() if place == url), None):
            commit = _commit(copy, f"{ref}^{{commit}}")
            if commit and (url, commit) in copies:
                return str(copies[url, commit])
        with reading(url):
            copy = Path(cloning(url, ref, tempfile.mkdtemp(dir=folder)))
        copies[url, _commit(copy, "HEAD")] = copy
        return str(copy)

    return clone


def _commit(repository: Path, name: str) -> str:
    """Return the commit of a name, or nothing."""
    command = ("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    return git.run(repository, *command).stdout.decode().strip()
