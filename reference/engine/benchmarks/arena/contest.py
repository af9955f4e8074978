"""A contest: every side in a separate process, one at work at a time, warm rounds alternating A B C."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import numpy as np
import psutil

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from arena.memory import watched
from arena.outcome import SPARK, SideOutcome

CONTESTANT = Path(__file__).resolve().parent.parent / "contestant.py"
# Until a side that does not answer is given up, and until one that was told to stop is ended.
ANSWER_S, STOP_S = 1800.0, 60.0
# A side that was so many times as slow as the quickest of its kind, and took so long, is timed twice only.
BEATEN, LONG_S = 5.0, 30.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """The inputs of all sides of a contest; see `arena.side.Setting`."""

    work: str
    folder: Path
    size: Mapping[str, int]
    workers: int
    settings: Settings


class Contestant:
    """One side, as a process that is told what to do."""

    def __init__(self, order: Order, side: str) -> None:
        """Start the process and wait until its engines are open."""
        self.outcome = SideOutcome()
        self._log = order.folder / f"{side}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(CONTESTANT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._lines: Queue[bytes] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        told = {
            "work": order.work,
            "side": side,
            "folder": str(order.folder),
            "size": dict(order.size),
            "workers": order.workers,
            "settings": order.settings.model_dump(mode="json"),
        }
        try:
            self.outcome.start_s = float(self._ask(json.dumps(told))["seconds"])
        except PortfolioError:
            self.stop()
            raise

    def run(self) -> float:
        """Return the seconds of one run."""
        answered = self._ask("run")
        self.answer = Path(answered["answer"])
        self.outcome.note = str(answered["note"])
        return float(answered["seconds"])

    def run_watched(self) -> None:
        """Run once more and keep the largest memory seen; sampling it would disturb a run that is timed."""
        with watched(self._process.pid) as peak:
            self.run()
        self.outcome.peak_mb = peak.mb

    def stop(self) -> None:
        """Let the side close its engines; end it and what it started if it does not."""
        family = _family(self._process.pid)
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            for process in family:
                # It may have ended meanwhile.
                with suppress(psutil.Error):
                    process.kill()
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _ask(self, what: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(what.encode() + b"\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=ANSWER_S)
        except Empty:
            raise PortfolioError(f"no answer in {ANSWER_S:.0f} s; see {self._log}") from None
        except OSError:
            line = b""
        if not line:
            raise PortfolioError(f"ended without an answer; see {self._log}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PortfolioError(f"{answer['error']}; see {self._log}")
        return answer


def contest(
    order: Order, sides: Sequence[str], rounds: int, say: Say, decisive: Collection[str] = ()
) -> dict[str, SideOutcome]:
    """Return what each side took, in the order given; answers are compared with that of the first.

    Sides in `decisive` go all rounds, however slow they are: a target names them. A side that fails is left
    out from then on, and its outcome says why.
    """
    found: dict[str, SideOutcome] = {}
    going: dict[str, Contestant] = {}

    def each(action: Callable[[str, Contestant], None]) -> None:
        for name, contestant in list(going.items()):
            try:
                action(name, contestant)
            except PortfolioError as error:
                contestant.outcome.error = str(error)
                say(f"    {name} failed: {error}")
                going.pop(name).stop()

    try:
        for name in sides:
            try:
                going[name] = Contestant(order, name)
            except PortfolioError as error:
                found[name] = SideOutcome(error=str(error))
                say(f"    {name} did not start: {error}")
                continue
            found[name] = going[name].outcome
            say(f"    {name} open after {going[name].outcome.start_s:.1f} s")
        each(lambda _, one: setattr(one.outcome, "cold_s", one.run()))
        say("    cold    " + _times({name: one.outcome.cold_s for name, one in going.items()}))
        slow = beaten({name: one.outcome for name, one in going.items()}) - set(decisive)
        slow = slow if rounds > 2 else set()
        for name in slow:
            say(f"    {name} is more than {BEATEN:g} times as slow as another like it: two warm runs will do")
        for number in range(rounds):
            turn = [name for name in going if number < 2 or name not in slow]
            each(lambda name, one, turn=turn: _timed(one) if name in turn else None)
            last = {name: going[name].outcome.warm_s[-1] for name in turn if name in going}
            say(f"    round {number + 1} " + _times(last))
        each(lambda _, one: one.run_watched())
        _compare(going)
    finally:
        for one in going.values():
            one.stop()
    return found


def beaten(outcomes: Mapping[str, SideOutcome]) -> set[str]:
    """Return the sides of Spark that decide nothing, judged by their cold runs; the others go all rounds."""
    spark = {name: one.cold_s for name, one in outcomes.items() if name.startswith(SPARK)}
    quickest = min(spark.values(), default=0.0)
    return {name for name, cold in spark.items() if cold > max(LONG_S, BEATEN * quickest)}


def _timed(one: Contestant) -> None:
    one.outcome.warm_s.append(one.run())


def _compare(going: Mapping[str, Contestant]) -> None:
    answers = {name: dict(np.load(one.answer)) for name, one in going.items()}
    first = next(iter(answers.values()), {})
    for name, answer in answers.items():
        going[name].outcome.difference = difference(first, answer)


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the largest absolute difference; infinite where names, shapes or gaps are not the same."""
    if one.keys() != other.keys() or any(one[name].shape != other[name].shape for name in one):
        return float("inf")
    largest = 0.0
    for name in one:
        left, right = (np.asarray(each[name], dtype=np.float64) for each in (one, other))
        if not np.array_equal(np.isnan(left), np.isnan(right)):
            return float("inf")
        largest = max(largest, float(np.nanmax(np.abs(left - right), initial=0.0)))
    return largest


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.Error:
        return []


def _times(seconds: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
