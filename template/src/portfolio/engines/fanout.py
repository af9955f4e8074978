"""Ray as the project uses it: one function over many independent tasks, results in task order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from portfolio.errors import PortfolioError


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

        Large inputs belong in `shared`: each is stored once and read by all workers without a copy. At
        most two tasks per worker are under way, so results do not pile up. A task whose worker dies is
        run again; it must therefore depend on its arguments alone.

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
        waiting: list[ray.ObjectRef] = []
        ahead = 2 * self.workers
        for number in range(len(tasks)):
            while len(waiting) < ahead and number + len(waiting) < len(tasks):
                waiting.append(remote.remote(tasks[number + len(waiting)], *references, **fixed))
            result = self._get(waiting.pop(0), f"{function.__name__} task {number + 1} of {len(tasks)}")
            done(number + 1)
            yield result

    def _get(self, reference: ray.ObjectRef, label: str) -> Any:
        try:
            return ray.get(reference, timeout=self._task_timeout_s)
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
