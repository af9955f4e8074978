"""Functions of one variable, read from tables that are indexed with the bits of a number.

The bits of a positive floating-point number are its exponent, then its fraction. The first of them say in
which octave it lies, from one power of two to the next, and in which of the equal segments of that octave;
the others say how far along the segment. Each segment has a cubic through four values of the function, a
third of the segment apart, so that neighbours meet. No logarithm and no search is needed, and
``acceleray.quant.table_walks`` reads the same numbers to the bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from acceleray.quant.table_walks import BIAS, FRACTION_BITS

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# From values at 0, 1/3, 2/3 and 1 to the coefficients of their cubic, the highest power first.
_CUBIC = np.array(
    [[-4.5, 13.5, -13.5, 4.5], [9.0, -22.5, 18.0, -4.5], [-5.5, 9.0, -4.5, 1.0], [1.0, 0.0, 0.0, 0.0]]
)


def edges(first: int, octaves: int, bits: int) -> NDArray[np.float64]:
    """Return where segments begin, ``2**bits`` in an octave from ``2**first`` on, and where the last ends."""
    number = np.arange((octaves << bits) + 1)
    return np.ldexp(1.0 + (number & ((1 << bits) - 1)) / (1 << bits), first + (number >> bits))


def cubics(function: Function, first: int, octaves: int, bits: int) -> NDArray[np.float64]:
    """Return the cubics of a function over its segments, of shape (segments, 4), the highest power first."""
    ends = edges(first, octaves, bits)
    begin, width = ends[:-1], np.diff(ends)
    points = np.stack((begin, begin + width / 3.0, begin + width * (2.0 / 3.0), ends[1:]), axis=1)
    return np.asarray(function(points) @ _CUBIC.T)


def read(table: NDArray[np.float64], at: NDArray[np.float64], first: int, bits: int) -> NDArray[np.float64]:
    """Return the values of a function (segments, 4) at numbers of any shape from ``2**first`` on.

    Beyond the last segment its end is held; what is not a number stays that.
    """
    shift = FRACTION_BITS - bits
    stored = np.ascontiguousarray(at).view(np.int64)
    segment = (stored >> shift) - ((BIAS + first) << bits)
    part = (stored & ((1 << shift) - 1)) * (1.0 / (1 << shift))
    part = np.where(segment < len(table), part, np.where(np.isnan(at), at, 1.0))
    cubic = table[np.minimum(segment, len(table) - 1)]
    value = cubic[..., 0] * part + cubic[..., 1]
    value = value * part + cubic[..., 2]
    return np.asarray(value * part + cubic[..., 3])
