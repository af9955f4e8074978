"""States that stay where they are, in Ray actors, while the parts of a stream go through all of them.

For what grows too large to be handed from task to task: a state of a hundred megabytes never leaves its
actor. The actors make the parts of the stream too, in turn, and pass them on through Ray's object store, a
few segments at a time. Each actor has its resources until the end, so start no task before then: it would
wait for them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from types import TracebackType
from typing import Any

import ray

from acceleray.engines.processes.memory import trim
from acceleray.engines.ray.results import LostError, Mapped, result_of
from acceleray.errors import PortfolioError

# Segments that some state still has to take when the next one is made.
_WORKING = 1
# As often as Ray runs a task whose worker is lost: once, and three times more.
_ATTEMPTS = 4
# Until the first actor is there, on a machine that others keep busy too; and then until the others are: a
# node that is gone may not come back.
_START_S, _GRACE_S = 300, 30.0


@dataclass(frozen=True)
class Stream:
    """Module-level functions: `make(part, *shared)`, `take(state, task, *shared, *made)`, `finish(...)`.

    `take` returns the state after some more parts in their order, given None before the first;
    `finish(state, task, *shared)` returns what is said of the task.
    """

    make: Callable[..., Any]
    take: Callable[..., Any]
    finish: Callable[..., Any]


class KeptStates:
    """Actors, started when they are first needed and ended with the block.

    An actor that is lost takes its states with it: all actors end, and the stream starts again with new ones.
    """

    def __init__(
        self,
        workers: int,
        asks: Mapping[str, int],
        task_timeout_s: int,
        name: str,
        over: Callable[[Mapped], None],
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Start at most `workers` actors that ask for resources.

        `over` is told what was done in each stream, and `say` when it starts again.
        """
        self._workers, self._timeout_s, self._name, self._over = workers, task_timeout_s, name, over
        self._say = say
        self._remote: Any = ray.remote(**asks)(_Keeper)
        self._actors: list[Any] = []

    def __enter__(self) -> KeptStates:
        """Return the same; no actor is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all actors, whatever they are at."""
        self._end()

    def through(
        self,
        stream: Stream,
        tasks: Sequence[Any],
        segments: Sequence[Sequence[Any]],
        shared: Sequence[Any],
        done: Callable[[], None] = lambda: None,
    ) -> list[Any]:
        """Return what is known of each task, in order, after its state has taken all parts in theirs.

        Args:
            stream: what is done; nothing may depend on which actor does it.
            tasks: the small argument that makes a state another one.
            segments: parts, small arguments too; those of three segments are in the object store together.
            shared: values, or what `FanOut.share` returned.
            done: called when all states have taken one more segment.

        Raises:
            PortfolioError: a function raised, a segment took longer than `ray.task_timeout_s`, or actors were
                lost four times. A PortfolioError that a function raised comes out as it is.
        """
        began, furthest = time.monotonic(), 0

        def ended(number: int) -> None:
            nonlocal furthest
            if number >= furthest:
                furthest = number + 1
                done()

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                results = self._through(stream, tasks, segments, shared, ended)
                break
            except LostError as error:
                self._end()
                if attempt == _ATTEMPTS:
                    raise
                self._say(f"{error.what}; {self._name} starts again, attempt {attempt + 1} of {_ATTEMPTS}.")
        started = sum(map(len, segments)) + len(segments) * len(tasks) + len(tasks)
        self._over(Mapped(self._name, began, time.monotonic() - began, started, len(self._actors)))
        return results

    def _through(
        self,
        stream: Stream,
        tasks: Sequence[Any],
        segments: Sequence[Sequence[Any]],
        shared: Sequence[Any],
        ended: Callable[[int], None],
    ) -> list[Any]:
        self._actors = self._actors or self._placed()
        count = len(self._actors)
        own = [list(tasks[place::count]) for place in range(count)]
        begun = [
            actor.begin.remote(stream, some, *shared) for actor, some in zip(self._actors, own, strict=True)
        ]
        self._results(begun, self._name)
        keeping = [actor for actor, some in zip(self._actors, own, strict=True) if some]
        working: deque[tuple[int, list[ray.ObjectRef]]] = deque()

        def oldest() -> None:
            number, taken = working.popleft()
            self._results(taken, f"segment {number + 1} of {len(segments)}")
            ended(number)

        made = self._made(segments)
        following = next(made)
        for number in range(len(segments)):
            # Before what takes the last one: no actor waits for what another makes while it could take.
            current, following = following, next(made, [])
            working.append((number, [actor.take.remote(*current) for actor in keeping]))
            if len(working) > _WORKING:
                oldest()
        while working:
            oldest()
        finished = self._results([actor.finish.remote() for actor in keeping], self._name)
        results: list[Any] = [None] * len(tasks)
        for place, some in enumerate(finished):
            results[place::count] = some
        return results

    def _made(self, segments: Sequence[Sequence[Any]]) -> Iterator[list[ray.ObjectRef]]:
        """Yield the parts of each segment, started when they are asked for, by one actor after the other."""
        makers = cycle(self._actors)
        for segment in segments:
            yield [next(makers).make.remote(part) for part in segment]

    def _results(self, references: Sequence[ray.ObjectRef], what: str) -> list[Any]:
        due = time.monotonic() + self._timeout_s
        return [result_of(reference, what, due, self._timeout_s) for reference in references]

    def _placed(self) -> list[Any]:
        """Return actors that have started: as many as are wanted, or as there is room for."""
        actors = [self._remote.remote() for _ in range(self._workers)]
        # What ends in between ends these too.
        self._actors = actors
        waiting = {actor.there.remote(): actor for actor in actors}
        first, others = ray.wait(list(waiting), timeout=_START_S, fetch_local=False)
        if not first:
            raise PortfolioError(
                f"No Ray worker started in {_START_S} s for {self._name}: this machine is too busy or out of "
                "memory; run again when other work on it has ended."
            )
        if others:
            more, missing = ray.wait(others, num_returns=len(others), timeout=_GRACE_S, fetch_local=False)
            for reference in missing:
                _killed(waiting[reference])
            first += more
        return [waiting[reference] for reference in first]

    def _end(self) -> None:
        for actor in self._actors:
            _killed(actor)
        self._actors = []


def _killed(actor: Any) -> None:
    # Ray itself may be over when a run is interrupted, and its actors with it.
    with suppress(Exception):
        ray.kill(actor)


class _Keeper:
    """The states of some tasks, in a worker."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._tasks: list[Any] = []
        self._shared: tuple[Any, ...] = ()
        self._states: list[Any] = []

    def there(self) -> None:
        """Return nothing: that it returns says that the actor has its resources."""

    def begin(self, stream: Stream, tasks: list[Any], *shared: Any) -> None:
        """Forget what was, and begin with a state for each task."""
        self._stream, self._tasks, self._shared = stream, tasks, shared
        self._states = [None] * len(tasks)

    def make(self, part: Any) -> Any:
        """Return one part of the stream."""
        assert self._stream is not None
        return self._stream.make(part, *self._shared)

    def take(self, *made: Any) -> None:
        """Take some parts into every state."""
        assert self._stream is not None
        for place, task in enumerate(self._tasks):
            self._states[place] = self._stream.take(self._states[place], task, *self._shared, *made)
        # States are made of many small arrays that come and go: without this a worker grows by half.
        trim()

    def finish(self) -> list[Any]:
        """Return what is known of each task, and forget its state."""
        assert self._stream is not None
        found = []
        for place, task in enumerate(self._tasks):
            found.append(self._stream.finish(self._states[place], task, *self._shared))
            self._states[place] = None
        return found
