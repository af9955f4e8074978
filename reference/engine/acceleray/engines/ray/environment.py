"""Environment of Ray processes in every profile: a token, one thread per task, no usage statistics."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import acceleray
from acceleray.engines.ray.private import reread

# Every task is one thread: the fan-out is the parallelism, and one thread gives the same bits everywhere.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
LOOPBACK = "127.0.0.1"


def ray_environment() -> dict[str, str]:
    """Return the variables of a new Ray cluster; the token in them is new and written nowhere else."""
    return ONE_THREAD | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray on Spark would announce every node that comes or goes in the middle of a run's own lines.
        "RAY_SCHEDULER_EVENTS": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        # A worker has the niceness 15: beside other work on one core it needs more than a minute to start.
        # After a minute Ray gives it up, and then waits for it for ever.
        "RAY_worker_register_timeout_seconds": "600",
        "PYTHONPATH": python_path(),
    }


def python_path() -> str:
    """Return a PYTHONPATH for other processes: the engine, then whatever this process was given."""
    source = str(Path(acceleray.__file__).parents[1])
    return os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))


def reread_environment(loopback: bool) -> None:
    """Make Ray, in this process, take its settings and token from the environment as it is now.

    Ray reads them when it is imported, and keeps the token of an earlier cluster.
    """
    reread(loopback)
