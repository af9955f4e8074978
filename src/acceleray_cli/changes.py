"""Say of each file what an update would do to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from acceleray_cli.project import RECORD
from acceleray_cli.rehearsal import Files, Rehearsal

ADDED = "added"
UPDATED = "updated"
MERGED = "merged"
CONFLICT = "conflict"
DELETED = "deleted"
UNCHANGED = "unchanged"
LOST_DELETED = "edited and about to be deleted"
LOST_RENAMED = "edited and about to be renamed"
LOST_OVERWRITTEN = "edited, not in Git, and about to be overwritten"
# Edits end here without a trace in the new files, so somebody has to agree.
LOSSES = (LOST_DELETED, LOST_RENAMED, LOST_OVERWRITTEN)
ORDER = (*LOSSES, CONFLICT, MERGED, UPDATED, ADDED, DELETED, UNCHANGED)
# How much of a file has to be found again in another for that one to be the same under a new name.
# Notebooks and jobs of two workloads are up to 0.84 alike and are no new names for each other.
ALIKE = 0.9


@dataclass(frozen=True)
class Change:
    """What happens to one file; `to` is its new name if it gets one."""

    state: str
    name: str
    to: str | None = None

    def __str__(self) -> str:
        """Return the line that people read."""
        return f"{self.state}: {self.name}{f' -> {self.to}' if self.to else ''}"


def changes(rehearsal: Rehearsal) -> list[Change]:
    """Return what happens to each file that the template made or that changes, worst first."""
    old, before, after = rehearsal.old, rehearsal.before, rehearsal.after
    names = {
        name for name in before.keys() | after.keys() if name in old or before.get(name) != after.get(name)
    }
    new_names = {name: after[name] for name in after.keys() - before.keys()}
    found = []
    for name in names:
        state = _state(name, rehearsal)
        to = None
        if state == LOST_DELETED and (to := _same(old.get(name, before[name]), new_names)):
            state = LOST_RENAMED
        found.append(Change(state, name, to))
    return sorted(found, key=lambda change: (ORDER.index(change.state), change.name))


def _state(name: str, rehearsal: Rehearsal) -> str:
    old, before, after = rehearsal.old, rehearsal.before, rehearsal.after
    edited = name != RECORD and name in before and before[name] != old.get(name)
    if name not in before:
        return CONFLICT if name in rehearsal.conflicts else ADDED
    if name not in after:
        return LOST_DELETED if edited else DELETED
    if before[name] == after[name]:
        return UNCHANGED
    if name in rehearsal.conflicts:
        return CONFLICT
    if edited and name in rehearsal.ignored:
        return LOST_OVERWRITTEN
    return MERGED if edited else UPDATED


def _same(content: bytes, others: Files) -> str | None:
    """Return the new file that is the old one under another name, or None."""
    best, likeness = None, ALIKE
    lines = content.splitlines()
    for other in sorted(others):
        matcher = SequenceMatcher(None, lines, others[other].splitlines(), autojunk=False)
        if matcher.quick_ratio() >= likeness and (ratio := matcher.ratio()) >= likeness:
            best, likeness = other, ratio
    return best


def losses(found: Iterable[Change]) -> list[Change]:
    """Return the changes that would end somebody's edits."""
    return [change for change in found if change.state in LOSSES]


def summary(found: Iterable[Change]) -> str:
    """Return how many files each thing happens to, in one line."""
    counts = Counter("with lost edits" if change.state in LOSSES else change.state for change in found)
    order = ("with lost edits", CONFLICT, MERGED, UPDATED, ADDED, DELETED, UNCHANGED)
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state])
