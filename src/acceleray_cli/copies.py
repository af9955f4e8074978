"""Spare Copier what it copies of a template and never reads, and copies of copies.

Each of these changes how long Copier takes and nothing that it writes. Should Copier
change, only time is lost.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from copier import _main, _template
from plumbum import local

from acceleray_cli import git
from acceleray_cli.quick import replaced

# The rendering that is checked in beside the template: no template reads it, and it is half of all files.
UNREAD = "reference"
# Half of the rest. Only a template that is its whole repository could have files in it.
TESTS = "tests"
SUBDIRECTORY = re.compile(r"^_subdirectory: *[\"']?(?P<name>[\w-]+)[\"']? *$", re.MULTILINE)
EXECUTABLE = 0o111
# Elsewhere a link keeps the permissions of the folder that it is from, and a longer path may be too long.
LINKS = os.name == "posix"


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
def copying(folder: Path | None = None) -> Iterator[None]:
    """Let Copier copy a version of a template once, however often an update asks for it.

    Args:
        folder: Where the copies are for a while, so that files can be linked; none for a temporary folder.
    """
    place = folder if LINKS else None
    with (
        tempfile.TemporaryDirectory(prefix="acceleray-", dir=place, ignore_cleanup_errors=True) as name,
        ExitStack() as changed,
    ):
        replaced(changed, _template, "clone", lambda cloning: _copied_once(cloning, Path(name)))
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
        copy = Path(tempfile.mkdtemp(dir=folder))
        with reading(url):
            if not Path(url).is_dir():
                copy = Path(cloning(url, ref, str(copy)))
            else:
                _check_out(url, ref, copy)
        copies[url, _commit(copy, "HEAD")] = copy
        return str(copy)

    return clone


def _check_out(url: str, ref: str, copy: Path) -> None:
    """Check out a version of a repository on this machine into a folder, where no object of it is copied.

    Raises:
        ValueError: there is no such version.
    """
    command = local["git"]
    command("clone", "--quiet", "--shared", "--no-checkout", "--", url, str(copy))
    names = (ref, f"refs/remotes/origin/{ref}")
    commit = next(filter(None, (_commit(copy, f"{name}^{{commit}}") for name in names)), None)
    if commit is None:
        raise ValueError(f"Unknown revision: {ref!r}")
    there = command.with_cwd(str(copy))
    subdirectory = SUBDIRECTORY.search(there("show", f"{commit}:copier.yml", retcode=None))
    if subdirectory and subdirectory["name"] != TESTS:
        with (copy / ".git/info/sparse-checkout").open("a", encoding="utf-8") as patterns:
            patterns.write(f"!/{TESTS}/\n")
    there("checkout", "--quiet", "--force", commit)
    if (copy / ".gitmodules").exists():
        there("submodule", "update", "--checkout", "--init", "--recursive", "--force")


def _commit(repository: Path, name: str) -> str:
    """Return the commit of a name, or nothing."""
    command = ("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    return git.run(repository, *command).stdout.decode().strip()


@contextmanager
def linking() -> Iterator[None]:
    """Let Copier link files that it does not change from its copy of a template, which goes soon.

    Only for a folder that nobody writes into before. Where a link cannot be, the file is written.
    """
    with ExitStack() as changed:
        if LINKS:
            replaced(changed, _main.Worker, "_render_file", _linked)
        yield


def _linked(rendering: Callable[..., None]) -> Callable[..., None]:
    def render_file(worker: Any, source: Path, to: Path, *others: Any, **named: Any) -> None:
        template = worker.template
        # A template without history is read where it is, and its files are somebody's.
        if template.vcs == "git" and not source.name.endswith(template.templates_suffix):
            file, made = template.local_abspath / source, worker.subproject.local_abspath / to
            recorded = getattr(template, "git_index_modes", {}).get(PurePosixPath(source.as_posix()))
            mode = os.lstat(file).st_mode
            if not worker.pretend and stat.S_ISREG(mode) and recorded and not (mode ^ recorded) & EXECUTABLE:
                with suppress(OSError):
                    os.makedirs(made.parent, exist_ok=True)
                    os.link(file, made)
                    return
        rendering(worker, source, to, *others, **named)

    return render_file
