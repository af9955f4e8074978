"""A block entered meanwhile is left once, with what happened, and its own failure is not lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from acceleray.runtime.meanwhile import Meanwhile


@contextmanager
def block(seen: list[str], fails: bool = False) -> Iterator[str]:
    seen.append("entered elsewhere" if threading.current_thread() is not threading.main_thread() else "here")
    if fails:
        raise ValueError("not today")
    try:
        yield "value"
    except KeyError:
        seen.append("KeyError")
        raise
    seen.append("left")


def test_it_is_entered_in_another_thread_and_left_in_this_one() -> None:
    seen: list[str] = []
    with Meanwhile(block(seen)) as wait:
        assert wait() == "value"
        assert wait() == "value"
    assert seen == ["entered elsewhere", "left"]


def test_it_is_left_with_the_error_of_what_it_was_entered_for() -> None:
    seen: list[str] = []
    with pytest.raises(KeyError), Meanwhile(block(seen)):
        raise KeyError
    assert seen == ["entered elsewhere", "KeyError"]


def test_its_own_failure_is_raised_where_it_is_waited_for() -> None:
    seen: list[str] = []
    with pytest.raises(ValueError, match="not today"), Meanwhile(block(seen, fails=True)) as wait:
        wait()
    assert seen == ["entered elsewhere"]
