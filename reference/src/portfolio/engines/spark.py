"""The Spark session of the local profile: Delta on, loopback only, private folders, quiet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from portfolio.engines.jars import delta_jars
from portfolio.engines.java import FALLBACK_JAVA_LOCK, java_home
from portfolio.engines.processes import kept_signal_handlers, readable_spark_errors
from portfolio.engines.scratch import scratch_folder
from portfolio.settings import Settings


@contextmanager
def spark_session(settings: Settings) -> Iterator[SparkSession]:
    """Yield a Spark session with Delta and stop it, whatever happens inside.

    Raises:
        PortfolioError: there is no usable Java, or the Delta jars cannot be had.
    """
    cache = settings.cache_dir
    java = java_home(cache, settings.project_dir / FALLBACK_JAVA_LOCK)
    jars = delta_jars(cache, java)
    environment = {
        "JAVA_HOME": str(java),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        # Another Spark installed on this machine must not lend its files to this one.
        "SPARK_HOME": None,
        "SPARK_CONF_DIR": None,
    }
    with scratch_folder("spark") as scratch, process_environment(environment):
        with kept_signal_handlers(), process_environment({"SPARK_LOCAL_DIRS": str(scratch)}):
            session = _builder(settings, jars, scratch).getOrCreate()
        try:
            with readable_spark_errors():
                yield session
        finally:
            _stop(session)


@contextmanager
def process_environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set (or with None unset) environment variables for child processes, and put them back."""
    before = {name: os.environ.get(name) for name in values}
    _apply(values)
    try:
        yield
    finally:
        _apply(before)


def _apply(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _builder(settings: Settings, jars: tuple[Path, ...], scratch: Path) -> SparkSession.Builder:
    # The parallel collector and the first compiler tier take about a quarter off a short run.
    log4j = Path(__file__).with_name("log4j2.properties").as_uri()
    java_options = [
        "-XX:+UseParallelGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dlog4j2.configurationFile={log4j}",
        f"-Djava.io.tmpdir={scratch}",
    ]
    small = str(settings.spark.shuffle_partitions)
    options = {
        "spark.jars": ",".join(str(jar) for jar in jars),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # Tables are registered from the warehouse folder at first use: no metastore to lock or corrupt.
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": (settings.state_dir / "warehouse").as_uri(),
        "spark.driver.memory": settings.spark.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": " ".join(java_options),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": small,
        "spark.default.parallelism": small,
        "spark.databricks.delta.snapshotPartitions": small,
        # Merging small partitions leaves one core with all the work, and the others with none.
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    master = f"local[{settings.spark.cores or '*'}]"
    builder = SparkSession.Builder().appName(settings.project.name).master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder


def _stop(session: SparkSession) -> None:
    gateway = session.sparkContext._gateway
    session.stop()
    # pyspark keeps the Java process for a next session; a run ends with nothing left behind.
    from pyspark import SparkContext

    if gateway is not None:
        process = getattr(gateway, "proc", None)
        gateway.shutdown()
        if process is not None:
            process.stdin.close()
            process.wait(timeout=30)
    SparkContext._gateway = None
    SparkContext._jvm = None
