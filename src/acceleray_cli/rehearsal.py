"""Run an update in a clone of the project, to learn what it would do without touching the project."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copier import Settings, run_update
from copier.errors import CopierWarning

from acceleray_cli import git, quick
from acceleray_cli.new import render
from acceleray_cli.project import Project
from acceleray_cli.refusals import in_plain_words
from acceleray_cli.source import Template

Files = dict[str, bytes]


@dataclass(frozen=True)
class Rehearsal:
    """Four states of the files, by their names in the project.

    `old` is what the template gave, `before` what the project made of it, `after` what it would become;
    `ignored` are names of generated files that the project's repository does not hold.
    """

    old: Files
    before: Files
    after: Files
    conflicts: frozenset[str]
    ignored: frozenset[str]


def rehearse(project: Project, template: Template, version: str, given: Mapping[str, Any]) -> Rehearsal:
    """Return what an update to a version with other answers would do.

    Raises:
        RefusedError: the update cannot be done.
    """
    location, had = project.origin()
    top = project.top()
    with tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name:
        old = contents(render(location, template.commit(had), project.answers, Path(name, "old")))
        clone = _clone(top, Path(name, "clone"))
        there = Project(clone / project.folder.relative_to(top.resolve()), project.answers, location, had)
        ignored = _bring_ignored(project.folder, there.folder, old)
        before = contents(there.folder)
        apply(there.folder, version, given)
        after = contents(there.folder)
        for added in after.keys() - before.keys():
            # A file that only the project's folder has, and not its repository, is there all the same.
            present = project.folder / added
            if present.is_file():
                before[added] = present.read_bytes()
                ignored.add(added)
        return Rehearsal(old, before, after, frozenset(there.conflicts()), frozenset(ignored))


def apply(folder: Path, version: str, given: Mapping[str, Any]) -> None:
    """Update the project in a folder with Copier.

    Raises:
        RefusedError: Copier refused.
    """
    with (
        in_plain_words("The update"),
        warnings.catch_warnings(),
        quick.writing(folder),
    ):
        warnings.simplefilter("ignore", CopierWarning)
        run_update(
            folder,
            data=dict(given),
            vcs_ref=version,
            defaults=True,
            overwrite=True,
            quiet=True,
            settings=Settings(),
        )


def contents(folder: Path) -> Files:
    """Return every file under a folder, without the repository's own, with the line breaks of Unix."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(place, name)
            # Git on Windows writes other line breaks than the template has; that is nobody's edit.
            content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
            found[path.relative_to(folder).as_posix()] = content.replace(b"\r\n", b"\n")
    return found


def _clone(top: Path, clone: Path) -> Path:
    head = git.read(top, "rev-parse", "HEAD")
    git.read(top, "clone", "--quiet", "--shared", "--no-checkout", "--", str(top), str(clone))
    git.read(clone, "checkout", "--quiet", "--detach", head)
    # What is ignored by this list, which is not in any commit, has to be ignored in the clone as well.
    excludes = top / git.read(top, "rev-parse", "--git-path", "info/exclude")
    if excludes.is_file():
        (clone / ".git/info").mkdir(exist_ok=True)
        shutil.copy2(excludes, clone / ".git/info/exclude")
    return clone.resolve()


def _bring_ignored(project: Path, clone: Path, generated: Files) -> set[str]:
    """Copy generated files that the project has and its repository has not, and return their names."""
    brought = set()
    for name in generated:
        if (project / name).is_file() and not (clone / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, clone / name)
            brought.add(name)
    return brought
