"""Ray as the project uses it: one function over many independent tasks, results in task order."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

import portfolio
from portfolio.engines.processes import kept_signal_handlers, killed_with_this_process
from portfolio.engines.scratch import scratch_folder
from portfolio.engines.spark import process_environment
from portfolio.errors import PortfolioError
from portfolio.settings import Settings

# Every task is one thread: the fan-out is the parallelism, and one thread gives the same bits everywhere.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


class FanOut:
    """Runs a pure function over tasks on Ray; made by `ray_cluster`."""

    def __init__(self, workers: int, task_timeout_s: int) -> None:
        """Keep how many tasks run at once and how long one may take."""
        self.workers = workers
        self._task_timeout_s = task_timeout_s

    def share(self, value: Any) -> ray.ObjectRef:
        """Store a large read-only value once; pass what this returns in `shared` of several maps."""
        return value if isinstance(value, ray.ObjectRef) else ray.put(value)

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        **fixed: Any,
    ) -> Iterator[Any]:
        """Yield `function(task, *shared, **fixed)` for every task, in the order of `tasks`.

        Large inputs belong in `shared`: each is stored once and read by all workers without a copy. At
        most two tasks per worker are under way, so results do not pile up. A task whose worker dies is
        run again; it must therefore depend on its arguments alone.

        Args:
            function: a module-level function.
            tasks: the small argument that differs.
            shared: read-only arguments that do not.
            done: called with the number of finished tasks after each one.
            fixed: small arguments that do not differ.

        Raises:
            PortfolioError: a task raised, or took longer than `ray.task_timeout_s`.
        """
        references = [self.share(value) for value in shared]
        remote = ray.remote(num_cpus=1, max_retries=3)(function)
        waiting: list[ray.ObjectRef] = []
        ahead = 2 * self.workers
        for number in range(len(tasks)):
            while len(waiting) < ahead and number + len(waiting) < len(tasks):
                waiting.append(remote.remote(tasks[number + len(waiting)], *references, **fixed))
            result = self._get(waiting.pop(0), f"{function.__name__} task {number + 1} of {len(tasks)}")
            done(number + 1)
            yield result

    def _get(self, reference: ray.ObjectRef, label: str) -> Any:
        try:
            return ray.get(reference, timeout=self._task_timeout_s)
        except GetTimeoutError:
            raise PortfolioError(
                f"{label} gave no result in {self._task_timeout_s} s; "
                "raise ray.task_timeout_s or look at its data."
            ) from None
        except RayTaskError as error:
            cause = error.cause
            raise PortfolioError(f"{label} failed: {type(cause).__name__}: {cause}") from error
        except RayError as error:
            first = (str(error).splitlines() or [""])[0]
            raise PortfolioError(f"{label} was lost ({type(error).__name__}: {first}); run again.") from error


@contextmanager
def ray_cluster(settings: Settings) -> Iterator[FanOut]:
    """Yield a fan-out on a Ray cluster inside this machine, and stop it whatever happens.

    Loopback only, with token authentication, in a folder only this user can read.
    """
    workers = settings.ray.workers or os.cpu_count() or 1
    source = str(Path(portfolio.__file__).parent.parent)
    environment = _ONE_THREAD | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        # Without this Ray listens on the machine's own address even when it is told to use loopback.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")])),
    }
    with scratch_folder("ray") as folder, process_environment(environment):
        _reread_environment()
        before = _descendants()
        with kept_signal_handlers():
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=settings.ray.object_store_mb * 1024 * 1024,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder / "r"),
                log_to_driver=False,
                configure_logging=False,
                logging_level="ERROR",
            )
        # Ray's agents outlive a killed driver by a minute, in which they try to tell it that Ray is gone.
        with killed_with_this_process(_descendants() - before):
            try:
                yield FanOut(workers, settings.ray.task_timeout_s)
            finally:
                ray.shutdown()


def _reread_environment() -> None:
    # Ray reads its settings and token when it is imported, and keeps the token of an earlier cluster.
    from ray._private import ray_constants
    from ray._raylet import AuthenticationTokenLoader, Config

    ray_constants.ENABLE_RAY_CLUSTER = False
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _descendants() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}
