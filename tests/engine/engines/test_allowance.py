"""What a container and the operating system leave to a process is read where each of them says it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from acceleray.engines.processes import allowance


def group(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 8),
        ({"cpu_dot_max": "max 100000\n"}, 8),
        ({"cpu_dot_max": "250000 100000\n"}, 3),
        ({"cpu_dot_max": "20000 100000\n"}, 1),
        ({"cpu_dot_max": "6400000 100000\n"}, 8),
        ({"cpu__cpu_dot_cfs_quota_us": "150000", "cpu__cpu_dot_cfs_period_us": "100000"}, 2),
        ({"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "100000"}, 8),
    ],
)
def test_no_more_processors_are_used_than_the_quota_of_a_container_has(
    files: dict[str, str], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert allowance.processors(group(tmp_path, **files)) == count


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, None),
        ({"memory_dot_max": "max", "memory_dot_current": "5"}, None),
        ({"memory_dot_max": "900", "memory_dot_current": "400"}, 500),
        (
            {"memory_dot_max": "900", "memory_dot_current": "400", "memory_dot_stat": "inactive_file 100\n"},
            600,
        ),
        (
            {
                "memory__memory_dot_limit_in_bytes": "900",
                "memory__memory_dot_usage_in_bytes": "700",
                "memory__memory_dot_stat": "total_inactive_file 50\n",
            },
            250,
        ),
        (
            {
                "memory__memory_dot_limit_in_bytes": "9223372036854771712",
                "memory__memory_dot_usage_in_bytes": "700",
            },
            None,
        ),
    ],
)
def test_memory_is_what_the_limit_of_a_container_leaves(
    files: dict[str, str], left: int | None, tmp_path: Path
) -> None:
    assert allowance.memory_left(group(tmp_path, **files)) == left


def test_another_folder_is_taken_where_nothing_can_be_loaded_from_tmp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allowance.temporary_folder() == Path("/tmp")
    real = os.statvfs

    def noexec(folder: Path) -> object:
        return SimpleNamespace(f_flag=os.ST_NOEXEC) if Path(folder) == Path("/tmp") else real(folder)

    monkeypatch.setattr(os, "statvfs", noexec)
    monkeypatch.setattr(allowance.tempfile, "gettempdir", lambda: str(tmp_path))
    assert not allowance.runs_programs(Path("/tmp"))
    assert allowance.temporary_folder() == tmp_path


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        (
            "0::/user.slice/job.scope\n",
            {
                "user.slice/cpu.max": "300000 100000",
                "user.slice/job.scope/cpu.max": "max 100000",
                "user.slice/job.scope/memory.max": "900",
                "user.slice/job.scope/memory.current": "300",
                "system.slice/cpu.max": "100000 100000",
            },
        ),
        (
            "3:cpu,cpuacct:/slurm/job_7\n2:memory:/slurm/job_7\n1:name=systemd:/elsewhere\n",
            {
                "cpu/slurm/job_7/cpu.cfs_quota_us": "300000",
                "cpu/slurm/job_7/cpu.cfs_period_us": "100000",
                "memory/slurm/job_7/memory.limit_in_bytes": "900",
                "memory/slurm/job_7/memory.usage_in_bytes": "300",
                "cpu/elsewhere/cpu.cfs_quota_us": "100000",
                "cpu/elsewhere/cpu.cfs_period_us": "100000",
            },
        ),
    ],
)
def test_limits_of_a_job_count_as_those_of_a_container_do(
    membership: str, files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(allowance, "MEMBERSHIP", tmp_path / "membership")
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert allowance.processors(tmp_path) == 3
    assert allowance.memory_left(tmp_path) == 600
