"""Folders of work that outlives a killed run, and the removal of those that nobody came back to."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from contextlib import suppress
from pathlib import Path

from acceleray.settings import Settings

# Unfinished work of a run is removed if it is not resumed for so long.
_OLDEST_S = 7 * 24 * 3600.0


def unfinished_folder(settings: Settings, name: str) -> Path:
    """Return the folder of unfinished work of this name, made if needed; abandoned ones are removed."""
    folder = settings.state_dir / "unfinished" / name
    for other in folder.parent.glob("*") if folder.parent.is_dir() else ():
        if other != folder and _abandoned(other):
            shutil.rmtree(other, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A volume of Databricks may refuse this; its folders are then as old as the youngest file in them.
    with suppress(OSError):
        os.utime(folder)
    return folder


def this_machine(settings: Settings) -> str:
    """Return what tells this machine from others that work on the same state at once, in 12 characters."""
    machine = f"{platform.node()} {settings.machine_dir}"
    return hashlib.sha256(machine.encode()).hexdigest()[:12]


def _abandoned(folder: Path) -> bool:
    try:
        return folder.is_dir() and all(_is_old(path) for path in (folder, *folder.rglob("*")))
    except OSError:
        # Somebody else removes it.
        return False


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _OLDEST_S
