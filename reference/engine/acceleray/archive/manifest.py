"""The manifest of an archive, and the hashes that prove it complete.

`SHA256SUMS` has a line for every other file, so `sha256sum -c SHA256SUMS` checks an archive without any code
of ours. The SHA-256 of that file is the archive's seal: kept elsewhere, it says years later that nothing was
changed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acceleray.counts import counted
from acceleray.errors import PortfolioError
from acceleray.runtime.inputs import file_digest
from acceleray.tables.contract import Column, Table

FORMAT = 1
"""Raised when archives change in a way that older code cannot read."""
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"


def seal(folder: Path) -> str:
    """Write the hashes of every file of an archive, and return the hash of that list."""
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in _names(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    return file_digest(folder / SUMS)


def write(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest of an archive."""
    text = json.dumps({"format": FORMAT, **content}, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8", newline="\n")


def verified(folder: Path) -> tuple[dict[str, Any], str]:
    """Return the manifest of an archive whose every file is what was kept, and its seal.

    Raises:
        PortfolioError: there is none, newer code made it, or a file was changed, added or lost; the message
            names it.
    """
    sums = folder / SUMS
    if not sums.is_file():
        raise PortfolioError(
            f"{folder} is not an archive of a run: it has no {SUMS}; name another folder, or remove it."
        )
    kept: dict[str, str] = {}
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        kept[name] = digest
    there = set(_names(folder))
    if wrong := [
        *sorted(kept.keys() ^ there),
        *(n for n in sorted(there & kept.keys()) if _other(folder, n, kept)),
    ]:
        how = "has changed since it was archived" if wrong[0] in there else "is gone"
        how = how if wrong[0] in kept else "was added"
        more = f", and {counted(len(wrong) - 1, 'other file')} as well" if len(wrong) > 1 else ""
        raise PortfolioError(
            f"The archive {folder} is damaged: {wrong[0]} {how}{more}; take another copy of the archive."
        )
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if content["format"] > FORMAT:
        raise PortfolioError(
            f"The archive {folder} has format {content['format']}, this engine reads {FORMAT}; update it."
        )
    return content, file_digest(sums)


def declared(table: Table) -> dict[str, Any]:
    """Return a declaration as JSON knows it, so that it outlives the code."""
    return asdict(table)


def table_of(content: dict[str, Any]) -> Table:
    """Return the declaration that `declared` has written down."""
    columns = tuple(Column(**column) for column in content["columns"])
    checks = tuple((name, condition) for name, condition in content["checks"])
    return Table(**{**content, "columns": columns, "key": tuple(content["key"]), "checks": checks})


def digest_of(parts: list[str]) -> str:
    """Return a short digest of texts, for the name of a folder."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _names(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path != folder / SUMS)
    return sorted(path.relative_to(folder).as_posix() for path in files)


def _other(folder: Path, name: str, kept: dict[str, str]) -> bool:
    return file_digest(folder / name) != kept[name]
