"""Signals and errors across process borders: what Spark and Ray change in this process, put back."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from acceleray.engines.spark import jvm

_RPC = re.compile(r'status = StatusCode\.(\w+)\s+details = "([^\n]*)"')


class SparkFailureError(RuntimeError):
    """An error from Spark as text; the first line says what happened.

    Errors of pyspark ask the Java process for their own message. Once the session is stopped they
    cannot be printed any more, so they are turned into text before.
    """


@contextmanager
def kept_signal_handlers() -> Iterator[None]:
    """Put the handlers of SIGINT and SIGTERM back when the block ends.

    Starting Spark replaces the one and starting Ray the other: a run that is told to stop would then
    leave with the wrong exit code, or raise a second time in the middle of cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def readable_spark_errors() -> Iterator[None]:
    """Raise errors of pyspark and py4j as `SparkFailureError`, while Java can still say what they mean."""
    from pyspark.errors import PySparkException
    from pyspark.logger import PySparkLogger

    # pyspark also writes each error to standard error, as one line of JSON with a page of stack trace.
    log = PySparkLogger.getLogger("SQLQueryContextLogger")
    before, log.disabled = log.disabled, True
    try:
        yield
    except (PySparkException, jvm.errors()) as error:
        text = text_of(error)
        named = text if text.startswith("[") else f"{type(error).__name__}: {text}"
        raise SparkFailureError(named) from error
    finally:
        log.disabled = before


def text_of(error: BaseException) -> str:
    """Return an error's message from its first line that says something, whatever state the error is in."""
    try:
        text = str(error)
    except Exception:
        # An error of Spark whose Java process is gone.
        text = str(getattr(error, "_desc", "") or "") or type(error).__name__
    lines = text.strip().splitlines()
    # Py4J puts where it was called before what was thrown.
    if len(lines) > 1 and lines[0].startswith("An error occurred while calling"):
        lines = [lines[1].removeprefix(": "), *lines[2:]]
    # gRPC describes the call first, and what is wrong below it.
    if said := _RPC.search(text):
        lines = [f"{said[1]}: {said[2]}"]
    return "\n".join(lines)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its type if it has none."""
    return (text_of(error).splitlines() or [type(error).__name__])[0].strip()
