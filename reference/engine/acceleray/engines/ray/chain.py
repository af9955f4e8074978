"""Ray tasks whose results stay in the object store and become arguments of other tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import ray

from acceleray.engines.ray.results import Mapped, result_of


class Chain:
    """Starts tasks that take each other's results; nothing passes through this process unless it is asked.

    A task starts once what it takes is there. One whose worker dies is run again, as is whatever made an
    argument that was lost with it, so each must depend on its arguments alone.
    """

    def __init__(
        self,
        workers: int,
        asks: Mapping[str, int],
        task_timeout_s: int,
        name: str,
        over: Callable[[Mapped], None],
    ) -> None:
        """Let each task ask for resources and take so long; `over` is told what was done under a name."""
        self._workers, self._timeout_s, self._name, self._over = workers, task_timeout_s, name, over
        self._began, self._started = time.monotonic(), 0
        # One remote function for all: Ray sends what a new one is to every worker.
        self._remote = ray.remote(**asks, max_retries=3)(_called)

    def __enter__(self) -> Chain:
        """Return the chain itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell what was done."""
        seconds, at_once = time.monotonic() - self._began, min(self._workers, self._started)
        self._over(Mapped(self._name, self._began, seconds, self._started, at_once))

    def start(self, function: Callable[..., Any], *arguments: Any) -> ray.ObjectRef:
        """Start `function(*arguments)` and return where its result will be.

        Args:
            function: a module-level function.
            arguments: small values, what `FanOut.share` returned, or what this returned.
        """
        self._started += 1
        return self._remote.options(name=function.__name__).remote(function, *arguments)

    def results(self, references: Sequence[ray.ObjectRef], what: str) -> Iterator[Any]:
        """Yield results in order.

        Raises:
            PortfolioError: a task raised, or took longer than `ray.task_timeout_s`. A PortfolioError that a
                task raised comes out as it is.
        """
        patience_s = self._timeout_s
        for number, reference in enumerate(references):
            label = f"{what} {number + 1} of {len(references)}"
            yield result_of(reference, label, time.monotonic() + patience_s, patience_s)


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run one task, in a worker."""
    return function(*arguments)
