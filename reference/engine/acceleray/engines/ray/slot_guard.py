"""A watch over Spark's slots: a query that waits for slots which Ray holds is ended, with the reason.

Spark itself would wait for ever and say nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pyspark.sql import SparkSession

from acceleray.engines.spark import jvm
from acceleray.errors import PortfolioError

# Ray on Spark's own name for the jobs that are its nodes.
_RAY_JOBS = "ray-cluster-"
_EVERY_S = 1.0
# An executor that was lost is started again within this time, if there is a machine for it.
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Slots:
    """Spark's slots now: in all, held by Ray's nodes, and the jobs of which no task runs."""

    total: int
    held: int
    waiting: frozenset[int]


def slots_now(session: SparkSession, cpus_per_node: int) -> Slots:
    """Return how Spark's slots are used at this moment."""
    held, waiting = 0, set()
    for job in jvm.running_jobs(session):
        if job.group.startswith(_RAY_JOBS):
            held += cpus_per_node * job.active_tasks
        elif job.active_tasks == 0:
            waiting.add(job.number)
    return Slots(jvm.slots(session), held, frozenset(waiting))


@contextmanager
def slots_guarded(
    session: SparkSession, cpus_per_node: int, patience_s: float = _PATIENCE_S
) -> Iterator[None]:
    """Watch while the block runs; a query that waits in vain raises PortfolioError instead of hanging."""
    watch = _Watch(session, cpus_per_node, patience_s)
    watch.start()
    try:
        yield
    except Exception as error:
        if watch.reason and not isinstance(error, PortfolioError):
            raise PortfolioError(watch.reason) from error
        raise
    finally:
        watch.stop()


class _Watch(threading.Thread):
    def __init__(self, session: SparkSession, cpus_per_node: int, patience_s: float) -> None:
        super().__init__(name="slot-guard", daemon=True)
        self.reason = ""
        self._session, self._cpus_per_node, self._patience_s = session, cpus_per_node, patience_s
        self._ended = threading.Event()

    def stop(self) -> None:
        self._ended.set()
        self.join(timeout=30)

    def run(self) -> None:
        since: dict[int, float] = {}
        while not self._ended.wait(_EVERY_S):
            # Spark may be stopping, or Java gone: users of the session notice that without this thread.
            with suppress(jvm.errors(), OSError):
                now = slots_now(self._session, self._cpus_per_node)
                if now.total > now.held:
                    since = {}
                    continue
                since = {job: since.get(job, time.monotonic()) for job in now.waiting}
                # A cluster may need a while to start executors; Ray gives nothing back by itself.
                patience_s = self._patience_s if now.total else 3 * self._patience_s
                for job, start in since.items():
                    if time.monotonic() - start >= patience_s:
                        self._cancel(job, now, patience_s)

    def _cancel(self, job: int, now: Slots, patience_s: float) -> None:
        if now.total:
            why = f"Ray's nodes hold {now.held} of Spark's {now.total} slots"
            remedy = "run again with a smaller ray.nodes or more Spark workers"
        else:
            why = "Spark has no executor"
            remedy = "check that a free worker has cluster.executor_memory and cores_per_worker"
        self.reason = f"A query found no free slot for {patience_s:.0f} s: {why}; nothing was lost; {remedy}."
        jvm.cancel(self._session, job, "no free slot")
