"""Changes that an update makes to a project's own files when the engine moved into a separate folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from acceleray_cli.files import Snapshot, snapshot
from acceleray_cli.imports import Remark, mentions, rewritten
from acceleray_cli.modules import Modules, dotted_name, modules
from acceleray_cli.moved import ENGINE, Moved

# What can name a module: code and settings; prose keeps the words that its owner chose.
CODE = (".ipynb", ".toml", ".yml", ".yaml", ".json", ".cfg", ".ini", ".sh", ".sql")


@dataclass
class Handover:
    """The result: files that moved, files that were adapted, and lines on the work left to do by hand."""

    moved: dict[str, str] = field(default_factory=dict)
    rewritten: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def due(old: Iterable[str], new: Iterable[str]) -> bool:
    """Return whether a release without engine/ is left behind for one that has it."""
    return not _has_engine(old) and _has_engine(new)


def hand_over(folder: Path, old: Snapshot, before: Snapshot, fresh: Snapshot, table: Moved) -> Handover:
    """Move and adapt a project's own files in a folder that Copier has updated.

    Args:
        folder: the project's folder in a temporary clone.
        old: what the old release gave.
        before: the project before the update.
        fresh: what the new release gives with the same answers.
        table: what moved.
    """
    done = Handover()
    for name in sorted(before.keys() - old.keys()):
        if to := _goes(name, table):
            _move(folder, name, to, done)
    after = snapshot(folder)
    where = modules(old, after, done.moved, table)
    came_from = {to: name for name, to in done.moved.items()}
    for name, file in sorted(after.items()):
        if name.startswith(ENGINE) or file.link or fresh.get(name) == file:
            continue
        remarks: list[Remark] = []
        content = file.content
        if name.endswith(".py"):
            content, remarks = rewritten(content, where, _package(came_from.get(name, name)))
        elif name.endswith(CODE):
            content = content if name in old else _with_lines(name, content, table)
            remarks = mentions(content, where)
        if content != file.content:
            (folder / name).write_bytes(content)
            done.rewritten.add(name)
        done.remarks += [f"{name}:{remark}{_hint(remark, where, old)}" for remark in remarks]
    return done


def _has_engine(names: Iterable[str]) -> bool:
    return any(name.startswith(ENGINE) for name in names)


def _goes(name: str, table: Moved) -> str | None:
    """Return the new name of a file of the project's own, if its folder has another one outside engine/."""
    row, place = table.row(name), table.place(name)
    if row is None or place is None or place.path is None or not row.endswith("/"):
        return None
    return None if place.path.startswith(ENGINE) else place.path


def _move(folder: Path, name: str, to: str, done: Handover) -> None:
    if not (folder / name).is_file():
        return
    if (folder / to).exists():
        done.remarks.append(f"{name}: it belongs in {to}, where another file exists; rename it there")
        return
    (folder / to).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).rename(folder / to)
    done.moved[name] = to
    parent = (folder / name).parent
    if not any(parent.iterdir()):
        parent.rmdir()


def _package(name: str) -> str:
    """Return the package in which the imports of a file start that begin with dots."""
    dotted = dotted_name(name) or ""
    return dotted if name.endswith("/__init__.py") else dotted.rpartition(".")[0]


def _with_lines(name: str, content: bytes, table: Moved) -> bytes:
    """Return a file with the lines before others that it needs now."""
    lines = content.split(b"\n")
    for wanted, rule in table.lines.items():
        if not fnmatch(name, rule["files"]):
            continue
        missing = rule["before"].encode()
        kept: list[bytes] = []
        for line in lines:
            if line.strip() == wanted.encode() and (not kept or kept[-1].strip() != missing):
                kept.append(line.replace(wanted.encode(), missing))
            kept.append(line)
        lines = kept
    return b"\n".join(lines)


def _hint(remark: Remark, where: Modules, old: Iterable[str]) -> str:
    """Return why a module is gone, from the table, or nothing."""
    if remark.new:
        return ""
    for part in (remark.old, remark.old.rpartition(".")[0]):
        for name in old:
            if part and dotted_name(name) == part and (place := where.table.place(name)):
                return f": {place.instead}"
    return ""
