"""Lines are looked up in blocks of scenarios: the same numbers in machine code and in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant.held_lookups import looked_up
from acceleray.quant.sparse_products import in_blocks

RETURNS = np.random.default_rng(4).normal(0.0, 0.01, (130, 9))


@pytest.mark.parametrize("compiled_in", [None, DEFAULT_FOLDER], ids=["numpy", "machine code"])
def test_what_lines_lose_is_minus_their_returns(compiled_in: Path | None) -> None:
    scenarios, lines = np.array([0, 63, 64, 64, 129]), np.array([0, 3, 8])
    found = looked_up(in_blocks(RETURNS), scenarios, lines, compiled_in)
    np.testing.assert_array_equal(found, -RETURNS[np.ix_(scenarios, lines)])


@pytest.mark.parametrize("compiled_in", [None, DEFAULT_FOLDER], ids=["numpy", "machine code"])
def test_nothing_is_read_beyond_the_blocks(compiled_in: Path | None) -> None:
    blocks, none = in_blocks(RETURNS), np.empty(0, dtype=np.int64)
    assert looked_up(blocks, none, np.array([1]), compiled_in).shape == (0, 1)
    for scenarios, lines in (([192], [0]), ([-1], [0]), ([0], [9])):
        with pytest.raises(IndexError):
            looked_up(blocks, np.array(scenarios), np.array(lines), compiled_in)
