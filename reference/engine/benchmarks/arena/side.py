"""A side of a contest: one implementation of one work, with separate engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from acceleray.settings import Settings

Answer = Mapping[str, NDArray[Any]]
"""Small arrays by name; every side of a work gives the same names and shapes."""


@dataclass(frozen=True)
class Setting:
    """Where a side finds its inputs, how large they are, and what it may use.

    Attributes:
        folder: with the inputs that `make` of the work wrote; a side writes only below `folder / "out"`.
        size: what the work was made with.
        workers: processes that compute at once.
        settings: of a project, for engines.
    """

    folder: Path
    size: Mapping[str, int]
    workers: int
    settings: Settings


class Side(ABC):
    """One way of doing a work; lives in a separate process and is asked again and again."""

    @abstractmethod
    def start(self, setting: Setting) -> None:
        """Open engines and connections: what is timed as start-up."""

    @abstractmethod
    def run(self) -> Answer:
        """Do the whole work once, from inputs on disk to the answer, and to outputs on disk if it has any."""

    @abstractmethod
    def stop(self) -> None:
        """Close what `start` opened."""

    def note(self) -> str:
        """Return what else was seen and belongs beside the times, or nothing."""
        return ""
