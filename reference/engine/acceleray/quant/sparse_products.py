"""Losses of portfolios that hold few of many lines: only what they hold is multiplied.

A loss adds up the lines in their order, one after the other, so its bits depend neither on the portfolios
around it nor on how scenarios are cut. Machine code and NumPy do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from acceleray.compiled import Program
from acceleray.quant.path_walks import machine_code
from acceleray.quant.sparse_rows import Rows, SparseRows

# Portfolios with more than this share of all lines are multiplied faster as dense rows.
_FEW = 1.0 / 8.0
# Scenarios of a block: those of three thousand lines, 1.5 megabytes, stay in the processor's cache.
_TOGETHER = 64


def few_held(weights: Rows) -> bool:
    """Return whether portfolios (portfolios, lines) hold few of the lines."""
    if not isinstance(weights, SparseRows):
        return False
    rows, columns = weights.shape
    return bool(weights.kept.nnz <= _FEW * rows * columns)


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


def sparse_losses(
    weights: SparseRows, gains: NDArray[np.float64], scenarios: int, compiled_in: Path | None = None
) -> NDArray[np.float64]:
    """Return the losses (portfolios, scenarios) of some portfolios, from `in_blocks`.

    ``compiled_in`` is where machine code for it is kept: faster, and the same to the bit.
    """
    kept = csr_array(weights.kept)
    kept.sort_indices()
    blocks, lines, size = gains.shape
    losses = np.zeros((kept.shape[0], blocks, size))
    if run := machine_code(ADD_HELD, compiled_in):
        ends, columns = np.asarray(kept.indptr, np.int64), np.asarray(kept.indices, np.int64)
        held = np.ascontiguousarray(kept.data, np.float64)
        run(ends, columns, held, gains, losses, len(losses), held.size, blocks, lines, size)
    else:
        room = np.empty((blocks, size))
        for row, (first, last) in enumerate(zip(kept.indptr[:-1], kept.indptr[1:], strict=True)):
            for place in range(first, last):
                np.multiply(gains[:, kept.indices[place]], kept.data[place], out=room)
                losses[row] += room
    return losses.reshape(len(losses), blocks * size)[:, :scenarios]


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
