"""Spare Copier what it does again for each file, and what it copies and never reads.

Each of these changes how long Copier takes and nothing that it writes. Should Copier
change, only time is lost.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from copier import _main
from jinja2 import Environment
from plumbum import local

from acceleray_cli import git

# Copier's method that starts a Git process for each file.
SLOW = "_sync_git_index_executable_bit"
# The rendering that is checked in beside the template: no template reads it, and it is half of all files.
UNREAD = "reference"


@contextmanager
def writing(repository: Path | None = None) -> Iterator[None]:
    """Let Copier write files without a Git process for each, and without compiling each text again.

    Copier asks Git for each file whether the repository trusts modes on disk. The answer matters only for
    files of a repository where `core.fileMode` is false, as on Windows.

    Args:
        repository: Where files are written that a repository may hold; none when the folder is a new one.
    """
    needed = repository and git.run(repository, "config", "--type=bool", "core.fileMode").stdout == b"false\n"
    asking = None if needed else getattr(_main.Worker, SLOW, None)
    compiling = Environment.from_string
    if asking:
        setattr(_main.Worker, SLOW, lambda *_: None)
    Environment.from_string = _once(compiling)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Environment.from_string = compiling  # type: ignore[method-assign]
        if asking:
            setattr(_main.Worker, SLOW, asking)


def _once(compiling: Callable[..., Any]) -> Callable[..., Any]:
    compiled: dict[tuple[Environment, str], Any] = {}

    def from_string(environment: Environment, source: Any, *others: Any, **named: Any) -> Any:
        if others or named or not isinstance(source, str):
            return compiling(environment, source, *others, **named)
        if (environment, source) not in compiled:
            compiled[environment, source] = compiling(environment, source)
        return compiled[environment, source]

    return from_string


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
