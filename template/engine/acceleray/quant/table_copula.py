"""Returns of a t copula from tables: the scenarios of ``acceleray.quant.copula``, by a quicker generator.

The random numbers are the same, and so are the functions: normals, mixing and margins are read from cubics
that are indexed with the bits of their argument (``acceleray.quant.bit_tables``) instead of being computed,
and shocks are walked along where they are read. Normals differ from those of SciPy by less than 1e-11, the
mixing and the margins from those of the copula by less than a billionth of their size, or of 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from acceleray.quant.bit_tables import Function, cubics, edges, read
from acceleray.quant.copula import CubicTable, TCopula
from acceleray.quant.path_walks import machine_code
from acceleray.quant.scenarios import ParameterArrays, compounded_returns
from acceleray.quant.streams import Purpose, Stream
from acceleray.quant.table_walks import HALF_BITS, LOWEST, NORMALS, ROWS, WALK

# Segments in an octave of the margins, as powers of two, the fewest that are close enough.
_MARGIN_BITS = (7, 8, 9, 10)
_CLOSE = 1e-9
# How close is asked of shocks that are exceeded so often: once in ten billion, of either sign.
_RAREST = 1e-10
# Where a cubic is compared with its function, as shares of a segment: far from the values it goes through.
_BETWEEN = np.array([0.127, 0.5, 0.873])
_CACHED_NUMBERS = 32_768
# Instruments in a product with the normals of all before them.
_TOGETHER = 64


@dataclass(frozen=True)
class CopulaTables:
    """Cubics of a copula by the bits of their argument, the highest power first.

    normals (segments, 4) of those below zero and mixing (2, segments, 4) by a uniform number, of the lower
    and the upper half by its distance from 1; margins (instruments, segments, 4) by 1 + |T|, with
    ``2**margin_bits`` segments in an octave.
    """

    normals: NDArray[np.float64]
    mixing: NDArray[np.float64]
    margins: NDArray[np.float64]
    margin_bits: int


def copula_tables(copula: TCopula) -> CopulaTables:
    """Return the tables of a copula; nothing that can be drawn lies beyond them.

    They take 4 kB for each octave of each instrument, or up to eight times that where a margin has much
    fatter tails than the copula: 16 octaves for 6 degrees of freedom, 33 for 2.
    """
    octaves = -LOWEST
    normals = cubics(_lower_normal, LOWEST, octaves, HALF_BITS)
    mixing = [cubics(_mixing(copula, side), LOWEST, octaves, HALF_BITS) for side in (1.0, -1.0)]
    bits, margins = _margins(copula)
    return CopulaTables(normals, np.stack(mixing), margins, bits)


def table_returns(
    copula: TCopula,
    tables: CopulaTables,
    seed: int,
    atom: tuple[int, int],
    horizon_d: int,
    parameters: ParameterArrays,
    next_sigma: NDArray[np.float64],
    compiled_in: Path | None = None,
) -> NDArray[np.float64]:
    """Return simple returns over the whole horizon, of shape (scenarios, instruments), of an atom.

    ``atom`` is its number and the number of its scenarios. Fewer scenarios are, but for rounding, the first
    ones of more. ``compiled_in`` is where machine code is kept: faster, and the same to the bit.
    """
    number, count = atom
    lines = len(copula.root)
    normals = Stream(seed, number, Purpose.COPULA_NORMALS)
    mixing = Stream(seed, number, Purpose.COPULA_MIXING)
    size = max(_CACHED_NUMBERS // (lines * horizon_d), 64)
    walk = TableWalk(tables, parameters, next_sigma, compiled_in)
    returns = np.empty((count, lines))
    for first in range(0, count, size):
        paths = min(size, count - first)
        points = paths * horizon_d
        independent = walk.normals(normals.bits(points * lines)).reshape(points, lines)
        student = _correlated(copula.root, independent.T)
        walk.follow(
            student.reshape(lines, paths, horizon_d),
            mixing.bits(points).reshape(paths, horizon_d),
            returns[first : first + paths],
        )
    return returns


def _correlated(root: NDArray[np.float64], independent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product of a lower triangle and normals (instruments, points), nearly without its zeros."""
    student = np.empty(independent.shape)
    for first in range(0, len(root), _TOGETHER):
        last = first + _TOGETHER
        np.matmul(root[first:last, :last], independent[:last], out=student[first:last])
    return student


