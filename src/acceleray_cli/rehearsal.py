"""Run an update in a clone of the project: a preview looks at the outcome, and an update carries it over."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from copier import Settings, run_update
from copier.errors import CopierWarning

from acceleray_cli import engine, git, git_settings, index, lines, moved, quick
from acceleray_cli.addresses import without_credentials
from acceleray_cli.files import File, Snapshot, carry, read, snapshot
from acceleray_cli.handover import Handover, due, hand_over
from acceleray_cli.new import render
from acceleray_cli.project import RECORD, Project, opened
from acceleray_cli.refusals import in_plain_words
from acceleray_cli.source import Template

Files = dict[str, bytes]
# Where an update keeps what it takes out of a project, by the names that it had.
KEPT = "before-update/"
# What decides how Git writes files, and whether it trusts their modes.
LOCAL = ("core.fileMode", "core.autocrlf", "core.eol", "core.symlinks")


@dataclass
class Rehearsal:
    """Three states of the files, by their names in the project, and what else happened.

    `old` is what the template gave, `before` what the project made of it, `after` what it would become;
    `ignored` are names of generated files that the project's repository does not hold.
    """

    project: Project
    there: Project
    old: Snapshot
    before: Snapshot
    after: Snapshot
    conflicts: frozenset[str]
    ignored: frozenset[str]
    # Not none where the engine moved into a separate folder.
    handover: Handover | None = None
    kept: list[str] = field(default_factory=list)

    def keep(self, names: Iterable[str]) -> None:
        """Keep what these files were before the update below `before-update/`."""
        for name in names:
            if name in self.before and (kept := self._free(name)):
                self.before[name].write(self.there.folder / kept)
                self.after[kept] = self.before[name]
                self.kept.append(kept)

    def _free(self, name: str) -> str | None:
        """Return a name for a file to keep; None if the same text is kept already."""
        kept, number = KEPT + name, 1
        while there := self._there(kept):
            if there == self.before[name]:
                return None
            number += 1
            kept = f"{KEPT}{name}.{number}"
        return kept

    def _there(self, name: str) -> File | None:
        """Return a file of the outcome, or one that only the project's folder has and not its repository."""
        path = self.project.folder / name
        return self.after.get(name) or (read(path) if path.is_file() else None)

    def carry_out(self) -> None:
        """Do to the project what was done to its clone."""
        with in_plain_words("The update"):
            # The record is last: without it, the project still has the version that it had.
            carry(self.before, self.after, self.project.folder, last=RECORD)
        index.carry(self.there.folder, self.project.folder)


@contextmanager
def rehearsed(
    project: Project, template: Template, version: str, given: Mapping[str, Any]
) -> Iterator[Rehearsal]:
    """Give what an update to a version with other answers would do.

    Raises:
        RefusedError: the update cannot be done.
    """
    recorded, had = project.origin()
    location = without_credentials(recorded)
    with (
        tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name,
        git_settings.configured(git_settings.MERGING),
    ):
        released = render(location, template.commit(had), project.answers, Path(name, "old"))
        old = snapshot(released)
        there = _clone(project, Path(name, "clone"))
        ignored = _bring_ignored(project.folder, there.folder, old)
        engine.bring_ignored(project.folder, there.folder)
        before = snapshot(there.folder)
        if location != recorded:
            _forget(there, recorded, location)
        engine.set_back(there.folder, released)
        apply(there.folder, version, given)
        answers = opened(there.folder).answers
        made = render(location, template.commit(version), answers, Path(name, "fresh"))
        engine.require_whole(there.folder, made, template.shown(version))
        fresh = snapshot(made)
        # Before own files are moved and adapted: what was added has to be there word for word.
        merged = snapshot(there.folder)
        lines.require_kept(old, before, merged, fresh, ignored, there.conflicts())
        handover = hand_over(there.folder, old, before, fresh, moved.table()) if due(old, fresh) else None
        after = snapshot(there.folder)
        for added in after.keys() - before.keys():
            # A file that only the project's folder has, and not its repository, is there all the same.
            if (project.folder / added).is_file():
                before[added] = read(project.folder / added)
                ignored.add(added)
        conflicts = frozenset(there.conflicts())
        yield Rehearsal(project, there, old, before, after, conflicts, frozenset(ignored), handover)


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
    return {name: file.text for name, file in snapshot(folder).items()}


def _clone(project: Project, clone: Path) -> Project:
    """Return the project in a clone of its repository that shares what is committed."""
    top = project.top()
    head = git.read(top, "rev-parse", "HEAD")
    git.read(top, "clone", "--quiet", "--shared", "--no-checkout", "--", str(top), str(clone))
    for setting in LOCAL:
        if value := git.run(top, "config", "--local", setting).stdout.decode().strip():
            git.read(clone, "config", setting, value)
    git.read(clone, "checkout", "--quiet", "--detach", head)
    # What is ignored by this list, which is not in any commit, has to be ignored in the clone as well.
    excludes = top / git.read(top, "rev-parse", "--git-path", "info/exclude")
    if excludes.is_file():
        (clone / ".git/info").mkdir(exist_ok=True)
        shutil.copy2(excludes, clone / ".git/info/exclude")
    folder = clone.resolve() / project.folder.relative_to(top.resolve())
    return Project(folder, project.answers, project.location, project.version)


def _forget(there: Project, recorded: str, location: str) -> None:
    """Take the password out of the record of a temporary clone, from which Copier takes the address."""
    text = there.record.read_text(encoding="utf-8")
    there.record.write_text(text.replace(recorded, location), encoding="utf-8")
    git.read(there.folder, "add", "--force", "--", RECORD)
    git.read(there.folder, *engine.COMMIT)


def _bring_ignored(project: Path, clone: Path, generated: Iterable[str]) -> set[str]:
    """Copy generated files that the project has and its repository has not, and return their names."""
    brought = set()
    for name in generated:
        if (project / name).is_file() and not (clone / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, clone / name)
            brought.add(name)
    return brought
