"""Whether every line that somebody added is still there after a merge; if not, nothing is carried over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from acceleray_cli.files import File, Snapshot
from acceleray_cli.moved import ENGINE
from acceleray_cli.project import RECORD
from acceleray_cli.refusals import RefusedError


def require_kept(
    old: Snapshot,
    before: Snapshot,
    after: Snapshot,
    fresh: Snapshot,
    ignored: Collection[str],
    conflicts: Collection[str],
) -> None:
    """Refuse an update that would lose edits in a file which it says to keep.

    Args:
        old: what the recorded version gave.
        before: the project before the update.
        after: the project after it, both texts of a conflict in it.
        fresh: what the new version gives.
        ignored: names of files that no merge looks at; the report names their edits.
        conflicts: names of files with conflicts.

    Raises:
        RefusedError: one line for each such file, with the first line that would go.
    """
    problems = []
    for name in sorted((before.keys() & after.keys()) - {RECORD, *ignored}):
        if name.startswith(ENGINE):
            continue
        gone = _gone(old.get(name), before[name], after[name])
        if gone:
            shown = next(iter(gone)).decode(errors="replace").rstrip("\n")
            problems.append(
                f"{name} would lose {gone.total()} line{'s' if gone.total() > 1 else ''} of yours,"
                f" first {shown!r}, so nothing was changed; report it with the settings of"
                " git config --list that change how Git merges."
            )
        elif name not in conflicts and _deletions_are_back(old, before, after, fresh, name):
            problems.append(
                f"{name} would restore lines that you deleted, so nothing was changed; report it"
                " with the settings of git config --list that change how Git merges."
            )
    if problems:
        raise RefusedError(*problems)


def _gone(old: File | None, before: File, after: File) -> Counter[bytes]:
    """Return the lines that were added to what the template gave, and are not there any more."""
    added = _lines(before) - (_lines(old) if old else Counter())
    return added - _lines(after)


def _deletions_are_back(old: Snapshot, before: Snapshot, after: Snapshot, fresh: Snapshot, name: str) -> bool:
    """Return whether a file is as in a new project although lines had been deleted that are still in it."""
    if name not in old or name not in fresh or _lines(after[name]) != _lines(fresh[name]):
        return False
    return any(
        _lines(fresh[name])[line] >= count for line, count in _deleted(old[name], before[name]).items()
    )


def _deleted(old: File, before: File) -> Counter[bytes]:
    """Return the lines of which the project has fewer, with the number that the template gave of each."""
    given = _lines(old)
    return Counter({line: given[line] for line in given - _lines(before)})


def _lines(file: File) -> Counter[bytes]:
    # The last line may lack its line break, and gets one when something follows.
    return Counter(line + b"\n" for line in file.content.split(b"\n"))
