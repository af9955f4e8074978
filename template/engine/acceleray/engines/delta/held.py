"""Rows of a source or run in a table, as recorded by commits in the Delta log.

Every commit of `Lake` records the rows and the fingerprint of its whole scope. The log is read backwards to
the newest such record, past commits that changed no row (OPTIMIZE, VACUUM, properties) and those of other
scopes. Where it finds anything else it does not answer, and the rows themselves are counted and hashed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceleray.engines.delta.content import EMPTY, Content, hashed_by
from acceleray.engines.delta.log import LoggedFile, UnreadableLogError, logged
from acceleray.tables.contract import Table

_FILES = ("add", "remove", "cdc")
# How many commits are looked at: beyond these the rows are counted sooner than the log is read.
_AMONG = 300


@dataclass(frozen=True)
class Record:
    """Record of a commit about its scope.

    Attributes:
        scope: the source or run.
        content: of all its rows after the commit.
        hashed: how they are hashed, see `hashed_by`.
        base: the version that `content` builds on; None where the commit replaced the whole scope.
    """

    scope: str
    content: Content
    hashed: str
    base: int | None = None

    @property
    def text(self) -> str:
        """Return what is given to Delta as `userMetadata`."""
        known = {"scope": self.scope, "rows": self.content.rows, "fingerprint": self.content.fingerprint}
        known["hashed"] = self.hashed
        return json.dumps(known if self.base is None else {**known, "base": self.base})


def record(table: Table, scope: str, content: Content, base: int | None = None) -> Record:
    """Return what a commit of this table records of a scope."""
    return Record(scope, content, hashed_by(table), base)


def held(folder: Path, table: Table, scope: str, version: int) -> Content | None:
    """Return what a scope holds at a version, or None where the log does not say or is contradicted by files.

    Args:
        folder: of the table.
        table: the declaration.
        scope: value of the table's scope column.
        version: of which version.
    """
    try:
        log = logged(folder, version, table.scope)
    except (UnreadableLogError, FileNotFoundError):
        return None
    if log.reader_version != 1:
        # Rows may be marked as deleted in files that still count them.
        return None
    files = [file for file in log.files if file.may_hold(scope)]
    if not files:
        return EMPTY
    found = _recorded(folder / "_delta_log", scope, hashed_by(table), version)
    return found if found is not None and _borne_out(folder, files, scope, found) else None


def _recorded(log: Path, scope: str, hashed: str, version: int) -> Content | None:
    """Return what the newest record of a scope says, unless its rows may have changed since."""
    newest: Record | None = None
    first = max(0, version - _AMONG + 1)
    for number in range(version, first - 1, -1):
        if newest is not None and newest.base is not None and number <= newest.base:
            return newest.content
        try:
            changed, told = _commit(log / f"{number:020d}.json")
        except (OSError, ValueError, AttributeError, TypeError):
            # Kept no longer so far back, or damaged.
            return None
        if not changed:
            continue
        if told is None:
            # Somebody else changed rows, of whichever scope.
            return None
        if told.scope != scope:
            continue
        if newest is not None or told.hashed != hashed:
            return None
        if told.base is None:
            return told.content
        newest = told
    # A table begins with no row.
    return EMPTY if newest is None and first == 0 else None


def _commit(path: Path) -> tuple[bool, Record | None]:
    """Return whether a commit changed rows, and what it records."""
    changed, told = False, None
    for line in path.read_text(encoding="utf-8").splitlines():
        action = json.loads(line)
        # Delta takes rows for changed where a file does not say that they are not.
        changed = changed or any(action[kind].get("dataChange", True) for kind in _FILES if kind in action)
        if "commitInfo" in action:
            told = _told(action["commitInfo"].get("userMetadata"))
    return changed, told


def _told(metadata: Any) -> Record | None:
    try:
        known = json.loads(metadata)
        content = Content(int(known["rows"]), int(known["fingerprint"], 16))
        base = known.get("base")
        return Record(
            str(known["scope"]), content, str(known.get("hashed")), None if base is None else int(base)
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        # Somebody else's.
        return None


def _borne_out(folder: Path, files: Sequence[LoggedFile], scope: str, found: Content) -> bool:
    """Return whether the files of a scope are there, as long as the log says, and hold as many rows."""
    for file in files:
        if ":" in file.name or file.name.startswith("/") or file.bytes is None:
            return False
        with suppress(OSError):
            if (folder / file.name).stat().st_size == file.bytes:
                continue
        return False
    if not all(file.holds_only(scope) for file in files):
        return True
    return sum(file.rows or 0 for file in files) == found.rows
