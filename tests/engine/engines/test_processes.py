import signal

import pytest
from pyspark.errors import PySparkException

from acceleray.engines.processes.signals import (
    SparkFailureError,
    first_line,
    kept_signal_handlers,
    readable_spark_errors,
    text_of,
)


def test_handlers_that_a_library_replaces_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with kept_signal_handlers():
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: None)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_error_of_spark_becomes_text_and_other_errors_pass_as_they_are() -> None:
    with (
        pytest.raises(SparkFailureError, match=r"^PySparkException: no such table$"),
        readable_spark_errors(),
    ):
        raise PySparkException("no such table")
    with pytest.raises(KeyError), readable_spark_errors():
        raise KeyError("mine")


def test_the_line_that_says_where_java_was_called_is_left_out() -> None:
    error = RuntimeError("An error occurred while calling o12.save.\n: java.io.IOException: disk\n\tat a.b.C")
    assert first_line(error) == "java.io.IOException: disk"


def test_an_error_that_cannot_print_itself_still_has_a_line() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise AssertionError("the Java process is gone")

    assert text_of(MuteError()) == "MuteError"
    assert first_line(ValueError()) == "ValueError"
