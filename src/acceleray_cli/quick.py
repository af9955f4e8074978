"""Spare Copier what it does again for each file and each render.

Each of these changes how long Copier takes and nothing that it writes. Should Copier
change, only time is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import yaml
from copier import _main, _template, _user_data, _vcs
from jinja2 import Environment

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
            replaced(changed, _main.Worker, SLOW, lambda _: lambda *_: None)
        replaced(changed, _main.Worker, "_render_string", _plain_as_it_is)
        replaced(changed, _main.Worker, "_render_parts", _plain_path_as_it_is)
        replaced(changed, _user_data.Question, "render_value", _plain_as_it_is)
        replaced(changed, _main.Worker, "answers_relpath", _record_as_it_is)
        replaced(changed, Environment, "compile", _compiled_once)
        replaced(changed, _vcs, "is_git_bundle", _no_folder)
        replaced(changed, _template, "load_template_config", _questions_once)
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
        replaced(changed, _main, "scantree", passing)
        yield


def replaced(until: ExitStack, owner: type | ModuleType, name: str, change: Callable[[Any], Any]) -> None:
    """Give a class or module another attribute in place of this one, if it has it, until the stack ends."""
    if before := vars(owner).get(name):
        setattr(owner, name, change(before))
        until.callback(setattr, owner, name, before)


def _plain_as_it_is(rendering: Callable[..., Any]) -> Callable[..., Any]:
    """Render no text without a mark of the template language: most names of files and choices have none."""

    def render_string(owner: Any, string: Any, *others: Any, **named: Any) -> Any:
        environment = getattr(owner, "jinja_env", None)
        if isinstance(string, str) and environment and _is_plain(environment, string):
            # Extensions are told of each text, as they are where one is compiled.
            return environment.preprocess(string)
        return rendering(owner, string, *others, **named)

    return render_string


def _plain_path_as_it_is(rendering: Callable[..., Any]) -> Callable[..., Any]:
    """Render a path without such a mark at once, not part by part."""

    def render_parts(worker: Any, parts: Any, *others: Any, **named: Any) -> Iterable[Any]:
        environment = worker.jinja_env
        record = str(worker.answers_relpath)
        if (
            others
            or named.keys() - {"is_template"}
            or record in parts
            or not all(_is_plain(environment, part) for part in parts)
        ):
            return rendering(worker, parts, *others, **named)
        path = Path(*map(environment.preprocess, parts))
        # What Copier looks for: a file that is rendered takes precedence over one with its name.
        rendered = f"{worker.template.local_abspath / path}{worker.template.templates_suffix}"
        return [] if not named.get("is_template") and os.path.exists(rendered) else [(path, None)]

    return render_parts


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


def _no_folder(asking: Callable[..., bool]) -> Callable[..., bool]:
    """Take no folder for a bundle: Copier makes a repository to ask Git whether it is one."""
    return lambda path: not Path(path).is_dir() and asking(path)


def _questions_once(loading: Callable[..., Any]) -> Callable[..., Any]:
    """Read the same questions once: YAML takes a fifth of a render, and an update makes five."""

    def load_template_config(conf_path: Path, *others: Any, **named: Any) -> Any:
        text = conf_path.read_bytes()
        if b"!include" in text:
            return loading(conf_path, *others, **named)
        if text not in (read := questions_read()):
            with ExitStack() as changed:
                replaced(changed, yaml, "SafeLoader", lambda plain: getattr(yaml, "CSafeLoader", plain))
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
