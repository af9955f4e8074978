"""One day as a user has it: the real command in a project, its stages as it says them, and their memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from arena.memory import sampled, tree_mb

# Looking into all processes takes some hundredths of a second of one core.
_EVERY_S = 1.0
_STAGE = re.compile(r"^  (\S.*?) +(\d+\.\d) s$")
_STARTING = "Start "
Say = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """One stage as the run said it: seconds, and the peak of the memory of all its processes in MB."""

    title: str
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Day:
    """One run of the command, from its start to the prompt.

    Attributes:
        seconds: until the process had ended.
        peak_mb: of all its processes together.
        stages: in the order in which they ended; the first is the start of the engines.
        error: what it said last, empty if it succeeded.
    """

    seconds: float
    peak_mb: float
    stages: tuple[Stage, ...]
    error: str = ""

    @property
    def start_s(self) -> float:
        """Return what engines took to start."""
        return sum(stage.seconds for stage in self.stages if stage.title.startswith(_STARTING))

    @property
    def work_s(self) -> float:
        """Return what all but the start of the engines took."""
        return self.seconds - self.start_s

    def row(self) -> dict[str, Any]:
        """Return it as it is written to the results."""
        return asdict(self) | {"start_s": round(self.start_s, 1)}


@dataclass
class Memory:
    """Memory of a process and its descendants, by time."""

    pid: int
    samples: list[tuple[float, float]] = field(default_factory=list)

    def look(self) -> None:
        """See what they have now."""
        self.samples.append((time.monotonic(), tree_mb(self.pid)))

    def peak(self, begin: float = 0.0, end: float = float("inf")) -> float:
        """Return the largest sample between two times; of a stage shorter than that, the one before."""
        within = [mb for at, mb in self.samples if begin <= at <= end]
        before = [mb for at, mb in self.samples if at < begin][-1:]
        return round(max(within or before, default=0.0), 1)


def ran(project: Path, state: Path, settings: Sequence[str], say: Say, *options: str) -> Day:
    """Run the end-to-end pipeline of a project in a state folder, and return what the day took.

    Args:
        project: a generated project, with its `engine/` and `src/`.
        state: goes on from what is there.
        settings: of the form `section.key=value`.
        say: is told each stage as it ends.
        options: further ones of the command.
    """
    command = [sys.executable, "-m", "portfolio", "run", "end_to_end_pipeline", "--project", str(project)]
    for one in (*settings, f"paths.state={state}"):
        command += ["--set", one]
    packages = os.pathsep.join([str(project / "src"), str(project / "engine")])
    # Colours and widths of a terminal would hide the lines.
    environment = os.environ | {"PYTHONPATH": packages, "COLUMNS": "120", "NO_COLOR": "1"}
    began = time.monotonic()
    with subprocess.Popen(
        [*command, *options],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        memory = Memory(running.pid)
        assert running.stderr is not None
        with sampled(memory.look, _EVERY_S):
            stages, said = followed(running.stderr, memory, say)
            code = running.wait()
    seconds = round(time.monotonic() - began, 2)
    return Day(seconds, memory.peak(), stages, (said or f"exit code {code}") if code else "")


def followed(lines: Iterable[str], memory: Memory, say: Say) -> tuple[tuple[Stage, ...], str]:
    """Return the stages that a run says line by line, as it says them, and its last line."""
    stages, last = [], ""
    for line in lines:
        last = line.rstrip() or last
        if found := _STAGE.match(line.rstrip()):
            now, seconds = time.monotonic(), float(found.group(2))
            stages.append(Stage(found.group(1), seconds, memory.peak(now - seconds, now)))
            say(f"{found.group(1):<48} {seconds:6.1f} s  {stages[-1].peak_mb:6,.0f} MB")
    return tuple(stages), last.strip()
