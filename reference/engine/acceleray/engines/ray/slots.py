"""The slot and memory plan of Spark and Ray, computed before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from acceleray.counts import counted
from acceleray.engines.processes.allowance import memory_left
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

# A Ray worker with NumPy, SciPy and XGBoost loaded; the driver with Spark's Python side and MLflow.
WORKER_MB = 350
DRIVER_MB = 700


@dataclass(frozen=True)
class SlotPlan:
    """How Spark's task slots are shared; a Ray node holds its slots and GPUs for as long as it lives."""

    executors: int
    cores_per_executor: int
    nodes: int
    cpus_per_node: int
    gpus_per_node: int = 0

    @property
    def slots(self) -> int:
        """Return how many tasks Spark could run at once without Ray."""
        return self.executors * self.cores_per_executor

    @property
    def taken(self) -> int:
        """Return the slots that Ray holds, one for each of its CPUs."""
        return self.nodes * self.cpus_per_node

    @property
    def kept(self) -> int:
        """Return the slots that are left for queries; with none, every query hangs without an error."""
        return self.slots - self.taken

    @property
    def kept_without_one_executor(self) -> int:
        """Return the slots left for queries once an executor is lost and Ray has started its nodes again.

        Only as many nodes come back as fit on the other executors. With 0 every query hangs until Spark
        has a new executor.
        """
        others = self.executors - 1
        back = min(self.nodes, others * (self.cores_per_executor // self.cpus_per_node))
        return others * self.cores_per_executor - back * self.cpus_per_node

    def describe(self) -> str:
        """Return the arithmetic in words, on one line without a full stop."""
        left = self.kept_without_one_executor
        return (
            f"{counted(self.executors, 'Spark executor')} x {counted(self.cores_per_executor, 'core')} = "
            f"{counted(self.slots, 'slot')}; "
            f"Ray takes {counted(self.nodes, 'node')} x {counted(self.cpus_per_node, 'CPU')} = {self.taken}"
            + (f" and {counted(self.gpus_per_node, 'GPU')} in each; " if self.gpus_per_node else "; ")
            + f"Spark keeps {self.kept}; after the loss of one executor Spark would "
            + (f"still keep {left}" if left else "keep none and wait for a new one")
        )


def plan(settings: Settings, executors: int, cores_per_executor: int) -> SlotPlan:
    """Return how Ray's nodes and Spark's queries share the slots of these executors.

    Args:
        settings: `ray.nodes` (0: one for each executor) and `ray.cpus_per_node` say what Ray wants.
        executors: how many Spark has, the driver not counted.
        cores_per_executor: task slots of each.

    Raises:
        PortfolioError: a node is wider than an executor, more nodes are wanted than fit, or no slot would
            be left for Spark.
    """
    if executors < 1 or cores_per_executor < 1:
        raise PortfolioError(
            "Spark has no executor besides its driver, and Ray's nodes live inside executors; "
            "add a worker to the cluster."
        )
    wanted = SlotPlan(
        executors,
        cores_per_executor,
        settings.ray.nodes or executors,
        settings.ray.cpus_per_node,
        settings.ray.gpus_per_node if settings.model.device == "cuda" else 0,
    )
    wider = _wider(settings)
    if wanted.cpus_per_node > cores_per_executor:
        raise PortfolioError(
            f"A Ray node of {counted(wanted.cpus_per_node, 'CPU')} does not fit into a Spark executor of "
            f"{counted(cores_per_executor, 'core')}; "
            f"lower ray.cpus_per_node to at most {cores_per_executor} or {wider}."
        )
    most = executors * (cores_per_executor // wanted.cpus_per_node)
    each = f"{counted(executors, 'executor')} x {counted(cores_per_executor, 'core')}"
    if wanted.nodes > most:
        raise PortfolioError(
            f"{counted(wanted.nodes, 'Ray node')} x {counted(wanted.cpus_per_node, 'CPU')} do not fit into "
            f"{each}, which hold {most}; {_remedy(wanted, wider)}."
        )
    if wanted.gpus_per_node and wanted.nodes > executors:
        raise PortfolioError(
            f"{counted(wanted.nodes, 'Ray node')} cannot share the GPUs of {counted(executors, 'executor')}; "
            f"lower ray.nodes to at most {executors} or set model.device to cpu."
        )
    if wanted.kept < 1:
        raise PortfolioError(
            f"Ray would take {counted(wanted.nodes, 'node')} x {counted(wanted.cpus_per_node, 'CPU')} = "
            f"{wanted.taken} of {each} = {counted(wanted.slots, 'slot')} and Spark would keep 0: "
            f"every query would hang; {_remedy(wanted, wider)}."
        )
    return wanted


def _remedy(refused: SlotPlan, wider: str) -> str:
    """Say the largest values that would do, one setting at a time."""
    executors, cores, spare = refused.executors, refused.cores_per_executor, refused.slots - 1
    nodes = min(executors * (cores // refused.cpus_per_node), spare // refused.cpus_per_node)
    widths = [
        cpus
        for cpus in range(1, cores + 1)
        if refused.nodes <= min(executors * (cores // cpus), spare // cpus)
    ]
    ways = []
    if nodes:
        ways.append(f"lower ray.nodes to at most {nodes}")
    if widths:
        ways.append(f"lower ray.cpus_per_node to at most {max(widths)}")
    return ", ".join(ways) + (" or " if ways else "") + wider


def _wider(settings: Settings) -> str:
    if settings.profile == "databricks" or settings.cluster.master:
        return "use a Spark cluster with more cores in each worker"
    return "raise cluster.cores_per_worker"


def local_megabytes(settings: Settings, workers: int) -> int:
    """Return the memory, in MB, of Spark in one process and this many Ray workers, all on this machine."""
    return _driver_megabytes(settings) + settings.ray.object_store_mb + workers * WORKER_MB


def beside_megabytes(settings: Settings, workers: int) -> int:
    """Return the memory, in MB, of this process and this many Ray workers, with Spark elsewhere."""
    return DRIVER_MB + settings.ray.object_store_mb + workers * WORKER_MB


def cluster_megabytes(settings: Settings, wanted: SlotPlan) -> int:
    """Return the memory, in MB, of a Spark cluster with Ray inside that lives on this machine alone.

    Heaps and object stores are counted full. They rarely are, which leaves room for what is not counted:
    the small helper processes of Spark and Ray.
    """
    executors = wanted.executors * java_megabytes(settings.cluster.executor_memory)
    stores = (wanted.nodes + 1) * settings.ray.object_store_mb  # each node and Ray's head
    return _driver_megabytes(settings) + executors + stores + wanted.taken * WORKER_MB


def joined_megabytes(settings: Settings) -> int:
    """Return the memory, in MB, that a run takes here when its executors live on other machines."""
    return _driver_megabytes(settings) + settings.ray.object_store_mb


def _driver_megabytes(settings: Settings) -> int:
    return DRIVER_MB + java_megabytes(settings.spark.driver_memory)


def java_megabytes(text: str) -> int:
    """Return the MB of a Java memory size such as `512m` or `2g`."""
    return int(text[:-1]) * (1024 if text.endswith("g") else 1)


def refuse_too_little_memory(wanted: int, free: int | None, names: str) -> None:
    """Refuse to start what cannot fit; nothing is refused where free memory is not known.

    Args:
        wanted: what a run takes, in MB.
        free: what is free, in MB, or None if that is not known.
        names: the settings that can be lowered.

    Raises:
        PortfolioError: more is wanted than is free.
    """
    if free is not None and free < wanted:
        raise PortfolioError(
            f"Spark and Ray want about {wanted:,} MB, only {free:,} MB are free; lower {names}."
        )


def available_mb() -> int | None:
    """Return the memory this process may still take, in MB, within its container; None if unknown."""
    try:
        import psutil
    except ImportError:
        return None
    free = int(psutil.virtual_memory().available)
    left = memory_left()
    return (free if left is None else min(free, left)) // 1_000_000
