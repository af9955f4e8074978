"""The Spark session that a run starts: Delta on, loopback by default, private folders, quiet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyspark
from pyspark.sql import SparkSession

from acceleray.engines.processes.cleanup import MARK, process_environment
from acceleray.engines.processes.scratch import scratch_folder
from acceleray.engines.processes.signals import (
    SparkFailureError,
    kept_signal_handlers,
    readable_spark_errors,
)
from acceleray.engines.ray.environment import LOOPBACK, ONE_THREAD, python_path
from acceleray.engines.spark import jvm
from acceleray.engines.spark.jars import delta_jars
from acceleray.engines.spark.java import FALLBACK_JAVA_LOCK, java_home
from acceleray.errors import PortfolioError
from acceleray.settings import Settings


@dataclass(frozen=True)
class Master:
    """A standalone cluster to run on; `secret` is there if it was started on this machine by this user."""

    url: str
    secret: str | None = None

    @property
    def loopback(self) -> bool:
        """Return whether the cluster is on this machine alone."""
        host = urlsplit(self.url).hostname or ""
        return host == "localhost" or host.startswith("127.")


@contextmanager
def spark_session(settings: Settings, master: Master | None = None) -> Iterator[SparkSession]:
    """Yield a Spark session with Delta and stop it, whatever happens inside.

    Args:
        settings: sizes, folders and names.
        master: the cluster to run on, or None to run inside this machine's one Java process.

    Raises:
        PortfolioError: there is no usable Java, or the Delta jars cannot be had.
    """
    cache = settings.cache_dir
    java = java_home(cache, settings.project_dir / FALLBACK_JAVA_LOCK)
    jars = delta_jars(cache, java, settings.paths.maven)
    loopback = master is None or master.loopback
    joined = master is not None and master.secret is None
    environment = {
        "JAVA_HOME": str(java),
        "SPARK_LOCAL_IP": LOOPBACK if loopback else os.environ.get("SPARK_LOCAL_IP"),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        # Another Spark installed on this machine must not lend its files to this one.
        "SPARK_HOME": None,
        # An existing cluster may need the user's own options.
        "SPARK_CONF_DIR": os.environ.get("SPARK_CONF_DIR") if joined else None,
    }
    with scratch_folder("spark") as scratch, process_environment(environment):
        options = options_here(settings, jars, scratch)
        if loopback:
            options["spark.driver.host"] = options["spark.driver.bindAddress"] = LOOPBACK
        if master is not None:
            options |= _cluster_options(settings, master)
        with kept_signal_handlers(), process_environment({"SPARK_LOCAL_DIRS": str(scratch)}):
            try:
                with readable_spark_errors():
                    session = _started(settings, options, master)
            except SparkFailureError as error:
                jvm.stop()
                raise (error if master is None else _not_joined(master)) from error
        try:
            with readable_spark_errors():
                yield session
        finally:
            jvm.stop()


def _started(settings: Settings, options: dict[str, str], master: Master | None) -> SparkSession:
    url = master.url if master else f"local[{settings.spark.cores or '*'}]"
    return jvm.start(url, settings.project.name, options, master.secret if master else None)


def _not_joined(master: Master) -> PortfolioError:
    return PortfolioError(
        f"The Spark cluster at {master.url} could not be joined; is it running, is it Spark "
        f"{pyspark.__version__}, and does SPARK_CONF_DIR contain its options?"
    )


def _cluster_options(settings: Settings, master: Master) -> dict[str, str]:
    size = settings.cluster
    environment = ONE_THREAD | {
        "PYTHONPATH": python_path(),
        # Spark's idea of a worker's cores need not be the machine's.
        "RAY_ON_SPARK_WORKER_CPU_CORES": str(size.cores_per_worker),
    }
    options = {
        "spark.executor.memory": size.executor_memory,
        "spark.executor.cores": str(size.cores_per_worker),
        # The share of one run in a cluster with other users.
        "spark.cores.max": str(size.workers * size.cores_per_worker),
        # The slots are counted before Ray takes some of them, so all executors should be there.
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    }
    if master.loopback:
        log4j = Path(__file__).with_name("log4j2.properties").as_uri()
        java_options = [*_compiler(settings), f"-Dlog4j2.configurationFile={log4j}"]
        options["spark.executor.extraJavaOptions"] = " ".join(java_options)
        # Nodes on one machine start one after the other; a second between them is enough.
        environment["RAY_ON_SPARK_RAY_WORKER_NODE_STARTUP_INTERVAL"] = "1"
        if mark := os.environ.get(MARK):
            environment |= {MARK: mark, "SPT_NOENV": "1"}
    return options | {f"spark.executorEnv.{name}": value for name, value in environment.items()}


def _compiler(settings: Settings) -> list[str]:
    # The parallel collector and the first compiler tier take about a quarter off a short run. With that tier
    # alone Java keeps 48 MB of compiled code, which a run fills; then it drops code and compiles it again.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m"]
    # Java gives back what a collection that it was asked for leaves unused; see `jvm.give_back`.
    given_back = ["-XX:+UseAdaptiveSizePolicyWithSystemGC", "-XX:MaxHeapFreeRatio=40"]
    return ["-XX:+UseParallelGC", *given_back, *(quick if settings.spark.java_compiler == "quick" else [])]


def options_here(settings: Settings, jars: tuple[Path, ...], scratch: Path) -> dict[str, str]:
    """Return the options of a Spark with Delta on this machine; `scratch` is for its temporary files."""
    log4j = Path(__file__).with_name("log4j2.properties").as_uri()
    java_options = [
        *_compiler(settings),
        f"-Dlog4j2.configurationFile={log4j}",
        f"-Djava.io.tmpdir={scratch}",
    ]
    small = str(settings.spark.shuffle_partitions)
    return {
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Tables are registered from the warehouse folder at first use: no metastore to lock or corrupt.
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": (settings.state_dir / "warehouse").as_uri(),
        "spark.driver.memory": settings.spark.driver_memory,
        "spark.driver.extraJavaOptions": " ".join(java_options),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": small,
        "spark.default.parallelism": small,
        # A log lists tens of files: tables of more are compacted. Each task costs more than to read them.
        "spark.databricks.delta.snapshotPartitions": "1",
        # Merging small partitions leaves one core with all the work, and the others with none.
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # Python workers import this package, wherever the process that started them found it.
        "spark.executorEnv.PYTHONPATH": python_path(),
    }
