"""The engines of a profile, behind one context manager; workloads do not know which profile it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from acceleray.engines.environment_checks import refuse_unsupported_environment, refuse_unsupported_session
from acceleray.engines.machine_checks import refuse_unusable_folders
from acceleray.engines.processes.cleanup import family
from acceleray.engines.processes.scratch import scratch_folder
from acceleray.engines.ray.slots import available_mb, cluster_megabytes, plan, refuse_too_little_memory
from acceleray.engines.spark import jvm, standalone
from acceleray.engines.spark.executors import configured, measured_plan, refuse_unlike_executors
from acceleray.settings import Settings
from acceleray.settings.topology import in_catalog, ray_beside

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from acceleray.engines.ray.fanout import FanOut
    from acceleray.engines.spark.session import Master

CLUSTER_FOLDER = "cluster"


@contextmanager
def engines(settings: Settings) -> Iterator[tuple[SparkSession, FanOut]]:
    """Yield a Spark session and a fan-out on Ray, and stop both whatever happens.

    * `local`: both on this machine, side by side.
    * `cluster`: a Spark standalone cluster, joined or started here, with Ray's nodes inside its executors.
    * `databricks`: the session that is there, with Ray's nodes inside its executors.
    * `connect`: a Spark Connect session, of a server that is there or started here, with Ray on this machine.

    Raises:
        PortfolioError: this place cannot carry the profile, or Ray would leave Spark no slot.
    """
    _refuse_unusable_machine(settings)
    with family(), ExitStack() as stack:
        start = {"local": _local, "cluster": _cluster, "databricks": _databricks, "connect": _connect}[
            settings.profile
        ]
        yield start(settings, stack)


@contextmanager
def ray_of_profile(settings: Settings) -> Iterator[FanOut]:
    """Yield a fan-out on Ray as `engines` does; inside Spark, or without it if Ray runs next to it.

    Raises:
        PortfolioError: this place cannot carry the profile, or Ray would leave Spark no slot.
    """
    if ray_beside(settings):
        from acceleray.engines.ray.local import local_ray

        _refuse_unusable_machine(settings)
        with family(), local_ray(settings) as fan_out:
            yield fan_out
        return
    with engines(settings) as (_, fan_out):
        yield fan_out


@contextmanager
def spark_of_profile(settings: Settings) -> Iterator[SparkSession]:
    """Yield the Spark session of a profile as `engines` does, without Ray.

    Raises:
        PortfolioError: this place cannot carry the profile.
    """
    if settings.profile == "databricks":
        with spark_alone(settings) as session:
            yield session
        return
    if settings.profile == "connect":
        from acceleray.engines.spark.connect import connect_session

        _refuse_unusable_machine(settings)
        with family(), connect_session(settings) as session:
            yield session
        return
    from acceleray.engines.spark.session import spark_session

    _refuse_unusable_machine(settings)
    with family(), ExitStack() as stack:
        master = _cluster_master(settings, stack) if settings.profile == "cluster" else None
        yield stack.enter_context(spark_session(settings, master))


@contextmanager
def spark_alone(settings: Settings) -> Iterator[SparkSession]:
    """Yield a Spark session that sees the tables of a profile, without Ray: of a catalog, the one there is.

    Raises:
        PortfolioError: there is no usable Java, or the Delta jars cannot be had.
    """
    _refuse_unusable_machine(settings)
    if settings.profile == "connect" and in_catalog(settings):
        with spark_of_profile(settings) as session:
            yield session
        return
    from acceleray.engines.spark.session import spark_session

    if settings.profile != "databricks":
        # Tables are files in the state folder, and this machine alone is enough for them.
        with spark_session(settings) as session:
            yield session
        return
    from pyspark.sql import SparkSession

    from acceleray.engines.processes.signals import readable_spark_errors

    with readable_spark_errors():
        yield SparkSession.getActiveSession() or SparkSession.Builder().getOrCreate()


def _refuse_unusable_machine(settings: Settings) -> None:
    refuse_unsupported_environment(settings.profile)
    refuse_unusable_folders(settings)


def _local(settings: Settings, stack: ExitStack) -> tuple[SparkSession, FanOut]:
    from acceleray.engines.ray.local import local_ray
    from acceleray.engines.spark.session import spark_session

    session = stack.enter_context(spark_session(settings))
    return session, stack.enter_context(local_ray(settings))


def _connect(settings: Settings, stack: ExitStack) -> tuple[SparkSession, FanOut]:
    from acceleray.engines.ray.local import local_ray
    from acceleray.engines.spark.connect import connect_session

    session = stack.enter_context(connect_session(settings))
    return session, stack.enter_context(local_ray(settings))


def _cluster(settings: Settings, stack: ExitStack) -> tuple[SparkSession, FanOut]:
    from acceleray.engines.spark.session import spark_session

    master = _cluster_master(settings, stack)
    session = stack.enter_context(spark_session(settings, master))
    # How many a cluster has that others started is known to nobody here.
    wanted = 0 if settings.cluster.master else settings.cluster.workers
    return session, _inside(settings, session, stack, master.loopback, wanted)


def _cluster_master(settings: Settings, stack: ExitStack) -> Master:
    size = settings.cluster
    # Refused before anything starts, if it cannot work.
    wanted = plan(settings, size.workers, size.cores_per_worker)
    if not size.master:
        names = "cluster.workers, cluster.executor_memory or ray.object_store_mb"
        refuse_too_little_memory(cluster_megabytes(settings, wanted), available_mb(), names)
    return stack.enter_context(_master(settings))


def _databricks(settings: Settings, stack: ExitStack) -> tuple[SparkSession, FanOut]:
    from pyspark.sql import SparkSession

    from acceleray.engines.processes.signals import readable_spark_errors
    from acceleray.engines.ray.local import local_ray

    session = SparkSession.getActiveSession() or SparkSession.Builder().getOrCreate()
    refuse_unsupported_session(session)
    stack.enter_context(readable_spark_errors())
    if jvm.in_one_process(session):
        # A cluster of a single node has no executors that could hold Ray's nodes.
        return session, stack.enter_context(local_ray(settings))
    return session, _inside(settings, session, stack, False, configured(session))


def _inside(
    settings: Settings, session: SparkSession, stack: ExitStack, loopback: bool, wanted: int
) -> FanOut:
    from acceleray.engines.ray.on_spark import ray_on_spark
    from acceleray.engines.ray.slot_guard import slots_guarded

    stack.enter_context(slots_guarded(session, settings.ray.cpus_per_node))
    refuse_unlike_executors(session)
    return stack.enter_context(ray_on_spark(settings, measured_plan(settings, session, wanted), loopback))


@contextmanager
def _master(settings: Settings) -> Iterator[Master]:
    """Yield the cluster to run on: the one of the settings, one started before, or one for this run."""
    from acceleray.engines.spark.session import Master

    if settings.cluster.master:
        yield Master(settings.cluster.master)
        return
    folder = settings.state_dir / CLUSTER_FOLDER
    if known := standalone.remembered(folder):
        yield Master(known.master, known.secret())
        return
    with scratch_folder("cluster") as scratch:
        cluster = standalone.start(settings, scratch / "c")
        try:
            yield Master(cluster.master, cluster.secret())
        finally:
            standalone.stop(cluster)
