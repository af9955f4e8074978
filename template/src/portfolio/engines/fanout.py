"""Ray as the project uses it: one function over many independent tasks, results in task order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from portfolio.errors import PortfolioError

# Tasks a worker has to itself, one at work and one waiting for it; and tasks a worker may be ahead.
_AT_WORK, _AHEAD = 2, 8


class FanOut:
    """Runs a pure function over tasks on Ray; made by the engines of a profile."""

    def __init__(self, workers: int, task_timeout_s: int) -> None:
        """Keep how many tasks run at once and how long one may take."""
        self.workers = workers
        self._task_timeout_s = task_timeout_s

    def share(self, value: Any) -> ray.ObjectRef:
        """Store a large read-only value once; pass what this returns in `shared` of several maps."""
        return value if isinstance(value, ray.ObjectRef) else ray.put(value)

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        **fixed: Any,
    ) -> Iterator[Any]:
        """Yield `function(task, *shared, **fixed)` for every task, in the order of `tasks`.

        Large inputs belong in `shared`: each is stored once and read by all workers without a copy. Tasks
        may be uneven: while one takes long, others go on, but at most eight a worker are ahead of the
        oldest unfinished one, so results do not pile up. A task whose worker dies is run again; it must
        therefore depend on its arguments alone.

        Args:
            function: a module-level function.
            tasks: the small argument that differs.
            shared: read-only arguments that do not.
            done: called with the number of finished tasks after each one.
            fixed: small arguments that do not differ.

        Raises:
            PortfolioError: a task raised, or took longer than `ray.task_timeout_s`. A PortfolioError that a
                task raised comes out as it is.
        """
        references = [self.share(value) for value in shared]
        remote = ray.remote(num_cpus=1, max_retries=3)(function)
        started, working, waiting = 0, set[ray.ObjectRef](), deque[ray.ObjectRef]()
        for number in range(len(tasks)):
            due = time.monotonic() + self._task_timeout_s
            while True:
                while (
                    started < len(tasks)
                    and len(working) < _AT_WORK * self.workers
                    and len(waiting) < _AHEAD * self.workers
                ):
                    reference = remote.remote(tasks[started], *references, **fixed)
                    working.add(reference)
                    waiting.append(reference)
                    started += 1
                if waiting[0] not in working or (left := due - time.monotonic()) <= 0:
                    break
                # Whichever ends first makes room for the next, so that one long task keeps no worker idle.
                ended, _ = ray.wait(list(working), timeout=left, fetch_local=False)
                working.difference_update(ended)
            result = self._get(
                waiting.popleft(), f"{function.__name__} task {number + 1} of {len(tasks)}", due
            )
            done(number + 1)
            yield result

    def _get(self, reference: ray.ObjectRef, label: str, due: float) -> Any:
        try:
            return ray.get(reference, timeout=max(due - time.monotonic(), 0.0))
        except GetTimeoutError:
            raise PortfolioError(
                f"{label} gave no result in {self._task_timeout_s} s; "
                "raise ray.task_timeout_s or look at its data."
            ) from None
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, PortfolioError):
                raise cause from None
            raise PortfolioError(f"{label} failed: {type(cause).__name__}: {cause}") from error
        except RayError as error:
            first = (str(error).splitlines() or [""])[0]
            raise PortfolioError(f"{label} was lost ({type(error).__name__}: {first}); run again.") from error
