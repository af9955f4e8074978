"""The walks of simulated paths as loops over numbers, for the compiler: what NumPy does, to the bit.

Each path is followed through all of its days before the next one, so that it stays in the nearest cache.
Additions and products are those of ``acceleray.quant.scenarios`` and of the margins of
``acceleray.quant.copula``, in their order.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.compiled import CannotCompileError, Program, load


def walk_days(
    days: Any, residuals: Any, carry: Any, about: Any, omega: Any, adding: Any, room: Any, returns: Any
) -> int:
    """Follow paths of drawn days (paths, horizon); about (2, lines) is the mean and the first volatility.

    ``room`` (3, lines) is overwritten; returns (paths, lines) are what is found.
    """
    paths, horizon = days.shape
    lines = omega.size
    mu, first = about[0], about[1]
    variance, growth, added = room[0], room[1], room[2]
    for path in range(paths):
        for line in range(lines):
            variance[line] = first[line] * first[line]
            growth[line] = 1.0
            added[line] = 0.0
        for step in range(horizon):
            day = days[path, step]
            for line in range(lines):
                daily = math.sqrt(variance[line]) * residuals[day, line] + mu[line]
                added[line] += daily
                daily += 1.0
                growth[line] *= 0.0 if daily <= 0.0 else daily
                variance[line] = variance[line] * carry[day, line] + omega[line]
        for line in range(lines):
            returns[path, line] = growth[line] - 1.0 if adding[line] == 0.0 else added[line]
    return 0


def walk_shocks(shocks: Any, about: Any, reaction: Any, adding: Any, room: Any, returns: Any) -> int:
    """Follow paths of given shocks (paths, horizon, lines); reaction (4, lines) is omega, alpha, gamma, beta.

    Everything else is as in `walk_days`.
    """
    paths, horizon, lines = shocks.shape
    mu, first = about[0], about[1]
    omega, alpha, gamma, beta = reaction[0], reaction[1], reaction[2], reaction[3]
    variance, growth, added = room[0], room[1], room[2]
    for path in range(paths):
        for line in range(lines):
            variance[line] = first[line] * first[line]
            growth[line] = 1.0
            added[line] = 0.0
        for step in range(horizon):
            for line in range(lines):
                shock = shocks[path, step, line]
                daily = math.sqrt(variance[line]) * shock + mu[line]
                added[line] += daily
                daily += 1.0
                growth[line] *= 0.0 if daily <= 0.0 else daily
                carry = alpha[line] + (gamma[line] if shock < 0.0 else 0.0)
                variance[line] = variance[line] * (carry * shock * shock + beta[line]) + omega[line]
        for line in range(lines):
            returns[path, line] = growth[line] - 1.0 if adding[line] == 0.0 else added[line]
    return 0


def read_margins(at: Any, signs: Any, grid: Any, table: Any) -> int:
    """Replace ``at`` (points, lines) by its cubics, with the signs of ``signs``, of the same shape.

    grid (2,) is the start and the inverse of the step; table (4, lines, intervals) as in ``CubicTable``.
    """
    points, lines = at.shape
    start, inverse = grid[0], grid[1]
    last = table.shape[2]
    for point in range(points):
        for line in range(lines):
            place = (at[point, line] - start) * inverse
            place = 0.0 if place < 0.0 else place
            place = float(last) if place > last else place
            # NaN has a place too: nothing outside of the table may be read.
            whole = int(place) if place >= 0.0 else 0
            whole = min(whole, last - 1)
            part = place - whole
            value = table[0, line, whole] * part + table[1, line, whole]
            value = value * part + table[2, line, whole]
            value = value * part + table[3, line, whole]
            at[point, line] = math.copysign(value, signs[point, line])
    return 0


def _days_entry(walk: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        days: Any,
        residuals: Any,
        carry: Any,
        about: Any,
        omega: Any,
        adding: Any,
        room: Any,
        returns: Any,
        paths: int,
        horizon: int,
        past: int,
        lines: int,
    ) -> int:
        return walk(
            carray(days, (paths, horizon)),
            carray(residuals, (past, lines)),
            carray(carry, (past, lines)),
            carray(about, (2, lines)),
            carray(omega, (lines,)),
            carray(adding, (lines,)),
            carray(room, (3, lines)),
            carray(returns, (paths, lines)),
        )

    return entry


def _shocks_entry(walk: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        shocks: Any,
        about: Any,
        reaction: Any,
        adding: Any,
        room: Any,
        returns: Any,
        paths: int,
        horizon: int,
        lines: int,
    ) -> int:
        return walk(
            carray(shocks, (paths, horizon, lines)),
            carray(about, (2, lines)),
            carray(reaction, (4, lines)),
            carray(adding, (lines,)),
            carray(room, (3, lines)),
            carray(returns, (paths, lines)),
        )

    return entry


def _margins_entry(read: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(at: Any, signs: Any, grid: Any, table: Any, points: int, lines: int, intervals: int) -> int:
        return read(
            carray(at, (points, lines)),
            carray(signs, (points, lines)),
            carray(grid, (2,)),
            carray(table, (4, lines, intervals)),
        )

    return entry


DAYS = Program("walk_days", (walk_days,), _days_entry, ("int64*", *["float64*"] * 7, *["int64"] * 4))
SHOCKS = Program("walk_shocks", (walk_shocks,), _shocks_entry, (*["float64*"] * 6, *["int64"] * 3))
MARGINS = Program("read_margins", (read_margins,), _margins_entry, (*["float64*"] * 4, *["int64"] * 3))


def machine_code(program: Program, folder: Path | None, kept: bool = False) -> Callable[..., int] | None:
    """Return a program's machine code; None without a folder, or where none can be made: NumPy does the same.

    The numbers are the same to the bit, so each process may decide for itself. With ``kept`` there is none
    where the folder cannot be written.
    """
    if folder is None:
        return None
    try:
        return partial(_called, load(program, folder, kept))
    except CannotCompileError:
        return None


def _called(run: Callable[..., int], *arguments: NDArray[Any] | int) -> int:
    return run(*(_address(each) if isinstance(each, np.ndarray) else each for each in arguments))


def _address(array: Any) -> int:
    """Return where an array lies in memory.

    Of one that can be written in half the time, and with a TypeError if it is not in one piece.
    """
    if array.flags.writeable and array.size:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    return int(array.ctypes.data)
