"""Arrays as bytes and back, to the last bit: what is kept of a result."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed(arrays: Sequence[NDArray[Any]]) -> bytes:
    """Return arrays of numbers one after the other, each with its type and shape."""
    into = io.BytesIO()
    for each in arrays:
        np.save(into, each, allow_pickle=False)
    return into.getvalue()


def unpacked(content: bytes) -> list[NDArray[Any]]:
    """Return the arrays that `packed` was given."""
    source, found = io.BytesIO(content), []
    while source.tell() < len(content):
        found.append(np.load(source, allow_pickle=False))
    return found
