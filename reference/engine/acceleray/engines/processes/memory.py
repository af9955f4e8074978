"""Memory that libraries keep for later goes back to the machine, where other processes need it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa

from acceleray.engines.spark import jvm


def give_back() -> None:
    """Give back what Arrow, the C library and this process's Java hold unused.

    Of millions of rows that is hundreds of megabytes each.
    """
    pa.default_memory_pool().release_unused()
    trim()
    jvm.give_back()


def trim() -> None:
    """Give back what the C library holds unused; only the GNU one can."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


@contextmanager
def given_back() -> Iterator[None]:
    """Give back what is unused at the end."""
    try:
        yield
    finally:
        give_back()
