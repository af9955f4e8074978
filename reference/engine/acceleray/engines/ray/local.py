"""Ray on this machine alone, for profile local: loopback, token, a folder only this user can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import ray

from acceleray.engines.processes.allowance import processors
from acceleray.engines.processes.cleanup import family, members, process_environment
from acceleray.engines.processes.scratch import scratch_folder
from acceleray.engines.processes.signals import kept_signal_handlers
from acceleray.engines.ray.environment import (
    LOOPBACK,
    ray_environment,
    reread_environment,
    workers_environment,
)
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.gpus import wanted_here
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

# Ray waits half a minute for its own node, which a machine that is busy with other work may miss.
_ATTEMPTS = 3


@contextmanager
def local_ray(settings: Settings) -> Iterator[FanOut]:
    """Yield a fan-out over the CPUs of this machine, and stop Ray whatever happens."""
    workers, gpus = settings.ray.workers or processors(), wanted_here(settings)
    # Without this Ray listens on the machine's own address even when it is told to use loopback.
    environment = ray_environment() | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    # Ray's agents outlive a killed driver by a minute, in which they try to tell it that Ray is gone.
    with family() as mark, scratch_folder("r") as folder, process_environment(environment):
        reread_environment(loopback=True)

        def begin() -> None:
            with kept_signal_handlers():
                ray.init(
                    address="local",
                    num_cpus=workers,
                    num_gpus=gpus,
                    include_dashboard=False,
                    object_store_memory=settings.ray.object_store_mb * 1024 * 1024,
                    _memory=settings.ray.node_memory_mb * 1024 * 1024,
                    _node_ip_address=LOOPBACK,
                    _temp_dir=str(folder / "r"),
                    log_to_driver=False,
                    configure_logging=False,
                    logging_level="ERROR",
                    runtime_env=workers_environment(),
                )

        begun(begin, mark)
        try:
            yield FanOut(workers, settings.ray.task_timeout_s, gpus)
        finally:
            ray.shutdown()


def begun(begin: Callable[[], object], mark: str) -> None:
    """Start Ray, again if it was too slow; what an attempt has left over is ended before the next one.

    Raises:
        PortfolioError: it was too slow every time.
    """
    for _ in range(_ATTEMPTS):
        before = set(members(mark))
        try:
            begin()
            return
        except Exception as error:
            if "timed out" not in str(error):
                raise
            ray.shutdown()
            for process in set(members(mark)) - before:
                with suppress(psutil.Error):
                    process.kill()
    raise PortfolioError(
        f"Ray did not start in {_ATTEMPTS} attempts of half a minute each: this machine is too busy; run "
        "again when other work on it has ended."
    )
