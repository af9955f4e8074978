"""Environment of Ray processes in every profile: a token, one thread per task, no usage statistics."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
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
        "PYTHONPATH": python_path(),
    }


def workers_environment() -> dict[str, str] | None:
    """Return the runtime environment of Ray's workers, None where they need none of their own.

    Ray starts a worker with a runtime environment, such as one of Ray Tune, by a shell, and does not quote
    the path of Python: with a space in it no worker would ever come up, and Ray would wait for it for ever.
    """
    quoted = shlex.quote(sys.executable)
    return None if quoted == sys.executable else {"py_executable": quoted}


def python_path() -> str:
    """Return a PYTHONPATH for other processes: the engine, then whatever this process was given."""
    source = str(Path(acceleray.__file__).parents[1])
    return os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))


def reread_environment(loopback: bool) -> None:
    """Make Ray, in this process, take its settings and token from the environment as it is now.

    Ray reads them when it is imported, and keeps the token of an earlier cluster.
    """
    reread(loopback)
