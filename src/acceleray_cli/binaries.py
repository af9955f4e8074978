"""Files that no merge of lines can treat: edited ones stay, and the template's go next to them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from acceleray_cli.files import File, Snapshot
from acceleray_cli.moved import ENGINE
from acceleray_cli.project import RECORD

SUFFIX = ".acceleray"
# So far Git looks for a zero byte, by which it tells binary files from text.
LOOKED_AT = 8000


def settle(
    folder: Path, old: Snapshot, before: Snapshot, fresh: Snapshot, ignored: Collection[str]
) -> list[str]:
    """Give edited binaries and links their content back, and return a line for each that both changed.

    Args:
        folder: the updated project, in a temporary clone.
        old: what the recorded version gave.
        before: the project before the update.
        fresh: what the new version gives.
        ignored: names of files that no merge looks at; the report names their edits.
    """
    remarks = []
    for name in _edited(old, before, fresh, ignored):
        before[name].write(folder / name)
        if fresh[name] != old.get(name):
            beside = free(folder, name)
            fresh[name].write(folder / beside)
            links = any(name in files and files[name].link for files in (old, before, fresh))
            what = "a link" if links else "a binary file"
            remarks.append(
                f"{name}: yours stays, because {what} cannot be merged; "
                f"the version of the template is {beside}"
            )
    return remarks


def free(folder: Path, name: str) -> str:
    """Return the name that a file of the project gets next to one that stays."""
    wanted, number = name + SUFFIX, 1
    while os.path.lexists(folder / wanted):
        number += 1
        wanted = f"{name}{SUFFIX}.{number}"
    return wanted


def _edited(old: Snapshot, before: Snapshot, fresh: Snapshot, ignored: Collection[str]) -> Iterator[str]:
    for name in sorted((before.keys() & fresh.keys()) - {RECORD, *ignored}):
        three = [files[name] for files in (old, before, fresh) if name in files]
        if name.startswith(ENGINE) or before[name] in (old.get(name), fresh[name]):
            continue
        if (
            any(_binary(file) for file in three)
            or len({file.link for file in three}) > 1
            or before[name].link
        ):
            yield name


def _binary(file: File) -> bool:
    return b"\0" in file.content[:LOOKED_AT]
