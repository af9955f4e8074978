"""The one module that touches Spark's JVM: its context, Py4J, RDDs, and what else pyspark keeps to itself.

A Spark Connect session has none of it, so what every profile runs must do without this module. What is used
here is private to pyspark 4.1 in part; seen working with 4.1.4, and what another version lacks is said in one
line. Nothing is imported before it is needed: the doctor asks about a place without Spark.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from acceleray.errors import PortfolioError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TypeVar("T")
SEEN_IN = "4.1.4"
# A short run's heap stays below; collecting garbage takes some tenths of a second.
_GROWN_BYTES = 450_000_000


@dataclass(frozen=True)
class Job:
    """A Spark job that runs now: its number, its group and how many of its tasks are at work."""

    number: int
    group: str
    active_tasks: int


def errors() -> type[Exception]:
    """Return the error that Py4J raises; without Py4J, as Spark Connect's own client is, none is raised."""
    try:
        from py4j.protocol import Py4JError
    except ImportError:
        return _NoPy4JError
    return Py4JError


class _NoPy4JError(Exception):
    pass


def has_context(session: Any) -> bool:
    """Return whether a session has a SparkContext, which Ray needs to live inside Spark."""
    try:
        return session.sparkContext is not None
    except Exception:
        # PySparkAttributeError, PySparkNotImplementedError or a security error of Py4J, by version.
        return False


def start(master: str, name: str, options: Mapping[str, str], secret: str | None = None) -> SparkSession:
    """Return a new session in a new Java process.

    Args:
        master: as Spark takes it.
        name: of the application.
        options: of Spark; they stand on Java's command line, which every user of a machine can read.
        secret: that the cluster asks for; it stands there not.

    Raises:
        PortfolioError: this process has a session already.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    if _private(SparkContext, "_active_spark_context") is not None:
        # Spark would hand out that one, wherever it runs and whatever its options are.
        raise PortfolioError("This process already has an active Spark session; stop it before this run.")
    public = SparkConf(loadDefaults=False).setMaster(master).setAppName(name)
    _private(SparkContext, "_ensure_initialized")(conf=public.setAll(list(options.items())))
    builder = SparkSession.Builder().master(master).appName(name)
    for key, value in options.items():
        builder = builder.config(key, value)
    if secret is not None:
        builder = builder.config("spark.authenticate", "true").config("spark.authenticate.secret", secret)
    session = builder.getOrCreate()
    # Delta prints to it what VACUUM deleted, but standard output stays for results.
    java = _private(session, "_jvm").java
    java.lang.System.setOut(java.io.PrintStream(java.io.OutputStream.nullOutputStream()))
    return session


def stop() -> None:
    """Stop this process's session and its Java process, which pyspark would keep for a next one."""
    from pyspark import SparkContext

    context, gateway = (_private(SparkContext, name) for name in ("_active_spark_context", "_gateway"))
    if context is not None:
        context.stop()
    if gateway is not None:
        process = getattr(gateway, "proc", None)
        gateway.shutdown()
        if process is not None:
            process.stdin.close()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                # Its context is stopped and everything is committed, so nothing is lost.
                process.kill()
                process.wait()
    SparkContext._gateway = None
    SparkContext._jvm = None


def give_back() -> None:
    """Have the Java process that this one started give back memory, if its heap has grown.

    Nothing happens where Java was there before, as on Databricks, or is elsewhere, as with Spark Connect.
    """
    context = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    gateway: Any = None if context is None else _private(context, "_gateway")
    if getattr(gateway, "proc", None) is None:
        return
    # Whoever works with a Java that is gone says so.
    with suppress(errors(), OSError):
        java = gateway.jvm.java.lang
        if java.Runtime.getRuntime().totalMemory() > _GROWN_BYTES:
            java.System.gc()


def in_one_process(session: SparkSession) -> bool:
    """Return whether a session has no executors besides its driver."""
    return str(session.sparkContext.master).startswith("local")


def executors(session: SparkSession) -> int:
    """Return how many executors there are; the driver counts itself among them, and is left out."""
    return int(_java(session).getExecutorMemoryStatus().size()) - 1


def slots(session: SparkSession) -> int:
    """Return how many tasks Spark can run at once."""
    java = _java(session)
    return int(java.maxNumConcurrentTasks(java.resourceProfileManager().defaultResourceProfile()))


def on_executors(session: SparkSession, function: Callable[[Any], T], tasks: int) -> list[T]:
    """Return what a function says in so many tasks; it travels by value."""
    found: list[T] = session.sparkContext.parallelize(range(tasks), tasks).map(function).collect()
    return found


def running_jobs(session: SparkSession) -> Iterator[Job]:
    """Yield the jobs that run now."""
    java = _private(session.sparkContext, "_jvm")
    # Spark remembers a thousand jobs that have ended; asking for each of them every second would cost more.
    running = java.java.util.Collections.singletonList(java.org.apache.spark.JobExecutionStatus.RUNNING)
    jobs = _java(session).statusStore().jobsList(running)
    for index in range(jobs.size()):
        job = jobs.apply(index)
        group = job.jobGroup()
        yield Job(int(job.jobId()), str(group.get()) if group.isDefined() else "", int(job.numActiveTasks()))


def cancel(session: SparkSession, job: int, why: str) -> None:
    """Cancel a job; the waiting thread gets the reason."""
    _java(session).cancelJob(job, why)


def _java(session: SparkSession) -> Any:
    return _private(session.sparkContext, "_jsc").sc()


def _private(owner: Any, name: str) -> Any:
    """Return what pyspark keeps to itself.

    Raises:
        PortfolioError: this version of pyspark does not have it.
    """
    try:
        return getattr(owner, name)
    except AttributeError:
        import pyspark

        raise PortfolioError(
            f"pyspark {pyspark.__version__} has no {name}, which this engine uses (seen in {SEEN_IN}); "
            "install engine/requirements.lock."
        ) from None
