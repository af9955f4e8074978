"""What some lines lose in some scenarios, looked up in blocks of all lines and scenarios.

The blocks are those of ``acceleray.quant.sparse_products``. Machine code reads ahead while it waits for
memory, which is most of the work: about three times as fast as NumPy, and the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acceleray.compiled import Program
from acceleray.quant.path_walks import machine_code


def looked_up(
    losses: NDArray[np.float64],
    scenarios: NDArray[np.int64],
    lines: NDArray[np.int64],
    compiled_in: Path | None = None,
) -> NDArray[np.float64]:
    """Return what lines (held,) lose in scenarios (chosen,), of shape (chosen, held).

    Args:
        losses: of all lines, (blocks, lines, scenarios of a block).
        scenarios: numbers, counted through all blocks.
        lines: places.
        compiled_in: where machine code is kept.

    Raises:
        IndexError: a scenario or a line is not there.
    """
    blocks, count, size = losses.shape
    for wanted, end in ((scenarios, blocks * size), (lines, count)):
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < end:
            raise IndexError(f"there are {end} and not {wanted.max() + 1}")
    if run := machine_code(LOOK_UP, compiled_in):
        found = np.empty((scenarios.size, lines.size))
        run(losses, scenarios, lines, found, *losses.shape, *found.shape)
        return found
    block, place = np.divmod(scenarios, size)
    return np.asarray(losses[block[:, np.newaxis], lines, place[:, np.newaxis]])


def look_up(losses: Any, scenarios: Any, lines: Any, found: Any) -> int:
    """Write down what lines lose in scenarios."""
    size = losses.shape[2]
    for row in range(scenarios.size):
        block = scenarios[row] // size
        place = scenarios[row] - block * size
        for column in range(lines.size):
            found[row, column] = losses[block, lines[column], place]
    return 0


def _entry(look: Callable[..., int], carray: Callable[..., Any]) -> Callable[..., int]:
    def entry(
        losses: Any,
        scenarios: Any,
        lines: Any,
        found: Any,
        blocks: int,
        count: int,
        size: int,
        chosen: int,
        held: int,
    ) -> int:
        return look(
            carray(losses, (blocks, count, size)),
            carray(scenarios, (chosen,)),
            carray(lines, (held,)),
            carray(found, (chosen, held)),
        )

    return entry


LOOK_UP = Program("look_up", (look_up,), _entry, ("float64*", "int64*", "int64*", "float64*", *["int64"] * 5))
