"""Ray as the project uses it: one function over many independent tasks, results in task order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import ray

from acceleray.engines.ray.chain import Chain
from acceleray.engines.ray.kept_states import KeptStates
from acceleray.engines.ray.results import Mapped, result_of
from acceleray.errors import PortfolioError

# Batches a worker has to itself, one at work and one waiting for it; and batches a worker may be ahead.
_AT_WORK, _AHEAD = 2, 8
# Batches for each worker that the rest is always good for, however large batches may be.
_LEFT = 4


class Tasks(Protocol):
    """A list, or what makes a task when it is asked for one: a million need not all be there at once."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, number: int, /) -> Any:
        """Return one; they are asked for once each, in order."""


class FanOut:
    """Runs a pure function over tasks on Ray; made by the engines of a profile."""

    def __init__(self, workers: int, task_timeout_s: int, gpus: int = 0) -> None:
        """Keep how many tasks run at once, how long one may take, and how many GPUs Ray has."""
        self.workers = workers
        self.asks = {"num_cpus": 1}
        self._gpus = gpus
        self.task_timeout_s = task_timeout_s
        self.mapped: list[Mapped] = []

    def on(self, device: str) -> FanOut:
        """Return a fan-out whose tasks fit models on a device: on `cuda` each has a GPU to itself.

        Raises:
            PortfolioError: there is no GPU.
        """
        if device == "cpu":
            return self
        if not self._gpus:
            raise PortfolioError(f"model.device is {device} but Ray has no GPU; set it to cpu.")
        mapped = FanOut(self._gpus, self.task_timeout_s, self._gpus)
        mapped.asks = {"num_cpus": 1, "num_gpus": 1}
        mapped.mapped = self.mapped
        return mapped

    def share(self, value: Any) -> ray.ObjectRef:
        """Store a large read-only value once; pass what this returns in `shared` of several maps."""
        return value if isinstance(value, ray.ObjectRef) else ray.put(value)

    def held(self, reference: ray.ObjectRef) -> Any:
        """Return what `share` stored, with arrays in the memory that all processes of a machine share."""
        return ray.get(reference)

    def chain(self, name: str) -> Chain:
        """Return what starts tasks that take each other's results; see `acceleray.engines.ray.chain`."""
        return Chain(self.workers, self.asks, self.task_timeout_s, name, self.mapped.append)

    def states(self, name: str, say: Callable[[str], None] = lambda line: None) -> KeptStates:
        """Return what keeps states in actors; see `acceleray.engines.ray.kept_states`."""
        return KeptStates(self.workers, self.asks, self.task_timeout_s, name, self.mapped.append, say)

    def map(
        self,
        function: Callable[..., Any],
        tasks: Tasks,
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        batch: int = 1,
        **fixed: Any,
    ) -> Iterator[Any]:
        """Yield `function(task, *shared, **fixed)` for every task, in the order of `tasks`.

        Large inputs belong in `shared`: each is stored once and read by all workers without a copy. Tasks
        may be uneven: while one takes long, others go on, but at most eight a worker are ahead of the
        oldest unfinished one, so results do not pile up, and what the driver holds does not grow with the
        number of tasks. A task whose worker dies is run again; it must therefore depend on its arguments
        alone. What a task returns depends on no batch.

        Args:
            function: a module-level function.
            tasks: the small argument that differs.
            shared: read-only arguments that do not.
            done: called with the number of finished tasks after each one.
            batch: how many tasks a worker is given at once, at most. A batch costs about two milliseconds of
                all processors together: worth it for tasks of some hundredths of a second or less.
            fixed: small arguments that do not differ.

        Raises:
            PortfolioError: a task raised, or took longer than `ray.task_timeout_s`. A PortfolioError that a
                task raised comes out as it is.
        """
        began = time.monotonic()
        try:
            yield from self._map(function, tasks, shared, done, batch, fixed)
        finally:
            seconds, at_once = time.monotonic() - began, min(self.workers, len(tasks))
            self.mapped.append(Mapped(function.__name__, began, seconds, len(tasks), at_once))

    def _map(
        self,
        function: Callable[..., Any],
        tasks: Tasks,
        shared: Sequence[Any],
        done: Callable[[int], None],
        batch: int,
        fixed: Mapping[str, Any],
    ) -> Iterator[Any]:
        references = [self.share(value) for value in shared]
        remote = ray.remote(**self.asks, max_retries=3)(_each).options(name=function.__name__)
        # The same cut twice: what is started next, and what is waited for.
        ahead = batches(len(tasks), self.workers, batch)
        working, waiting = set[ray.ObjectRef](), deque[ray.ObjectRef]()
        for part in batches(len(tasks), self.workers, batch):
            patience_s = self.task_timeout_s * len(part)
            due = time.monotonic() + patience_s
            while True:
                while (
                    len(working) < _AT_WORK * self.workers
                    and len(waiting) < _AHEAD * self.workers
                    and (following := next(ahead, None)) is not None
                ):
                    given = [tasks[number] for number in following]
                    reference = remote.remote(function, given, fixed, *references)
                    working.add(reference)
                    waiting.append(reference)
                if waiting[0] not in working or (left := due - time.monotonic()) <= 0:
                    break
                # Whichever ends first makes room for the next, so that one long task keeps no worker idle.
                ended, _ = ray.wait(list(working), timeout=left, fetch_local=False)
                working.difference_update(ended)
            label = f"{function.__name__} {_named(part)} of {len(tasks)}"
            results = result_of(waiting.popleft(), label, due, patience_s)
            for number, result in zip(part, results, strict=True):
                done(number + 1)
                yield result


def batches(count: int, workers: int, most: int) -> Iterator[range]:
    """Yield `count` tasks cut into batches of at most `most`, ever smaller ones at the end.

    The remaining tasks make several batches per worker, so that none waits long for another.
    """
    first = 0
    while first < count:
        size = max(1, min(most, (count - first) // (_LEFT * workers)))
        yield range(first, first + size)
        first += size


def _each(
    function: Callable[..., Any], tasks: Sequence[Any], fixed: Mapping[str, Any], *shared: Any
) -> list[Any]:
    """Run one batch, in a worker."""
    return [function(task, *shared, **fixed) for task in tasks]


def _named(part: range) -> str:
    return f"task {part[0] + 1}" if len(part) == 1 else f"tasks {part[0] + 1} to {part[-1] + 1}"
