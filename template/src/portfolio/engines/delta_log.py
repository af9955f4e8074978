"""The Delta log of a table on this machine: its newest version, and which version a commit became.

Asking Spark for the history takes a job of its own, once for every table that a run reads and every commit.
The log is a folder with a numbered file for each version, as Delta's protocol says ("Delta Log Entries").
"""

from __future__ import annotations

import json
import re
from pathlib import Path

# Old commits may be gone once a checkpoint holds what they said, so checkpoints count as well.
_VERSION = re.compile(r"(\d{20})\.(?:json|checkpoint\..*)")


def newest_version(table: Path) -> int:
    """Return the newest version of a table.

    Args:
        table: the table's folder.

    Raises:
        FileNotFoundError: there is no Delta table in the folder.
    """
    found = (_VERSION.fullmatch(path.name) for path in (table / "_delta_log").iterdir())
    versions = [int(match[1]) for match in found if match]
    if not versions:
        raise FileNotFoundError(f"{table} has no version")
    return max(versions)


def version_with(table: Path, metadata: str, among: int = 100) -> int | None:
    """Return the newest version whose commit carries this user metadata, or None.

    Args:
        table: the table's folder.
        metadata: what was given as `userMetadata`.
        among: how many of the newest versions are looked at.
    """
    newest = newest_version(table)
    for version in range(newest, max(newest - among, -1), -1):
        if _user_metadata(table / "_delta_log" / f"{version:020d}.json") == metadata:
            return version
    return None


def _user_metadata(commit: Path) -> str | None:
    if not commit.is_file():
        return None
    with commit.open(encoding="utf-8") as lines:
        for line in lines:
            if "commitInfo" in (action := json.loads(line)):
                metadata: str | None = action["commitInfo"].get("userMetadata")
                return metadata
    return None
