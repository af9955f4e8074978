"""Losses of portfolios that hold few of many lines: only what they hold is multiplied.

A portfolio without one of its positions holds many, but differs in few from the whole portfolio: its losses
begin with those. A loss adds up lines in their order, one after the other, so its bits depend neither on the
portfolios around it nor on how scenarios are cut. Machine code and NumPy do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from acceleray.compiled import Program
from acceleray.quant.path_walks import machine_code
from acceleray.quant.sparse_rows import LessRows, Rows, SparseRows

# With more than this share of all lines, rows are multiplied faster as dense ones.
_FEW = 1.0 / 8.0
# Scenarios of a block: those of three thousand lines, 1.5 megabytes, stay in the processor's cache.
_TOGETHER = 64
# Rows that are compared with others at a time.
_COMPARED = 256


@dataclass(frozen=True)
class FewHeld:
    """Weights as the few numbers that are multiplied.

    Attributes:
        rows: (rows, lines), the weights of a row, or their differences from those of another row.
        bases: (rows,), the number of that other row, -1 for none; the other row has none.
    """

    rows: SparseRows
    bases: NDArray[np.int64]

    @classmethod
    def of(cls, weights: Rows, bases: NDArray[np.int64]) -> FewHeld | None:
        """Return weights (rows, lines) in that form; None where rows hold many of the lines.

        ``bases`` are rows from which others may differ in few lines, as a portfolio without one of its
        positions does, -1 for none.
        """
        if isinstance(weights, np.ndarray):
            return None
        # Some rows at a time are all that they hold; the others they may differ from are as they are.
        whole = weights.own if isinstance(weights, LessRows) else weights
        known = _known_to_differ(weights, bases)
        parts, used = [], np.where(known, bases, -1)
        for some in _runs(known):
            other = bases[some]
            if isinstance(weights, LessRows) and known[some.start]:
                parts.append(-_ordered(weights.gone.kept[some]))
                continue
            own = _ordered(weights.some(some).kept)
            differs = own - _ordered(whole.kept[np.maximum(other, 0)])
            better = (other >= 0) & (np.diff(differs.indptr) < np.diff(own.indptr))
            used[some][better] = other[better]
            chosen = vstack((own, differs), format="csr")
            parts.append(chosen[np.arange(len(other)) + better * len(other)])
        rows = csr_array(vstack(parts, format="csr"))
        rows.sort_indices()
        few = rows.nnz <= _FEW * rows.shape[0] * rows.shape[1]
        return cls(SparseRows(rows), used) if few else None

    def losses(
        self, rows: slice, gains: NDArray[np.float64], compiled_in: Path | None = None, at_a_time: int = 128
    ) -> Iterator[NDArray[np.float64]]:
        """Yield the losses of some rows, so many at a time, each (rows, scenarios), from `in_blocks`.

        Scenarios are those of all blocks, the zeros at the end of the last one included. ``compiled_in`` is
        where machine code is kept: faster, and the same to the bit.
        """
        needed = np.unique(self.bases[rows])
        needed = needed[needed >= 0]
        of_bases = _added(self.rows.kept[needed], gains, None, compiled_in)
        for first in range(rows.start, rows.stop, at_a_time):
            some = slice(first, min(first + at_a_time, rows.stop))
            own, begin = self.bases[some], np.zeros((some.stop - some.start, *of_bases.shape[1:]))
            begin[own >= 0] = of_bases[np.searchsorted(needed, own[own >= 0])]
            losses = _added(self.rows.kept[some], gains, begin, compiled_in)
            yield losses.reshape(len(losses), -1)


def _known_to_differ(weights: SparseRows | LessRows, bases: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are kept as what they lack of their base, where that is less than they hold."""
    if not isinstance(weights, LessRows):
        return np.zeros(len(bases), dtype=np.bool_)
    held, lacked = (np.diff(each.kept.indptr) for each in (weights.own, weights.gone))
    return np.asarray((weights.bases >= 0) & (weights.bases == bases) & (2 * lacked < held[weights.bases]))


def _runs(known: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield rows that follow each other and are all known or all not, so many at a time."""
    ends = [0, *(np.flatnonzero(known[1:] != known[:-1]) + 1).tolist(), known.size]
    for first, last in pairwise(ends):
        for start in range(first, last, _COMPARED):
            yield slice(start, min(start + _COMPARED, last))


def _ordered(rows: csr_array) -> csr_array:
    return rows if rows.has_sorted_indices else rows.sorted_indices()


def in_blocks(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each line loses, of returns (scenarios, lines): (blocks, lines, scenarios of a block).

    The last block ends with zeros.
    """
    scenarios, lines = returns.shape
    gains = np.zeros((-(-scenarios // _TOGETHER), lines, _TOGETHER))
    for number, first in enumerate(range(0, scenarios, _TOGETHER)):
        some = returns[first : first + _TOGETHER]
        np.negative(some.T, out=gains[number, :, : len(some)])
    return gains


def _added(
    held: csr_array,
    gains: NDArray[np.float64],
    begin: NDArray[np.float64] | None,
    compiled_in: Path | None,
) -> NDArray[np.float64]:
    """Return what rows hold times what lines lose, added to ``begin``, of shape (rows, blocks, scenarios)."""
    blocks, lines, size = gains.shape
    losses = np.zeros((held.shape[0], blocks, size)) if begin is None else begin
    if run := machine_code(ADD_HELD, compiled_in):
        ends, columns = (np.asarray(each, np.int64) for each in (held.indptr, held.indices))
        numbers = np.ascontiguousarray(held.data, np.float64)
        run(ends, columns, numbers, gains, losses, len(losses), numbers.size, blocks, lines, size)
        return losses
    room = np.empty((blocks, size))
    for row, (first, last) in enumerate(pairwise(held.indptr)):
        for place in range(first, last):
            np.multiply(gains[:, held.indices[place]], held.data[place], out=room)
            losses[row] += room
    return losses


def add_held(ends: Any, columns: Any, held: Any, gains: Any, losses: Any) -> int:
    """Add to losses (portfolios, blocks, scenarios) what each portfolio holds times what it loses."""
    for block in range(gains.shape[0]):
        for row in range(losses.shape[0]):
            for place in range(ends[row], ends[row + 1]):
                weight, line = held[place], columns[place]
                for scenario in range(gains.shape[2]):
                    losses[row, block, scenario] += weight * gains[block, line, scenario]
    return 0


def _entry(add: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        ends: Any,
        columns: Any,
        held: Any,
        gains: Any,
        losses: Any,
        portfolios: int,
        holdings: int,
        blocks: int,
        lines: int,
        size: int,
    ) -> int:
        return add(
            carray(ends, (portfolios + 1,)),
            carray(columns, (holdings,)),
            carray(held, (holdings,)),
            carray(gains, (blocks, lines, size)),
            carray(losses, (portfolios, blocks, size)),
        )

    return entry


ADD_HELD = Program("add_held", (add_held,), _entry, ("int64*", "int64*", *["float64*"] * 3, *["int64"] * 5))
