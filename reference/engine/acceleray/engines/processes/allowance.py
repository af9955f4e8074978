"""Limits of system and container for this process: processors, memory, executable folders."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

# Limits are kept here (cgroups of version 2, or of version 1 with a folder for each controller): those of a
# container at the top, those of a job (systemd, Slurm) in the folder of its group.
GROUP = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
# Version 1 says "no limit" with a number that no machine has.
_NO_LIMIT = 1 << 60


def processors(group: Path = GROUP) -> int:
    """Return how many processors this process may use: by its affinity, and quotas of container and job."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(group)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def memory_left(group: Path = GROUP) -> int | None:
    """Return the bytes that the limits of container and job leave, None without any; page cache is free."""
    left = [
        _memory_left(folder, *names)
        for controller, *names in (
            ("", "memory.max", "memory.current", "inactive_file"),
            ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        )
        for folder in _groups(group, controller)
    ]
    return min((some for some in left if some is not None), default=None)


def _memory_left(folder: Path, limit: str, used: str, cache: str) -> int | None:
    most, taken = _number(folder / limit), _number(folder / used)
    if most is None or taken is None or most >= _NO_LIMIT:
        return None
    return max(0, most - max(0, taken - _counted(folder / "memory.stat", cache)))


def runs_programs(folder: Path) -> bool:
    """Return whether programs and libraries may be loaded from a folder: it is not mounted `noexec`."""
    try:
        flags = os.statvfs(folder).f_flag
    except (OSError, AttributeError):
        return True
    return not flags & getattr(os, "ST_NOEXEC", 0)


def temporary_folder() -> Path:
    """Return where a run keeps sockets and native libraries: /tmp if that can be, as socket paths are short.

    Else it is the folder that TMPDIR names.
    """
    short = Path("/tmp")
    if short.is_dir() and os.access(short, os.W_OK | os.X_OK) and runs_programs(short):
        return short
    return Path(tempfile.gettempdir())


def _quota(group: Path) -> float | None:
    found = [_quota_v2(folder) for folder in _groups(group, "")]
    found += [_quota_v1(folder) for folder in _groups(group, "cpu")]
    return min((some for some in found if some is not None), default=None)


def _quota_v2(folder: Path) -> float | None:
    try:
        most, period = (folder / "cpu.max").read_text(encoding="ascii").split()[:2]
        return None if most == "max" else int(most) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(folder: Path) -> float | None:
    most, period = (_number(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    return most / period if most and period and most > 0 else None


def _groups(group: Path, controller: str) -> list[Path]:
    """Return the folders whose limits count for this process: the top, and each group that it is in."""
    top = group / controller
    folders = [top]
    try:
        lines = MEMBERSHIP.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return folders
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controller in controllers.split(","):
            # Seen from inside a container, this may be the name that a group has outside of it.
            parts = [part for part in path.split("/") if part]
            folders += [top.joinpath(*parts[: number + 1]) for number in range(len(parts))]
    return folders


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _counted(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return 0
    found = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return int(found[0]) if found and found[0].isdigit() else 0
