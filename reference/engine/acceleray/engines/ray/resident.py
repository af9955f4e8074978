"""Large values that stay in Ray's object store, where tasks made them, and are asked again and again.

A value never leaves the node that made it: Ray sends later tasks to where their arguments are, and these read
them without a copy. Values of a lost node are recomputed by the same task. Values are in groups, so that a
question costs a few tasks and not one a value, and so that those of a group lie on one node.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import ray
from ray import cloudpickle
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError

# Groups for each worker: with one, who starts late keeps all others waiting.
_GROUPS = 2


class Pending:
    """A submitted request in progress."""

    def __init__(self, name: str, references: Sequence[Any], timeout_s: int) -> None:
        """Wait for references, each to a list of results."""
        self._name, self._references, self._timeout_s = name, references, timeout_s

    def get(self) -> list[Any]:
        """Return all results in order.

        Raises:
            PortfolioError: a task raised, or took longer than `ray.task_timeout_s`.
        """
        with _explained(self._name):
            parts = ray.get(list(self._references), timeout=self._timeout_s)
        return [each for part in parts for each in part]


class Resident:
    """Keeps values in the object store and calls functions on them, group by group."""

    def __init__(self, fan_out: FanOut, values: int) -> None:
        """Work on the Ray of a fan-out; `values` is how many there will be of each kind."""
        self._timeout_s = fan_out.task_timeout_s
        self._share = fan_out.share
        # One remote function for all: Ray sends what a new one is to every worker.
        self._remote = ray.remote(num_cpus=1, max_retries=3)(_each)
        groups = min(_GROUPS * fan_out.workers, values)
        ends = [values * number // groups for number in range(groups + 1)]
        self._groups = [slice(*both) for both in pairwise(ends)]

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
            PortfolioError: one raised, or nothing was finished for `ray.task_timeout_s`.
        """
        kept: list[Any] = []
        for group in self._groups:
            some = tasks[group]
            if len(some) == 1:
                # Ray hands out the reference to a single value by itself.
                kept.append(self._started(_only, function, some))
            else:
                # One after the other into the store: a list of them would be in memory a second time.
                kept += self._started(_one_by_one, function, some, num_returns=len(some))
        waiting, ended = kept, list[Any]()
        due = time.monotonic() + self._timeout_s
        with _explained(function.__name__):
            while waiting:
                left = max(due - time.monotonic(), 0.0)
                ended, waiting = ray.wait(waiting, timeout=left, fetch_local=False)
                if not ended:
                    raise PortfolioError(
                        f"{function.__name__} returned nothing in {self._timeout_s} s; "
                        "raise ray.task_timeout_s."
                    )
                due = time.monotonic() + self._timeout_s
                done(len(kept) - len(waiting))
        # A failure is a value too, until it is asked.
        self.ask(_nothing, [(each,) for each in kept], function.__name__).get()
        return kept

    def ask(
        self,
        function: Callable[..., Any],
        tasks: Sequence[tuple[Any, ...]],
        name: str = "",
        same: tuple[Any, ...] = (),
    ) -> Pending:
        """Start `function(*task, *same)` for every task; handles in tasks arrive as their values.

        `name` is for messages. `same` is sent once per group.
        """
        packed = cloudpickle.dumps(same)
        started = [self._started(_all, function, tasks[group], packed) for group in self._groups]
        return Pending(name or function.__name__, started, self._timeout_s)

    def get(self, handle: Any) -> Any:
        """Return a kept value; without a copy where it lies on this machine."""
        with _explained("what is kept in memory"):
            return ray.get(handle, timeout=self._timeout_s)

    def _started(
        self,
        how: Callable[..., Any],
        function: Callable[..., Any],
        tasks: Sequence[tuple[Any, ...]],
        same: bytes = b"",
        **options: Any,
    ) -> Any:
        # Only arguments of the task itself arrive as values, not those inside of others; each of them costs
        # Ray as much as all values together.
        handles = [each for task in tasks for each in task if isinstance(each, ray.ObjectRef)]
        values = [[None if isinstance(each, ray.ObjectRef) else each for each in task] for task in tasks]
        held = [[isinstance(each, ray.ObjectRef) for each in task] for task in tasks]
        remote = self._remote.options(name=function.__name__, **options)
        return remote.remote(how, function, (values, held, same), *handles)


def store_mb() -> int:
    """Return the size of the object stores of all nodes of the Ray that runs, in MB."""
    return int(ray.cluster_resources().get("object_store_memory", 0.0) // (1024 * 1024))


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


def _each(
    how: Callable[..., Any],
    function: Callable[..., Any],
    group: tuple[list[list[Any]], list[list[bool]], bytes],
    *handles: Any,
) -> Any:
    """Run one group, in a worker."""
    values, held, packed = group
    same, arrived = pickle.loads(packed) if packed else (), iter(handles)
    tasks = [
        (*(next(arrived) if one else each for each, one in zip(task, are, strict=True)), *same)
        for task, are in zip(values, held, strict=True)
    ]
    return how(function, tasks)


def _all(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [function(*task) for task in tasks]


def _only(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Any:
    [task] = tasks
    return function(*task)


def _one_by_one(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    return (function(*task) for task in tasks)


def _nothing(value: Any) -> None:
    """Return nothing: that it runs says that its argument was made."""
