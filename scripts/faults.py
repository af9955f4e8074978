"""The faults of faults.toml, each a line that a person could get wrong."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """A line of the package, what it is made to say, and the test file that must notice."""

    workload: str
    what: str
    module: str
    right: str
    wrong: str
    noticed_by: str


def read() -> tuple[Fault, ...]:
    """Return all faults, those of a workload together."""
    listed = tomllib.loads(Path(__file__).with_name("faults.toml").read_text(encoding="utf-8"))
    return tuple(Fault(workload, **each) for workload, some in listed.items() for each in some)