class TableWalk:
    """Normals and paths of one atom, in machine code where there is any and else in NumPy."""

    def __init__(
        self,
        tables: CopulaTables,
        parameters: ParameterArrays,
        next_sigma: NDArray[np.float64],
        compiled_in: Path | None,
    ) -> None:
        """Take the tables and the terms of the paths; ``compiled_in`` is where machine code is kept."""
        self._tables, self._parameters, self._next_sigma = tables, parameters, next_sigma
        first = np.stack((parameters.mu, next_sigma, parameters.adding))
        reaction = np.stack((parameters.omega, parameters.alpha, parameters.gamma, parameters.beta))
        self._terms = np.concatenate((first, reaction)).astype(np.float64)
        self._read, self._follow = machine_code(NORMALS, compiled_in), machine_code(WALK, compiled_in)

    def normals(self, raw: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Return a normal for each of the raw numbers (numbers,)."""
        table = self._tables.normals
        if self._read:
            found = np.empty(raw.size)
            self._read(raw, table, found, raw.size, len(table))
            return found
        uniform, small = _halves(raw)
        return np.copysign(read(table, small, LOWEST, HALF_BITS), uniform - 0.5)

    def follow(
        self, student: NDArray[np.float64], raw: NDArray[np.uint64], returns: NDArray[np.float64]
    ) -> None:
        """Fill in the returns (paths, lines) of correlated normals (lines, paths, horizon), overwritten."""
        tables, (lines, paths, horizon_d) = self._tables, student.shape
        if self._follow:
            room = np.empty((ROWS, horizon_d * paths))
            inputs = (student, raw, tables.mixing, tables.margins, self._terms, room, returns)
            sizes = lines, paths, horizon_d, tables.mixing.shape[1], tables.margins.shape[1]
            self._follow(*inputs, tables.margin_bits, *sizes)
            return
        uniform, small = _halves(raw)
        low, high = (read(each, small, LOWEST, HALF_BITS) for each in tables.mixing)
        student *= np.where(uniform > 0.5, high, low)
        shocks = np.empty((paths, horizon_d, lines))
        for line, (table, size) in enumerate(zip(tables.margins, student, strict=True)):
            shocks[..., line] = np.copysign(read(table, 1.0 + np.abs(size), 0, tables.margin_bits), size)
        returns[:] = compounded_returns(shocks, self._parameters, self._next_sigma)


def _halves(raw: NDArray[np.uint64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return uniform numbers, and how far each is from the nearer end of 0 and 1; never nothing."""
    uniform = np.asarray((raw >> np.uint64(11)) * 2.0**-53, dtype=np.float64)
    return uniform, np.asarray(np.maximum(np.minimum(uniform, 1.0 - uniform), 2.0**LOWEST))


def _lower_normal(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    # The octave from 1/2 on is there for 1/2 itself.
    return np.asarray(ndtri(np.minimum(uniform, 0.5)))


def _mixing(copula: TCopula, side: float) -> Function:
    def function(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        normals = side * _lower_normal(uniform)
        return copula.mixing(normals.reshape(-1, 1)).reshape(uniform.shape)

    return function


def _margins(copula: TCopula) -> tuple[int, NDArray[np.float64]]:
    """Return the margins of all instruments with as few segments as are close enough, and how many."""
    grid, lines = copula.margins, len(copula.root)
    each = [_margin(CubicTable(grid.start, grid.step, grid.coefficients[:, [line]])) for line in range(lines)]
    octaves = _octaves(copula)
    asked = 1.0 - stdtrit(copula.nu, _RAREST)
    for bits in _MARGIN_BITS:
        ends = edges(0, octaves, bits)
        ends = ends[: np.searchsorted(ends, asked) + 1]
        between = ends[:-1, np.newaxis] + np.diff(ends)[:, np.newaxis] * _BETWEEN
        tables = np.empty((lines, octaves << bits, 4))
        farthest = 0.0
        for line, function in enumerate(each):
            tables[line] = cubics(function, 0, octaves, bits)
            exact = function(between)
            error = np.abs(read(tables[line], between, 0, bits) - exact) / np.maximum(exact, 1.0)
            farthest = max(farthest, float(error.max()))
        if farthest <= _CLOSE:
            break
    return bits, tables


def _margin(table: CubicTable) -> Function:
    """Return the size of a shock as a function of 1 + |T|."""

    def function(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return table(np.arcsinh(at - 1.0).reshape(-1, 1)).reshape(at.shape)

    return function


def _octaves(copula: TCopula) -> int:
    """Return in how many octaves 1 + |T| can lie, or does where the copula's own margins change."""
    most = -ndtri(2.0**LOWEST)
    largest = most * np.abs(copula.root).sum(axis=1).max() * float(copula.mixing(np.array([[-most]]))[0, 0])
    grid = copula.margins
    end = np.sinh(grid.start + grid.step * grid.coefficients.shape[2])
    return int(np.frexp(1.0 + min(largest, end))[1])
