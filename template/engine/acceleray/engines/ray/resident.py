"""Large values that stay in Ray's object store, where tasks made them, and are asked again and again.

A value is made by a task and never leaves the node that made it: Ray sends later tasks to where their
arguments are, and these read them without a copy. What a lost node had is made again, by the same task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError


class Resident:
    """Keeps values in the object store and calls functions on them."""

    def __init__(self, fan_out: FanOut) -> None:
        """Work on the Ray of a fan-out."""
        self._timeout_s = fan_out.task_timeout_s
        self._share = fan_out.share
        # One remote function for all: Ray sends what a new one is to every worker.
        self._remote = ray.remote(num_cpus=1, max_retries=3)(_call)

    def share(self, value: Any) -> Any:
        """Store a read-only value once and return its handle."""
        return self._share(value)

    def keep(
        self,
        function: Callable[..., Any],
        tasks: Sequence[tuple[Any, ...]],
        done: Callable[[int], None] = lambda count: None,
    ) -> list[Any]:
        """Return handles of `function(*task)` for every task, once all have been made.

        Args:
            function: a module-level function.
            tasks: arguments, values or handles.
            done: called with the number of finished ones.

        Raises:
            PortfolioError: one raised, or took longer than `ray.task_timeout_s`.
        """
        kept = [self._started(function, task) for task in tasks]
        waiting = list(kept)
        with _explained(function.__name__):
            while waiting:
                ended, waiting = ray.wait(waiting, timeout=self._timeout_s, fetch_local=False)
                if not ended:
                    raise PortfolioError(
                        f"{function.__name__} gave no result in {self._timeout_s} s; raise ray.task_timeout_s."
                    )
                done(len(kept) - len(waiting))
            # Only a small value of each comes here: what failed raises.
            ray.get([self._started(_nothing, (each,)) for each in kept])
        return kept

    def ask(self, function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Return `function(*task)` for every task, in the order of `tasks`; handles arrive as their values.

        Raises:
            PortfolioError: as `keep`.
        """
        with _explained(function.__name__):
            return list(ray.get([self._started(function, task) for task in tasks], timeout=self._timeout_s))

    def get(self, handle: Any) -> Any:
        """Return a kept value; without a copy where it lies on this machine."""
        with _explained("what is kept in memory"):
            return ray.get(handle, timeout=self._timeout_s)

    def _started(self, function: Callable[..., Any], task: tuple[Any, ...]) -> Any:
        return self._remote.options(name=function.__name__).remote(function, *task)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what Ray raises into one line."""
    try:
        yield
    except GetTimeoutError:
        raise PortfolioError(f"{name} gave no result in time; raise ray.task_timeout_s.") from None
    except RayTaskError as error:
        if isinstance(error.cause, PortfolioError):
            raise error.cause from None
        raise PortfolioError(f"{name} failed: {type(error.cause).__name__}: {error.cause}") from error
    except RayError as error:
        first = (str(error).splitlines() or [""])[0]
        raise PortfolioError(f"{name} was lost ({type(error).__name__}: {first}); ask again.") from error


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _nothing(value: Any) -> None:
    """Return nothing: that it runs says that its argument was made."""
