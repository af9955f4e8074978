"""Kept work: a result that an earlier run computed from the same contents is taken, not computed again.

A result is known by what decides it, and checked before it is believed. Whatever is wrong with what is kept
costs a line and the time to compute it again, never a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.engines.processes.signals import first_line
from acceleray.engines.ray.fanout import Tasks
from acceleray.runtime.code_identity import engine_version
from acceleray.runtime.made_with import made_with
from acceleray.runtime.shelf import DamagedError, Kind, Shelf, kept_rows, nothing_kept
from acceleray.settings.topology import ray_beside
from acceleray.tables import KEPT_WORK, RUN_WORK

if TYPE_CHECKING:
    from acceleray.runtime.run import Run

__all__ = ["ASKED", "Kept", "Kind"]

# Results are written when they are this long together, and at the end of a stage.
_AT_ONCE_BYTES = 32_000_000
ASKED = "requested by --anew"
"""Why work is computed that may be there: `portfolio run --anew`."""
_NEW = "no result for these inputs"
_OTHER = "other code, libraries or processor"
_DAMAGED = "the stored result was damaged"


class Keyed(Protocol):
    """A list of keys, or what makes one when it is asked for."""

    def __getitem__(self, number: int, /) -> str:
        """Return the key of one task."""


@dataclass(frozen=True)
class Chosen:
    """Some of many tasks, by their numbers, each made when it is asked for."""

    tasks: Tasks
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.numbers)

    def __getitem__(self, number: int) -> Any:
        """Return one of them."""
        return self.tasks[int(self.numbers[number])]


class Kept:
    """The kept work of a run: what it finds, what it adds, and the account of both."""

    def __init__(self, run: Run, anew: bool = False) -> None:
        """Keep the run; with `anew` nothing is reused, but new results are kept."""
        self._run = run
        self._anew = anew
        self._stale = datetime.now(UTC) - timedelta(days=run.settings.maintenance.keep_work_d) / 2
        self._shelves: dict[str, Shelf] = {}
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._writer: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    def made_with(self, kind: Kind) -> str:
        """Return the digest of the code, libraries and processors that compute a kind of work here."""
        return self._shelf(kind).made_with

    def map(
        self,
        kind: Kind,
        keys: Keyed,
        tasks: Tasks,
        shared: Sequence[Any] = (),
        done: Callable[[int], None] = lambda count: None,
        batch: int = 1,
        **fixed: Any,
    ) -> Iterator[Any]:
        """Yield the result of every task in order: kept ones as they are, the others from Ray.

        Args:
            kind: of work; `kind.function` is called as `fan_out.map` would.
            keys: one a task: `content_key` over everything that decides its result.
            tasks, shared, done, batch, fixed: see `FanOut.map`.
        """
        there = self._there(kind, keys, len(tasks))
        missing = np.flatnonzero(~there)
        before = len(there) - missing.size
        computed: Iterator[Any] = iter(())
        if missing.size:
            chosen, told = Chosen(tasks, missing), lambda count: done(before + count)
            computed = self._run.fan_out.map(kind.function, chosen, shared, told, batch, **fixed)
        for number, taken in enumerate(there):
            if taken:
                yield self.take(kind, keys[number])
            else:
                result = next(computed)
                self.add(kind, keys[number], result)
                yield result
        # A map says what it took when it is asked for more than there is.
        next(computed, None)
        self.save(kind)

    def _there(self, kind: Kind, keys: Keyed, count: int) -> NDArray[np.bool_]:
        """Return of which of `count` results one is kept; keys are made one at a time, and none is held."""
        if not self._shelf(kind).here:
            return np.zeros(count, dtype=np.bool_)
        found = (self.find(kind, keys[number]) is not None for number in range(count))
        return np.fromiter(found, np.bool_, count)

    def find(self, kind: Kind, key: str) -> bytes | None:
        """Return a kept result as bytes, None if there is none that can be believed."""
        try:
            return self._shelf(kind).content(key)
        except DamagedError:
            self._run.reporter.say(f"    a kept {kind.name} is damaged and is recomputed")
            return None

    def take(self, kind: Kind, key: str) -> Any:
        """Return a kept result that `find` has found, and account for it."""
        shelf, content = self._shelf(kind), self.find(kind, key)
        assert content is not None
        self.reused(kind.name, 1, shelf.made_by(key))
        if shelf.made_at(key) < self._stale:
            # Reused results are kept again, because old rows are removed after some time.
            self._keep(shelf, key, content)
        return kind.decode(content)

    def add(self, kind: Kind, key: str, result: Any) -> None:
        """Keep a result that the run has computed, and account for it; `save` writes it."""
        shelf = self._shelf(kind)
        if self._anew:
            reason = ASKED
        elif key in shelf.damaged:
            reason = _DAMAGED
        else:
            reason = _OTHER if key in shelf.others else _NEW
        self.made(kind.name, 1, reason)
        self._keep(shelf, key, kind.encode(result))

    def made(self, kind: str, results: int, reason: str) -> None:
        """Account for results of a kind that this run computed."""
        if results:
            self._counts[self._run.last_stage, kind, self._run.identity.run_id, reason] += results

    def reused(self, kind: str, results: int, made_by: str) -> None:
        """Account for results of a kind that lie in tables as an earlier run made them."""
        if results:
            self._counts[self._run.last_stage, kind, made_by, ""] += results

    def _keep(self, shelf: Shelf, key: str, content: bytes) -> None:
        shelf.add(key, content)
        if shelf.new_bytes > _AT_ONCE_BYTES:
            self.save(shelf.kind)

    def save(self, kind: Kind) -> None:
        """Write the new results of a kind in the background, while the run goes on."""
        shelf = self._shelves.get(kind.name)
        if shelf is None or not shelf.new:
            return
        identity = self._run.identity
        same = {"run_id": identity.run_id, "as_of": identity.as_of, "engine_version": engine_version()}
        rows = shelf.unwritten(same)
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, thread_name_prefix="kept-work")
        if self._writing is not None:
            # Results are in memory until written, so they are written in batches.
            self._writing.result()
        self._writing = self._writer.submit(self._write, rows)

    def wait(self) -> None:
        """Wait until all that is kept is written."""
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = self._writing = None

    def account(self) -> pa.Table:
        """Return the rows of `gold.run_work`: what was taken from which run, what was made, and why."""
        counted = sorted((*key, count) for key, count in self._counts.items() if count)
        names = ("stage", "kind", "made_by", "reason", "results")
        types = [RUN_WORK.arrow_schema.field(name).type for name in names]
        columns = [pa.array([row[at] for row in counted], kind) for at, kind in enumerate(types)]
        return pa.table(columns, names)

    def _write(self, rows: pa.Table) -> None:
        """Append; kept work that cannot be written costs the next run time, and this one nothing."""
        try:
            self._run.lake.add(KEPT_WORK, rows)
        except Exception as error:
            self._run.reporter.say(f"    results are not kept for the next run: {first_line(error)}")

    def _shelf(self, kind: Kind) -> Shelf:
        if kind.name not in self._shelves:
            of = made_with(kind.function, ray_beside(self._run.settings))
            self._shelves[kind.name] = Shelf.of(kind, of, self._read(kind))
        return self._shelves[kind.name]

    def _read(self, kind: Kind) -> pa.Table:
        if self._anew:
            return nothing_kept()
        try:
            return kept_rows(self._run.lake, kind)
        except Exception as error:
            # Vacuumed, removed, or written by newer code: nothing of it is needed.
            self._run.reporter.say(f"    kept results cannot be read and are recomputed: {first_line(error)}")
            return nothing_kept()
