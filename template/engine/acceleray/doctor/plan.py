"""The plan of a profile on this machine: how Spark and Ray share cores and memory, and whether they fit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from acceleray.counts import counted
from acceleray.doctor.finding import Finding
from acceleray.engines import environment_checks
from acceleray.engines.processes import allowance
from acceleray.engines.ray import slots
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.topology import DATABRICKS, address, ray_beside

SHARED_MEMORY = Path("/dev/shm")


def place(settings: Settings) -> Finding:
    """Return whether the profile can run in this environment."""
    if line := environment_checks.unsupported_place(settings.profile, os.environ):
        return Finding("missing", "Place", line)
    if line := environment_checks.note_on_place(settings.profile, os.environ):
        return Finding("note", "Place", line)
    runtime = environment_checks.databricks_runtime(os.environ)
    return Finding("ok", "Place", f"Databricks {runtime}" if runtime else "outside of Databricks")


def sharing(settings: Settings) -> Iterator[Finding]:
    """Yield how Spark and Ray share cores, threads, object store and memory; first of all the refusal."""
    if ray_beside(settings):
        return _beside(settings)
    if settings.profile == "databricks":
        return _databricks(settings)
    return _joined(settings) if settings.cluster.master else _started(settings)


def server(settings: Settings) -> Finding:
    """Return whether a Spark Connect server listens at `spark.remote`."""
    if line := environment_checks.unanswered(settings.spark.remote):
        return Finding("missing", "Spark", line)
    return Finding("ok", "Spark", f"a server listens at {_where(settings)}; it brings Java and Delta")


def _where(settings: Settings) -> str:
    if settings.spark.remote == DATABRICKS:
        return "Databricks"
    # Never the whole address: it may contain a token.
    return "{}:{}".format(*address(settings.spark.remote))


def _beside(settings: Settings) -> Iterator[Finding]:
    cores = allowance.processors()
    spark, workers = settings.spark.cores or cores, settings.ray.workers or cores
    if settings.profile == "connect" and settings.spark.remote:
        shared = f"{counted(workers, 'Ray worker')} on {counted(cores, 'core')} of this machine"
        yield Finding("ok", "Plan", f"Spark Connect to {_where(settings)}; {shared}")
        yield _threads()
        yield _object_store(settings.ray.object_store_mb, "")
        wanted = slots.beside_megabytes(settings, workers)
        text = f"{counted(workers, 'Ray worker')} want about {wanted:,} MB"
        yield _memory(wanted, text, "ray.workers or ray.object_store_mb")
        return
    served = "a Spark Connect server of " if settings.profile == "connect" else ""
    yield Finding(
        "ok",
        "Plan",
        f"{served}local[{spark}] for Spark and {counted(workers, 'Ray worker')} "
        f"share {counted(cores, 'core')}",
    )
    yield _threads()
    yield _object_store(settings.ray.object_store_mb, "")
    wanted = slots.local_megabytes(settings, workers)
    yield _memory(
        wanted,
        f"{counted(workers, 'Ray worker')} and Spark want about {wanted:,} MB",
        "ray.workers, ray.object_store_mb or spark.driver_memory",
    )


def _started(settings: Settings) -> Iterator[Finding]:
    """Yield the plan of a Spark cluster that a run starts on this machine."""
    cluster, ray = settings.cluster, settings.ray
    try:
        plan = slots.plan(settings, cluster.workers, cluster.cores_per_worker)
    except PortfolioError as error:
        yield Finding("missing", "Plan", str(error))
        return
    yield Finding(
        "ok" if plan.kept_without_one_executor else "note",
        "Plan",
        f"{plan.describe()}; this machine has {counted(allowance.processors(), 'core')}",
    )
    yield _threads()
    stores = plan.nodes + 1
    yield _object_store(
        stores * ray.object_store_mb,
        f"{ray.object_store_mb:,} MB for each of {counted(plan.nodes, 'Ray node')} and the head",
    )
    wanted = slots.cluster_megabytes(settings, plan)
    yield _memory(
        wanted,
        f"driver, {counted(plan.executors, 'executor')} of {cluster.executor_memory} and Ray with "
        f"{ray.node_memory_mb:,} MB for tasks in each node want about {wanted:,} MB",
        "cluster.workers, cluster.executor_memory, ray.object_store_mb or spark.driver_memory",
    )


def _joined(settings: Settings) -> Iterator[Finding]:
    """Yield what is known of a Spark cluster before a run joins it."""
    yield Finding(
        "ok",
        "Plan",
        f"computed from its executors when {settings.cluster.master} is joined: {_nodes(settings)}",
    )
    yield _threads()
    yield _object_store(settings.ray.object_store_mb, "here; as much in each Ray node")
    wanted = slots.joined_megabytes(settings)
    yield _memory(
        wanted,
        f"the driver and Ray's head want about {wanted:,} MB here",
        "spark.driver_memory or ray.object_store_mb",
    )


def _databricks(settings: Settings) -> Iterator[Finding]:
    """Yield what is known of a Databricks cluster before a run starts on it."""
    ray = settings.ray
    yield Finding(
        "ok", "Plan", f"computed at the start of a run, from the workers of the cluster: {_nodes(settings)}"
    )
    yield _threads()
    yield Finding("ok", "Object store", f"{ray.object_store_mb:,} MB in each Ray node and the head")
    yield Finding("ok", "Memory", f"{ray.node_memory_mb:,} MB for tasks in each Ray node")


def _nodes(settings: Settings) -> str:
    cpus = counted(settings.ray.cpus_per_node, "CPU")
    if settings.ray.nodes:
        return f"{counted(settings.ray.nodes, 'Ray node')} of {cpus}"
    return f"1 Ray node of {cpus} in each"


def _threads() -> Finding:
    return Finding("ok", "Threads", "1 for each Ray CPU (OMP_NUM_THREADS=1)")


def _object_store(wanted: int, detail: str) -> Finding:
    text = f"{wanted:,} MB" + (f", {detail}" if detail else "")
    if not SHARED_MEMORY.is_dir():
        return Finding("ok", "Object store", text)  # macOS and Windows: Ray keeps it in a file
    free = shutil.disk_usage(SHARED_MEMORY).free // 1_000_000
    if free >= wanted:
        return Finding("ok", "Object store", text)
    return Finding(
        "note",
        "Object store",
        f"{text}; {SHARED_MEMORY} has {free:,} MB free, so Ray uses less or the disk",
    )


def _memory(wanted: int, text: str, names: str) -> Finding:
    """Compare the memory a run takes with what is free."""
    free = slots.available_mb()
    if free is None:
        return Finding("note", "Memory", f"{text}; free memory is unknown")
    if free < wanted:
        return Finding("missing", "Memory", f"{text}, only {free:,} MB are free; lower {names}")
    return Finding("ok", "Memory", f"{text}, {free:,} MB are free")
