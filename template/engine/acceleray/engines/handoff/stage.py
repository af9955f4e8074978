"""The stage: a private folder for rows on their way, removed at the end, swept if its run was killed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from acceleray.settings import Settings
from acceleray.settings.topology import in_catalog

_PREFIX = "stage"
_OLDEST_S = 3 * 24 * 3600.0


@contextmanager
def new_stage(settings: Settings) -> Iterator[Path]:
    """Yield a new folder that only this user can read, and remove it whatever happens."""
    settings.stage_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{_PREFIX}-{_host()}-{os.getpid()}-"
    # mkdtemp makes the folder with mode 0700.
    folder = Path(tempfile.mkdtemp(prefix=name, dir=settings.stage_dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_stages(settings: Settings) -> tuple[str, ...]:
    """Remove stages of dead processes of this machine, and any older than 3 days, and return their names.

    Whether a process on another machine is alive cannot be seen from here; hence the age.
    """
    if not settings.stage_dir.is_dir():
        return ()
    left = [folder for folder in sorted(settings.stage_dir.glob(f"{_PREFIX}-*")) if _abandoned(folder)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(folder.name for folder in left)


def spark_path(settings: Settings, path: Path) -> str:
    """Return a path as Spark's writers take it."""
    # Without a scheme Spark would look in its default file system; a volume of Databricks has none.
    return path.as_posix() if in_catalog(settings) else f"file://{path.as_posix()}"


def spark_pattern(settings: Settings, path: Path) -> str:
    """Return a path as Spark's readers take it: as a pattern that fits nothing but this path."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", spark_path(settings, path))


def _abandoned(folder: Path) -> bool:
    try:
        changed = folder.stat().st_mtime
    except OSError:
        return False
    if time.time() - changed > _OLDEST_S:
        return True
    parts = folder.name.rsplit("-", 2)
    if len(parts) != 3 or parts[0] != f"{_PREFIX}-{_host()}" or not parts[1].isdigit():
        return False
    try:
        # A process that began well after the last change has only inherited the number.
        return psutil.Process(int(parts[1])).create_time() > changed + 60
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())
