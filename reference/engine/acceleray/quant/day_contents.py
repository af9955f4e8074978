"""The content of a day: one number that changes with any price of the day, in any order of reading.

Each price has a number of 64 bits out of its instrument and its bits, and a day has the sum of them, modulo
2^64. So a day can be summed a part at a time, on several machines. It tells whether a day moved; it is no
seal against somebody who wants two days to look alike.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

NOTHING = "0" * 16
"""The content of a day without a price."""

Bits = NDArray[np.uint64]


def contents_of(
    instrument: str, prices: NDArray[np.float64], adjusted: NDArray[np.float64]
) -> NDArray[np.uint64]:
    """Return what each price of an instrument adds to its day, shape (prices,).

    Args:
        instrument: its name.
        prices: closes, shape (prices,).
        adjusted: what returns are taken from, shape (prices,).
    """
    name = hashlib.sha256(instrument.encode()).digest()[:8]
    start = np.frombuffer(name, "<u8").astype(np.uint64)
    return _mixed(_mixed(start ^ _bits(prices)) ^ _bits(adjusted))


def sums(places: NDArray[np.int64], contents: Bits, size: int) -> Bits:
    """Return the sum of the contents at each place, modulo 2^64, shape (size,)."""
    found = np.zeros(size, np.uint64)
    np.add.at(found, places, contents)
    return found


def written(contents: Bits) -> list[str]:
    """Return contents as text of 16 hexadecimal digits each."""
    return [f"{one:016x}" for one in contents.tolist()]


def _bits(numbers: NDArray[np.float64]) -> Bits:
    # Minus zero is zero.
    return np.ascontiguousarray(numbers + 0.0, np.float64).view(np.uint64)


def _mixed(bits: Bits) -> Bits:
    """Return bits in which every bit depends on all (Steele, Lea and Flood 2014, the mixer of SplitMix64)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
