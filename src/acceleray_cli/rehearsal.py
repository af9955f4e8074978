"""Run an update in a clone of the project: a preview looks at the outcome, and an update carries it over."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from copier import Settings, run_update
from copier.errors import CopierWarning

from acceleray_cli import (
    binaries,
    clone,
    copies,
    engine,
    git_settings,
    index,
    interruption,
    lines,
    moved,
    obstacles,
    quick,
)
from acceleray_cli.addresses import whole_without_credentials
from acceleray_cli.files import File, Snapshot, carry, read, snapshot
from acceleray_cli.handover import Handover, due, hand_over
from acceleray_cli.moved import ENGINE
from acceleray_cli.new import render
from acceleray_cli.project import RECORD, Project, opened
from acceleray_cli.refusals import RefusedError, in_plain_words
from acceleray_cli.source import Template

Files = dict[str, bytes]
# Where an update keeps what it takes out of a project, by the names that it had.
KEPT = "before-update/"


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
    # Names of files that have the line breaks of Windows in the project, and those of Unix here.
    windows: set[str]
    # Lines on what is left to do by hand.
    remarks: list[str]
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
                if name in self.windows:
                    self.windows.add(kept)

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
        return self.after.get(name) or (clone.in_unix(read(path))[0] if path.is_file() else None)

    def carry_out(self) -> None:
        """Do to the project what was done to its clone, all of it or nothing."""
        before, after = self._as_in_the_project(self.before), self._as_in_the_project(self.after)
        folder = self.project.folder
        with in_plain_words("The update"), interruption.noted(self.project, before, after):
            entries = index.entries(self.there.folder, folder, self.windows)
            try:
                # The record is last: without it, the project still has the version that it had.
                carry(before, after, folder, last=RECORD)
                index.put(folder, entries)
            except BaseException:
                carry(after, before, folder, last=RECORD, again=True)
                raise

    def _as_in_the_project(self, files: Snapshot) -> Snapshot:
        return {
            name: clone.in_windows(file) if name in self.windows else file for name, file in files.items()
        }


@contextmanager
def rehearsed(
    project: Project, template: Template, version: str, given: Mapping[str, Any]
) -> Iterator[Rehearsal]:
    """Give what an update to a version with other answers would do.

    Raises:
        RefusedError: the update cannot be done.
    """
    recorded, had = project.origin()
    location = whole_without_credentials(recorded)
    with (
        tempfile.TemporaryDirectory(prefix="acceleray-", ignore_cleanup_errors=True) as name,
        copies.copying(),
    ):
        scratch = Path(name)
        released = render(location, template.commit(had), project.answers, scratch / "old")
        old = snapshot(released)
        # What the project's folder has is asked of Git as its owner has set it up; all else is not.
        there, windows, aside = clone.cloned(project, scratch, old)
        with git_settings.configured(git_settings.MERGING):
            ignored = clone.bring_ignored(project.folder, there, old)
            before = {**snapshot(there.folder), **aside, **engine.ignored(project.folder, aside)}
            if location != recorded:
                clone.forget(there, recorded, location)
            try:
                with clone.bytes_kept(scratch):
                    apply(there.folder, version, given)
            except (RefusedError, AssertionError):
                # Copier's words name no file of the project, or are none at all.
                answers = {**project.answers, **given}
                wanted = render(location, template.commit(version), answers, scratch / "wanted")
                obstacles.require_none(snapshot(wanted), project.folder)
                raise
            answers = opened(there.folder).answers
            made = render(location, template.commit(version), answers, scratch / "fresh")
            fresh = snapshot(made)
            engine.put_in(there.folder, made)
            engine.require_whole(there.folder, fresh, template.shown(version))
            remarks = binaries.settle(there.folder, old, before, fresh, ignored)
            # Before own files are moved and adapted: what was added has to be there word for word.
            lines.require_kept(old, before, snapshot(there.folder), fresh, ignored, there.conflicts())
            handover = hand_over(there.folder, old, before, fresh, moved.table()) if due(old, fresh) else None
            after = snapshot(there.folder)
            conflicts = frozenset(there.conflicts())
        if handover:
            windows |= {to for name, to in handover.moved.items() if name in windows}
            remarks += handover.remarks
        obstacles.require_none(
            after.keys() - before.keys(), project.folder, going=before.keys() - after.keys()
        )
        for added in after.keys() - before.keys():
            # A file that only the project's folder has, and not its repository, is there all the same.
            path = project.folder / added
            if path.is_file() or path.is_symlink():
                before[added], breaks = clone.in_unix(read(path))
                windows |= {added} if breaks else set()
                ignored.add(added)
        yield Rehearsal(
            *(project, there, old, before, after, conflicts, frozenset(ignored), windows, remarks, handover)
        )


def apply(folder: Path, version: str, given: Mapping[str, Any]) -> None:
    """Update the project in a folder with Copier, but for engine/.

    Raises:
        RefusedError: Copier refused.
    """
    with (
        in_plain_words("The update"),
        warnings.catch_warnings(),
        quick.writing(folder),
        quick.without(ENGINE.rstrip("/")),
    ):
        warnings.simplefilter("ignore", CopierWarning)
        run_update(
            folder,
            data=dict(given),
            vcs_ref=version,
            # Most files of a project are in it, and Copier renders each three times.
            exclude=[f"/{ENGINE.rstrip('/')}"],
            defaults=True,
            overwrite=True,
            quiet=True,
            settings=Settings(),
        )


def contents(folder: Path) -> Files:
    """Return every file under a folder, without the repository's own, with the line breaks of Unix."""
    return {name: file.text for name, file in snapshot(folder).items()}
