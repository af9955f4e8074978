"""Ray inside Spark's executors, for clusters: its nodes hold Spark task slots for as long as they live."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ray
from packaging.version import InvalidVersion, Version

from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.processes.scratch import scratch_folder
from acceleray.engines.processes.signals import first_line, kept_signal_handlers
from acceleray.engines.ray.environment import ray_environment, reread_environment, workers_environment
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.head import head_awaited
from acceleray.engines.ray.loopback import LOG, command_in
from acceleray.engines.ray.slots import SlotPlan
from acceleray.engines.ray.start_hook import FORWARDED
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

_MB = 1024 * 1024
RUNTIME = "DATABRICKS_RUNTIME_VERSION"
# Ray's own hook takes it too; a name of ours below it would make paths of sockets too long.
_LOCAL_DISK = "/local_disk0/tmp"
# The oldest that the bundle offers.
_OLDEST_RUNTIME = "17"
_LOUD = ("ray.util.spark", "ray.autoscaler._private.spark.spark_job_server", "ray._private.worker")


@contextmanager
def ray_on_spark(settings: Settings, plan: SlotPlan, loopback: bool) -> Iterator[FanOut]:
    """Yield a fan-out over Ray nodes inside the active Spark session; free their slots whatever happens.

    Args:
        settings: memory and object store of each node.
        plan: how many nodes of how many CPUs and GPUs; see `acceleray.engines.ray.slots`.
        loopback: whether the cluster is on this machine alone, and must not be reached from elsewhere.

    Raises:
        PortfolioError: Ray's nodes did not come up.
    """
    with scratch_folder("r") as folder, process_environment(_environment(folder, loopback)), _quiet():
        reread_environment(loopback)
        try:
            with kept_signal_handlers(), head_awaited():
                address = _start(settings, plan, folder, attempts=2 if loopback else 1)
                ray.init(
                    address=address,
                    log_to_driver=False,
                    configure_logging=False,
                    logging_level="ERROR",
                    runtime_env=workers_environment(),
                )
        except RuntimeError as error:
            raise PortfolioError(
                f"Ray did not start inside Spark: {first_line(error.__cause__ or error)[:200]}"
                f"{_last(folder)}; see `portfolio doctor`."
            ) from error
        try:
            gpus = plan.nodes * plan.gpus_per_node
            yield FanOut(plan.nodes * plan.cpus_per_node, settings.ray.task_timeout_s, gpus)
        finally:
            _stop()


def readable_runtime(stated: str | None) -> dict[str, str | None]:
    """Return DATABRICKS_RUNTIME_VERSION as Ray can read it, if what a runtime states would end in an error.

    Ray compares it as a version of Python's packaging; images named 18.x may state `18.x-cpu-ml-scala2.13`.
    """
    try:
        Version(stated or "0")
    except InvalidVersion:
        number = re.match(r"\d+(\.\d+)*", stated or "")
        return {RUNTIME: number[0] if number else _OLDEST_RUNTIME}
    return {}


def local_disk() -> Path | None:
    """Return the folder that machines of Databricks have for what is temporary, None elsewhere."""
    disk = Path(_LOCAL_DISK)
    return disk if RUNTIME in os.environ and disk.is_dir() and os.access(disk, os.W_OK) else None


def _start(settings: Settings, plan: SlotPlan, folder: Path, attempts: int) -> str:
    """Return the address of Ray's head.

    Ray waits for its head and nodes for fixed times, which a machine that others keep busy may miss: there it
    gets a second attempt. On a private cluster a second attempt does not help.
    """
    with process_environment(readable_runtime(os.environ.get(RUNTIME))):
        for left in reversed(range(attempts)):
            try:
                return _set_up(settings, plan, folder)
            except RuntimeError:
                if not left:
                    raise
                _stop()
    raise AssertionError("attempts is at least one")


def _set_up(settings: Settings, plan: SlotPlan, folder: Path) -> str:
    from ray.util.spark import setup_ray_cluster

    memory, store = settings.ray.node_memory_mb * _MB, settings.ray.object_store_mb * _MB
    address, _ = setup_ray_cluster(
        max_worker_nodes=plan.nodes,
        num_cpus_worker_node=plan.cpus_per_node,
        num_gpus_worker_node=plan.gpus_per_node,
        memory_worker_node=memory,
        object_store_memory_worker_node=store,
        # The head plans and keeps what the driver shares; tasks run on the nodes.
        num_cpus_head_node=0,
        memory_head_node=memory,
        object_store_memory_head_node=store,
        head_node_options={"include_dashboard": False},
        # Spilled objects go where the machine has room for them.
        ray_temp_root_dir=str(local_disk() or folder),
    )
    return str(address)


def _stop() -> None:
    from ray.util.spark import shutdown_ray_cluster

    ray.shutdown()
    with suppress(RuntimeError):
        # There is no cluster to stop where Databricks has stopped it after long idleness.
        shutdown_ray_cluster()


def _environment(folder: Path, loopback: bool) -> dict[str, str]:
    forwarded = ray_environment()
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    if loopback:
        forwarded[LOG] = str(folder / "nodes.log")
        programs.insert(0, str(command_in(folder / "bin")))
    # Ray on Spark starts the program `ray` that it finds first.
    forwarded["PATH"] = os.pathsep.join(programs)
    own = {
        "RAY_ON_SPARK_START_HOOK": "acceleray.engines.ray.start_hook.start_hook",
        FORWARDED: ",".join(forwarded),
        # A run may leave Ray idle for longer than the half hour after which Databricks would stop it.
        "DATABRICKS_RAY_ON_SPARK_AUTOSHUTDOWN_MINUTES": "0",
    }
    if loopback:
        own["RAY_ON_SPARK_RAY_WORKER_NODE_STARTUP_INTERVAL"] = "1"
    return forwarded | own


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray on Spark's chatter out of the terminal; what goes wrong is raised."""
    loggers, root = [logging.getLogger(name) for name in _LOUD], logging.getLogger()
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    root.addFilter(_not_of_py4j)
    try:
        yield
    finally:
        root.removeFilter(_not_of_py4j)
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _not_of_py4j(record: logging.LogRecord) -> bool:
    # A start that is given up ends its Spark job while a thread waits for the answer, which py4j logs.
    return record.module != "java_gateway"


def _last(folder: Path) -> str:
    with suppress(OSError):
        lines = (folder / "nodes.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f" ({lines[-1].strip()[:200]})" if lines else ""
    return ""
