"""The session of profile `connect`: Spark through Spark Connect, with no more than serverless compute allows.

What is private to pyspark in it (seen with 4.1.4) stands in this module alone, and in `connect_server`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from acceleray.engines.environment_checks import databricks_runtime, unanswered
from acceleray.engines.processes.cleanup import process_environment
from acceleray.engines.processes.scratch import scratch_folder
from acceleray.engines.processes.signals import SparkFailureError, first_line, readable_spark_errors, text_of
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.topology import DATABRICKS, address, on_this_machine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# By this pyspark's functions make columns of Spark Connect.
_ZONE = "spark.sql.session.timeZone"
_MODE = "SPARK_CONNECT_MODE_ENABLED"
# A server on this machine that does not answer for some seconds has gone; one elsewhere gets the ten minutes
# that pyspark gives it, as long as there is anything to lose.
_SOON = {"max_retries": 4, "max_backoff": 1000}
_ENDED = ("INVALID_HANDLE", "RETRIES_EXCEEDED", "UNAVAILABLE", "failed to connect to all addresses")
# Stopped sessions stay referenced: pyspark ends its threads when one is collected, and waits for ever where
# the garbage collector runs in one of those threads, in the middle of a call of the next session.
_STOPPED: list[object] = []


@contextmanager
def connect_session(settings: Settings, more: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """Yield the Spark Connect session of `spark.remote`; without one, of a server that is started here.

    Args:
        settings: of the project.
        more: further options of a server that is started here.

    Raises:
        PortfolioError: no server answers, it refuses, or the session ended before the block did.
    """
    remote = settings.spark.remote
    with ExitStack() as stack:
        if remote == DATABRICKS:
            # How this process speaks to it is Databricks' to say, and may be in the environment already.
            session = _of_databricks()
            stack.enter_context(_zone_put_back(session))
        else:
            # The address is given to the session itself; with both pyspark would compare them.
            stack.enter_context(process_environment({_MODE: "1", "SPARK_REMOTE": None}))
            if not remote:
                # Code that starts a server is not needed to reach one.
                from acceleray.engines.spark.connect_server import connect_server

                folder = stack.enter_context(scratch_folder("c"))
                remote = stack.enter_context(connect_server(settings, folder, more))
            session = _reached(remote)
            stack.callback(_stopped, session)
        # Of the few settings that serverless compute lets a session have.
        session.conf.set(_ZONE, "UTC")
        with _ended_in_words(where(remote)), readable_spark_errors():
            yield session


def where(remote: str) -> str:
    """Return how messages name an address: without its token."""
    return "Databricks" if remote == DATABRICKS else "{}:{}".format(*address(remote))


def batches(rows: DataFrame) -> Iterator[pa.RecordBatch]:
    """Yield rows as they come from a Spark Connect session, so that this process never holds them all."""
    of: Any = rows
    client, plan = of.sparkSession.client, of._plan
    for batch in client.to_table_as_iterator(plan.to_proto(client), plan.observations):
        if isinstance(batch, pa.Table):
            yield from batch.to_batches()


@contextmanager
def _zone_put_back(session: SparkSession) -> Iterator[None]:
    """Leave the time zone of a notebook's session, which goes on, as it was."""
    before = session.conf.get(_ZONE)
    try:
        yield
    finally:
        # A session that has ended has nothing to put back.
        with suppress(Exception):
            session.conf.set(_ZONE, before or "UTC")


def _reached(remote: str) -> SparkSession:
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    if line := unanswered(remote):
        raise PortfolioError(line)
    session: Any = ConnectSession.builder.remote(remote).create()
    if on_this_machine(remote):
        session.client.set_retry_policies([DefaultPolicy(**_SOON)])
    try:
        with readable_spark_errors():
            session.version  # noqa: B018 - the first question shows whether the server lets this client in
    except SparkFailureError as error:
        _stopped(session)
        why = first_line(error.__cause__ or error)[:200]
        raise PortfolioError(
            f"The Spark Connect server at {where(remote)} refuses this client: {why}"
        ) from None
    found: SparkSession = session
    return found


def _stopped(session: Any) -> None:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    # Everything of value is committed by now.
    with suppress(Exception):
        _STOPPED.append(session)
        session.client.set_retry_policies([DefaultPolicy(**_SOON)])
        session.stop()


def _of_databricks() -> SparkSession:
    if databricks_runtime(os.environ) is not None:
        from pyspark.sql import SparkSession

        return SparkSession.getActiveSession() or SparkSession.Builder().getOrCreate()
    try:
        connect: Any = import_module("databricks.connect")
    except ImportError:
        raise PortfolioError(
            "spark.remote is databricks, but databricks-connect is not installed; install it in a new"
            " environment, or run in a notebook of the workspace."
        ) from None
    session: SparkSession = connect.DatabricksSession.builder.getOrCreate()
    return session


@contextmanager
def _ended_in_words(place: str) -> Iterator[None]:
    try:
        yield
    except SparkFailureError as error:
        if any(sign in text_of(error) for sign in _ENDED):
            raise PortfolioError(
                f"The Spark Connect session at {place} ended before the run did; what was committed stays,"
                " so run again."
            ) from error
        raise
