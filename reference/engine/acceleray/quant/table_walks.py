"""The loops of ``acceleray.quant.table_copula``, for the compiler: what NumPy does there, to the bit.

An instrument is followed through all paths before the next one, so that its table stays in the nearest cache
and the steps of many paths are taken together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from acceleray.compiled import Program

FRACTION_BITS, BIAS = 52, 1023
"""Bits of the fraction of a double, and what is added to its exponent (IEEE 754)."""

HALF_BITS = 7
"""Segments in an octave, as a power of two, of the tables over one half of the uniform numbers."""

LOWEST = -54
"""The first octave of these tables: the smallest uniform number is 0, and stands for 2**-54."""

ROWS = 5
"""Rows that a walk needs to work in, each with a number for every day of its paths."""

_CELL, _SMALLEST = 2.0**-53, 2.0**LOWEST
_HALF_SHIFT = FRACTION_BITS - HALF_BITS
_HALF_MASK, _HALF_PART = (1 << _HALF_SHIFT) - 1, 1.0 / (1 << _HALF_SHIFT)
_HALF_FIRST = (BIAS + LOWEST) << HALF_BITS


def read_normals(raw: Any, table: Any, normals: Any) -> int:
    """Turn raw random bits (numbers,) into normals; the table (segments, 4) is of those below zero."""
    for place in range(raw.size):
        uniform = ((raw[place] >> 11) & ((1 << 53) - 1)) * _CELL
        stored = np.float64(max(min(uniform, 1.0 - uniform), _SMALLEST)).view(np.int64)
        segment = (stored >> _HALF_SHIFT) - _HALF_FIRST
        part = (stored & _HALF_MASK) * _HALF_PART
        value = table[segment, 0] * part + table[segment, 1]
        value = value * part + table[segment, 2]
        value = value * part + table[segment, 3]
        normals[place] = math.copysign(value, uniform - 0.5)
    return 0


def walk_tables(
    student: Any, raw: Any, mixing: Any, margins: Any, bits: Any, terms: Any, room: Any, returns: Any
) -> int:
    """Follow paths whose correlated normals are ``student`` (lines, paths, horizon).

    raw (paths, horizon) are the random bits of the mixing, whose tables (2, segments, 4) are of the lower and
    the upper half of the uniform numbers; margins (lines, segments, 4) have ``2**bits`` segments in an
    octave; terms (7, lines) are mean, first volatility, whether returns add up, omega, alpha, gamma and beta;
    room (ROWS, paths * horizon) is overwritten; returns (paths, lines) are what is found.
    """
    lines, paths, horizon = student.shape
    scale, shock, variance, growth, added = room[0], room[1], room[2], room[3], room[4]
    for path in range(paths):
        for step in range(horizon):
            uniform = ((raw[path, step] >> 11) & ((1 << 53) - 1)) * _CELL
            half = 1 if uniform > 0.5 else 0
            stored = np.float64(max(min(uniform, 1.0 - uniform), _SMALLEST)).view(np.int64)
            segment = (stored >> _HALF_SHIFT) - _HALF_FIRST
            part = (stored & _HALF_MASK) * _HALF_PART
            value = mixing[half, segment, 0] * part + mixing[half, segment, 1]
            value = value * part + mixing[half, segment, 2]
            scale[path * horizon + step] = value * part + mixing[half, segment, 3]
    shift = FRACTION_BITS - bits
    mask, fraction, lowest, last = (1 << shift) - 1, 1.0 / (1 << shift), BIAS << bits, margins.shape[1] - 1
    for line in range(lines):
        table = margins[line]
        for path in range(paths):
            for step in range(horizon):
                size = student[line, path, step] * scale[path * horizon + step]
                at = 1.0 + abs(size)
                stored = np.float64(at).view(np.int64)
                segment = (stored >> shift) - lowest
                along = (stored & mask) * fraction
                if segment > last:
                    # What is not a number has such bits too, and stays none.
                    segment = last
                    along = at if at != at else 1.0
                value = table[segment, 0] * along + table[segment, 1]
                value = value * along + table[segment, 2]
                value = value * along + table[segment, 3]
                shock[step * paths + path] = math.copysign(value, size)
        mu, first, adding = terms[0, line], terms[1, line], terms[2, line]
        omega, alpha, gamma, beta = terms[3, line], terms[4, line], terms[5, line], terms[6, line]
        for path in range(paths):
            variance[path] = first * first
            growth[path] = 1.0
            added[path] = 0.0
        for step in range(horizon):
            for path in range(paths):
                drawn = shock[step * paths + path]
                daily = math.sqrt(variance[path]) * drawn + mu
                added[path] += daily
                daily += 1.0
                growth[path] *= 0.0 if daily <= 0.0 else daily
                carry = alpha + (gamma if drawn < 0.0 else 0.0)
                variance[path] = variance[path] * (carry * drawn * drawn + beta) + omega
        for path in range(paths):
            returns[path, line] = growth[path] - 1.0 if adding == 0.0 else added[path]
    return 0


def _normals_entry(read: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(raw: Any, table: Any, normals: Any, numbers: int, segments: int) -> int:
        return read(carray(raw, (numbers,)), carray(table, (segments, 4)), carray(normals, (numbers,)))

    return entry


def _walk_entry(walk: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        student: Any,
        raw: Any,
        mixing: Any,
        margins: Any,
        terms: Any,
        room: Any,
        returns: Any,
        bits: int,
        lines: int,
        paths: int,
        horizon: int,
        halves: int,
        segments: int,
    ) -> int:
        return walk(
            carray(student, (lines, paths, horizon)),
            carray(raw, (paths, horizon)),
            carray(mixing, (2, halves, 4)),
            carray(margins, (lines, segments, 4)),
            bits,
            carray(terms, (7, lines)),
            carray(room, (ROWS, paths * horizon)),
            carray(returns, (paths, lines)),
        )

    return entry


NORMALS = Program(
    "read_normals", (read_normals,), _normals_entry, ("int64*", "float64*", "float64*", "int64", "int64")
)
WALK = Program(
    "walk_tables",
    (walk_tables,),
    _walk_entry,
    ("float64*", "int64*", *["float64*"] * 5, *["int64"] * 6),
)
