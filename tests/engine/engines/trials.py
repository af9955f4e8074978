"""Trials that cost nothing, for tests of searches."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from acceleray.engines.ray.proposals import Plan, Range, Report
from acceleray.engines.ray.steps import Code


def prepare(folder: Path) -> Path:
    return folder


def trial(parameters: Mapping[str, float], folder: Path) -> Iterator[Report]:
    x, speed = parameters["x"], parameters["speed"]
    with (folder / f"{x!r}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    for rounds in range(10, 101, 10):
        time.sleep(0.002 * speed)
        if x > 0.9:
            raise ValueError("x is too large\nand this line is for developers")
        if rounds == 30:
            # Of two trials that come here at once, one dies.
            with suppress(FileNotFoundError):
                (folder / "kill").unlink()
                os.kill(os.getpid(), signal.SIGKILL)
        yield Report(rounds, -((x - 0.7) ** 2) + rounds / 10_000, f"{x!r}")


CODE = Code(prepare, trial)


def plan(trials: int = 20, **more: int) -> Plan:
    space = {"x": Range(0.0, 1.0), "speed": Range(1, 5, whole=True)}
    first = {"x": 0.25, "speed": 1}
    sizes = {"learns_after": 6, "chunk": 10, "factor": 3, "last": 100, "patience": 100, "seed": 7} | more
    return Plan(space, first, trials, **sizes)
