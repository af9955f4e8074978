"""Inputs of the rows of a date: a digest of them, stored in every row.

Whoever makes a table again makes the dates whose digest has changed, and those alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.day_prices import DayPrices

MADE_FROM, MADE_BY = "made_from", "made_by"
_MODULUS = 2**256


def day_digests(prices: DayPrices, said: Sequence[str]) -> list[int]:
    """Return a digest of each risk day: its date, and the instruments with a new price and the prices' bits.

    Args:
        prices: on the risk calendar.
        said: what else is known of each instrument and decides numbers, of shape (instruments,).
    """
    named = [
        hashlib.sha256(f"{name}\0{more}".encode()).digest()
        for name, more in zip(prices.instruments, said, strict=True)
    ]
    names = np.frombuffer(b"".join(named), dtype=np.uint8).reshape(len(named), 32)
    found = []
    for day, row in zip(prices.days, prices.prices, strict=True):
        there = np.flatnonzero(np.isfinite(row))
        digest = hashlib.sha256(str(day).encode())
        # Minus zero is zero.
        digest.update(names[there].tobytes() + (row[there] + 0.0).tobytes())
        found.append(int.from_bytes(digest.digest(), "big"))
    return found


def origins(
    days: NDArray[np.datetime64],
    digests: Sequence[int],
    first: NDArray[np.int64],
    horizon_d: int,
    rest: str,
) -> tuple[str, ...]:
    """Return what the rows of each risk day are made from, as 16 hexadecimal digits.

    Equal origins mean equal rows. The days that are counted are those that the rows depend on: on what was
    before them none does, or the first of them would be another.

    Args:
        days: the risk calendar.
        digests: of each risk day.
        first: position of the first day that the rows of each depend on.
        horizon_d: risk days ahead that they depend on as well.
        rest: digest of what decides all rows alike: settings, code, libraries.
    """
    # Sums of digests: those of any range are the difference of two, in whatever order days came to be known.
    sums = list(accumulate(digests, lambda total, one: (total + one) % _MODULUS, initial=0))
    found = []
    for day, low in enumerate(first.tolist()):
        stop = min(day + horizon_d + 1, len(days))
        total = (sums[stop] - sums[low]) % _MODULUS
        text = f"{rest} {days[low]} {days[day]} {stop - day} {stop - low} {total:064x}"
        found.append(hashlib.sha256(text.encode()).hexdigest()[:16])
    return tuple(found)
