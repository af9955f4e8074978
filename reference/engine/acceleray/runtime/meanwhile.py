"""A block that is entered while something else starts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Meanwhile(Generic[T]):
    """Enters a block in a separate thread, and leaves it in this one, with any error raised in between."""

    def __init__(self, block: AbstractContextManager[T]) -> None:
        """Keep the block; nothing begins yet."""
        self._block = block
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="meanwhile")

    def __enter__(self) -> Callable[[], T]:
        """Begin to enter the block, and return what waits for what it yields.

        The returned object raises any error of the block.
        """
        self._entered = self._pool.submit(self._block.__enter__)
        self._pool.shutdown(wait=False)
        return self._entered.result

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Leave the block as it would have been left; one that could not be entered is not."""
        if self._entered.exception() is not None:
            return None
        return self._block.__exit__(kind, error, trace)
