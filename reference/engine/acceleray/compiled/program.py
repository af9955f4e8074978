"""Compiled programs: plain functions, and their calls from Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The default of `paths.cache`, and what lies below it.
DEFAULT_FOLDER = Path("~/.cache/portfolio/compiled")


@dataclass(frozen=True)
class Program:
    """Functions that are compiled together.

    Attributes:
        name: of the files that keep it.
        functions: module-level functions that stay in numbers and arrays, allocate nothing and raise nothing.
            Each one calls only those before it.
        entry: makes the function that Python calls, out of the last of `functions`, compiled, and numba's
            `carray`, which makes an array of a pointer and a shape.
        arguments: of that function, each `float64*`, `int64*`, `int32*` or `int64`; it returns an `int64`.
    """

    name: str
    functions: tuple[Callable[..., Any], ...]
    entry: Callable[[Callable[..., Any], Callable[..., Any]], Callable[..., int]]
    arguments: tuple[str, ...]
