"""Limits of system and container for this process: processors, memory, executable folders."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

# A container has its own limits at the top of it (cgroups of version 2, or a folder for each in version 1).
GROUP = Path("/sys/fs/cgroup")
# Version 1 says "no limit" with a number that no machine has.
_NO_LIMIT = 1 << 60


def processors(group: Path = GROUP) -> int:
    """Return how many processors this process may use: by its affinity, and by the quota of its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(group)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def memory_left(group: Path = GROUP) -> int | None:
    """Return the bytes that the container's limit leaves, None without a limit; page cache counts as free."""
    for limit, used, stat, cache in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        most, taken = _number(group / limit), _number(group / used)
        if most is None or taken is None or most >= _NO_LIMIT:
            continue
        return max(0, most - max(0, taken - _counted(group / stat, cache)))
    return None


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
    try:
        most, period = (group / "cpu.max").read_text(encoding="ascii").split()[:2]
        return None if most == "max" else int(most) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        pass
    most_v1, period_v1 = (_number(group / f"cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
    return most_v1 / period_v1 if most_v1 and period_v1 and most_v1 > 0 else None


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
