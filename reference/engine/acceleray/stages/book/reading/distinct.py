"""Rows of a table that are alike, found without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Distinct:
    """Different rows: the number of each row's like (rows,), and the first row of each (different,)."""

    codes: NDArray[np.int64]
    first: NDArray[np.int64]


def ranked(column: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the rank (rows,) of each value among the different ones, ascending; NULL and NaN are -1."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    encoded = column.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    return rank[encoded.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)]


def distinct(columns: Sequence[pa.Array | pa.ChunkedArray]) -> Distinct:
    """Return the different rows of columns, in the order of their content."""
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        ranks = ranked(column) + 1
        # Numbered again after each column, so that the product of two never overflows.
        codes = np.unique(codes * (ranks.max(initial=0) + 1) + ranks, return_inverse=True)[1]
    _, first = np.unique(codes, return_index=True)
    return Distinct(codes, first.astype(np.int64))


def order_of(columns: Sequence[pa.Array | pa.ChunkedArray]) -> NDArray[np.int64]:
    """Return the order (rows,) of rows by content, the first column first."""
    return np.lexsort([ranked(column) for column in reversed(columns)])


def counted(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 1, 2, 3, ... (rows,) within rows of one code that follow each other."""
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if codes.size else np.empty(0, np.int64)
    lengths = np.diff(np.r_[starts, codes.size])
    return np.arange(1, codes.size + 1) - np.repeat(starts, lengths)
