"""A generated project as it stands: its recorded answers, its repository, its open conflicts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from acceleray_cli import git
from acceleray_cli.answers import Answers, read_file
from acceleray_cli.refusals import RefusedError

RECORD = ".copier-answers.yml"
# Copier writes these lines around the two sides of a conflict.
MARKERS = "^(<<<<<<< before updating|>>>>>>> after updating)"


@dataclass(frozen=True)
class Project:
    """A project and its record: the answers, and the template's place and version if it had any."""

    folder: Path
    answers: Answers
    location: str | None
    version: str | None

    @property
    def record(self) -> Path:
        """Return the file in which Copier recorded the answers."""
        return self.folder / RECORD

    def top(self) -> Path:
        """Return the root of the repository: the project's own folder, or the one of a monorepo around it.

        Raises:
            RefusedError: there is no repository, or nothing is committed yet.
        """
        top = git.top_of(self.folder)
        if top is None:
            raise RefusedError(
                f"{self.folder} is not in a Git repository, which an update needs to tell your edits from the"
                " template's; run git init, git add --all and git commit."
            )
        if not self.folder.resolve().is_relative_to(top.resolve()):
            raise RefusedError(
                f"The files of the repository in {self.folder} are in {top} by its setting core.worktree;"
                " remove it with git config --unset core.worktree."
            )
        if git.run(self.folder, "rev-parse", "--verify", "--quiet", "HEAD").returncode:
            raise RefusedError(f"Nothing is committed in {top} yet; commit the project first.")
        return top

    def origin(self) -> tuple[str, str]:
        """Return the template's place and the version that the project has.

        Raises:
            RefusedError: they are not recorded.
        """
        if self.location is None or self.version is None:
            raise RefusedError(
                f"{self.record} names no version of a template, because the project was not"
                " generated from a Git repository; generate it again from a clone to have updates."
            )
        return self.location, self.version

    def conflicts(self) -> list[str]:
        """Return the files that have conflicts nobody has resolved, committed or not."""
        if git.top_of(self.folder) is None:
            return []
        unmerged = git.names(self.folder, "diff", "--relative", "--name-only", "--diff-filter=U", "-z")
        marked = git.names(self.folder, "grep", "--name-only", "-z", "-E", "-e", MARKERS)
        rejected = git.names(self.folder, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.rej")
        return sorted({*unmerged, *marked, *rejected})

    @contextmanager
    def in_record(self, given: Collection[str] = ()) -> Iterator[None]:
        """Let refusals name the record, but for lines on answers that were given with the command."""
        try:
            yield
        except RefusedError as refusal:
            told = [line.partition(":")[0] in given for line in refusal.lines]
            lines = zip(told, refusal.lines, strict=True)
            shown = (line if known else f"{self.record}: {line}" for known, line in lines)
            raise RefusedError(*shown) from refusal

    def require_clean(self) -> None:
        """Refuse a project with changes that are not committed, because an update would mix with them."""
        if changed := git.names(self.folder, "status", "--porcelain", "-z", "--", "."):
            raise RefusedError(
                f"{self.folder} has {len(changed)} change{'s' if len(changed) > 1 else ''} that"
                f" {'are' if len(changed) > 1 else 'is'} not committed; commit or stash first."
            )


def opened(folder: Path) -> Project:
    """Return the project in a folder.

    Raises:
        RefusedError: there is none, or its record cannot be read.
    """
    record = folder / RECORD
    if not record.is_file():
        raise RefusedError(f"{folder} is not a generated project: it has no {RECORD}; {_instead(folder)}")
    answers = read_file(record)
    loaded = yaml.safe_load(record.read_text(encoding="utf-8")) or {}
    location, version = (str(loaded[name]) if name in loaded else None for name in ("_src_path", "_commit"))
    return Project(folder.resolve(), answers, location, version)


def _instead(folder: Path) -> str:
    top = git.top_of(folder) if folder.is_dir() else None
    if top:
        around = (parent for parent in folder.resolve().parents if parent.is_relative_to(top.resolve()))
        if project := next((parent for parent in around if (parent / RECORD).is_file()), None):
            return f"it is a folder of the project {project}; run the command there."
        return f'acceleray adopt "{folder}" puts a project into this repository.'
    return "generate one with acceleray new."
