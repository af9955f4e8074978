"""Say of each file what an update would do to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from acceleray_cli import moved
from acceleray_cli.files import File, Snapshot
from acceleray_cli.moved import ENGINE
from acceleray_cli.project import RECORD
from acceleray_cli.rehearsal import Rehearsal

ADDED = "added"
UPDATED = "updated"
MERGED = "merged"
CONFLICT = "conflict"
DELETED = "deleted"
UNCHANGED = "unchanged"
# Where the engine moved into a separate folder: the project's own files, and the code in them.
MOVED = "moved"
ADAPTED = "adapted to names that moved"
LOST_DELETED = "edited and about to be deleted"
LOST_RENAMED = "edited and about to be renamed"
LOST_OVERWRITTEN = "edited, not in Git, and about to be overwritten"
LOST_MOVED = "edited and now in the engine"
LOST_LEFT = "edited and no longer in a project"
ENGINE_EDITED = "edited in the engine, and about to be as released"
ENGINE_ADDED = "added to the engine, and about to go"
ENGINE_DELETED = "deleted from the engine, and about to come back"
# Edits end here without a trace in the new files, so somebody has to agree.
LOSSES = (
    *(ENGINE_EDITED, ENGINE_ADDED, ENGINE_DELETED),
    *(LOST_MOVED, LOST_LEFT, LOST_DELETED, LOST_RENAMED, LOST_OVERWRITTEN),
)
ORDER = (*LOSSES, CONFLICT, MERGED, MOVED, ADAPTED, UPDATED, ADDED, DELETED, UNCHANGED)
# How much of a file has to be found again in another for that one to be the same under a new name.
# Notebooks and jobs of two workloads are up to 0.84 alike and are no new names for each other.
ALIKE = 0.9


@dataclass(frozen=True)
class Change:
    """The change of one file: its new name if it gets one, and the supported way instead of an edit."""

    state: str
    name: str
    to: str | None = None
    instead: str = ""

    def __str__(self) -> str:
        """Return the line that people read."""
        to = f" -> {self.to}" if self.to else ""
        return f"{self.state}: {self.name}{to}{f'; instead: {self.instead}' if self.instead else ''}"


def changes(rehearsal: Rehearsal) -> list[Change]:
    """Return what happens to each file that the template made or that changes, worst first.

    What would be lost is kept below `before-update/`, and these files are among the new ones.
    """
    found = [_change(name, rehearsal) for name in _names(rehearsal)]
    rehearsal.keep(
        change.name for change in sorted(found, key=lambda change: change.name) if _is_loss(change)
    )
    found += [Change(ADDED, name) for name in rehearsal.kept]
    return sorted(found, key=lambda change: (ORDER.index(change.state), change.name))


def _names(rehearsal: Rehearsal) -> set[str]:
    old, before, after = rehearsal.old, rehearsal.before, rehearsal.after
    came = set(rehearsal.handover.moved.values()) if rehearsal.handover else set()
    return {
        name
        for name in before.keys() | after.keys() | {name for name in old if name.startswith(ENGINE)}
        if (name in old or before.get(name) != after.get(name)) and name not in came
    }


def _change(name: str, rehearsal: Rehearsal) -> Change:
    before, after = rehearsal.before, rehearsal.after
    if name.startswith(ENGINE) and (state := _engine_state(name, rehearsal)):
        return Change(state, name, instead=moved.table().instead(name))
    if rehearsal.handover and name in rehearsal.handover.moved:
        return Change(MOVED, name, rehearsal.handover.moved[name])
    state = _state(name, rehearsal)
    if state != LOST_DELETED:
        return Change(state, name)
    if rehearsal.handover and (place := moved.table().place(name)):
        return Change(LOST_MOVED if place.path else LOST_LEFT, name, place.path, place.instead)
    new_names = {name: after[name] for name in after.keys() - before.keys()}
    to = _same(rehearsal.old.get(name, before[name]).text, new_names)
    return Change(LOST_RENAMED if to else LOST_DELETED, name, to)


def _engine_state(name: str, rehearsal: Rehearsal) -> str | None:
    """Return what somebody did to a file of the engine that an update ends, or None."""
    old, before, after = (files.get(name) for files in (rehearsal.old, rehearsal.before, rehearsal.after))
    if _same_text(before, after) or _same_text(before, old):
        return None
    if old is None:
        return ENGINE_ADDED
    return ENGINE_EDITED if before else ENGINE_DELETED


def _same_text(one: File | None, other: File | None) -> bool:
    return (one and (one.content, one.link)) == (other and (other.content, other.link))


def _state(name: str, rehearsal: Rehearsal) -> str:
    old, before, after = rehearsal.old, rehearsal.before, rehearsal.after
    edited = name != RECORD and name in before and not _same_text(before[name], old.get(name))
    if name not in before:
        return CONFLICT if name in rehearsal.conflicts else ADDED
    if name not in after:
        return LOST_DELETED if edited else DELETED
    if _same_text(before[name], after[name]):
        return UNCHANGED
    if name in rehearsal.conflicts:
        return CONFLICT
    if edited and name in rehearsal.ignored:
        return LOST_OVERWRITTEN
    if rehearsal.handover and name not in old and name in rehearsal.handover.rewritten:
        return ADAPTED
    return MERGED if edited else UPDATED


def _same(content: bytes, others: Snapshot) -> str | None:
    """Return the new file that is the old one under another name, or None."""
    best, likeness = None, ALIKE
    lines = content.splitlines()
    for other in sorted(others):
        matcher = SequenceMatcher(None, lines, others[other].text.splitlines(), autojunk=False)
        if matcher.quick_ratio() >= likeness and (ratio := matcher.ratio()) >= likeness:
            best, likeness = other, ratio
    return best


def losses(found: Iterable[Change]) -> list[Change]:
    """Return the changes that would end somebody's edits."""
    return [change for change in found if _is_loss(change)]


def _is_loss(change: Change) -> bool:
    return change.state in LOSSES


def summary(found: Iterable[Change]) -> str:
    """Return how many files each thing happens to, in one line."""
    counts = Counter("with lost edits" if _is_loss(change) else change.state for change in found)
    order = ("with lost edits", *ORDER[len(LOSSES) :])
    return ", ".join(f"{counts[state]} {state}" for state in order if counts[state])
