"""Results of Ray tasks, or their errors in plain words, and the time they took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from acceleray.errors import PortfolioError


@dataclass(frozen=True)
class Mapped:
    """One map that is over: its function, when it began on the monotonic clock, tasks, at once at most."""

    function: str
    began: float
    seconds: float
    tasks: int
    at_once: int


class LostError(PortfolioError):
    """A worker or a node was lost, and with it a result or what would have made one."""

    def __init__(self, label: str, error: BaseException) -> None:
        """Say what was lost and what Ray says about it."""
        first = (str(error).splitlines() or [""])[0]
        super().__init__(f"{label} was lost ({type(error).__name__}: {first}); run again.")
        self.what = f"{label} was lost ({type(error).__name__})"


def result_of(reference: ray.ObjectRef, label: str, due: float, patience_s: int) -> Any:
    """Return the result of a task, by a time on the monotonic clock; errors as in `FanOut.map`.

    What was lost raises `LostError`, a PortfolioError too.
    """
    try:
        return ray.get(reference, timeout=max(due - time.monotonic(), 0.0))
    except GetTimeoutError:
        raise late(label, patience_s) from None
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, PortfolioError):
            raise cause from None
        if isinstance(cause, RayError):
            # An argument that was lost.
            raise LostError(label, cause) from error
        raise PortfolioError(f"{label} failed: {type(cause).__name__}: {cause}") from error
    except RayError as error:
        raise LostError(label, error) from error


def late(label: str, patience_s: int) -> PortfolioError:
    """Return the error of what took too long."""
    return PortfolioError(
        f"{label} gave no result in {patience_s} s; raise ray.task_timeout_s or look at its data."
    )
