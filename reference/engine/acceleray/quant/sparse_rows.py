"""Rows of many columns that are mostly zero: kept are the others, and any rows are read as dense ones.

A book of thousands of portfolios holds a hundred of thousands of instruments each. Dense weights, and as many
contributions for each measure and horizon, would be gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

DENSE_COLUMNS = 512
"""Up to so many columns rows are kept dense: they are small, and read as they are."""


@dataclass(frozen=True)
class SparseRows:
    """Rows (rows, columns) of which `kept`, in compressed form, has what is not zero.

    They are read like an array, by number or slice, and what is read is dense and a copy.
    """

    kept: csr_array

    @classmethod
    def of(cls, rows: NDArray[np.float64], where: NDArray[np.bool_] | None = None) -> SparseRows:
        """Return rows of a dense array: what is not zero, or what a mask of the same shape says."""
        line, column = np.nonzero(rows if where is None else where)
        ends = np.concatenate(([0], np.cumsum(np.bincount(line, minlength=len(rows)))))
        return cls(csr_array((rows[line, column], column.astype(np.int32), ends), shape=rows.shape))

    @classmethod
    def joined(cls, parts: Iterable[SparseRows]) -> SparseRows:
        """Return the rows of all parts, one after the other."""
        return cls(csr_array(vstack([part.kept for part in parts], format="csr")))

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of rows and columns."""
        rows, columns = self.kept.shape
        return int(rows), int(columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice | int) -> NDArray[np.float64]:
        """Return dense rows (rows, columns), or one row (columns,)."""
        if isinstance(rows, slice):
            return np.asarray(self.kept[rows].toarray())
        return np.asarray(self.kept[rows : rows + 1].toarray()[0] if rows >= 0 else self[len(self) + rows])

    def some(self, rows: slice) -> SparseRows:
        """Return some of the rows, sparse as they are."""
        return SparseRows(csr_array(self.kept[rows]))

    def columns(self, places: NDArray[np.int64]) -> SparseRows:
        """Return the columns at ascending places."""
        if np.array_equal(places, np.arange(self.shape[1])):
            return self
        return SparseRows(csr_array(self.kept[:, places]))


Rows = NDArray[np.float64] | SparseRows
"""Numbers (rows, columns), dense or sparse: `rows[slice]` and `rows[number]` are dense of both."""


def rows_of(rows: NDArray[np.float64]) -> Rows:
    """Return dense rows as they are, and sparse where there are more than `DENSE_COLUMNS` columns."""
    return rows if rows.shape[1] <= DENSE_COLUMNS else SparseRows.of(rows)


def joined(parts: Iterable[Rows]) -> Rows:
    """Return the rows of all parts: dense if all are."""
    every = list(parts)
    dense = [part for part in every if not isinstance(part, SparseRows)]
    if len(dense) == len(every):
        return np.concatenate(dense)
    return SparseRows.joined(part if isinstance(part, SparseRows) else SparseRows.of(part) for part in every)


def some_of(rows: Rows, places: slice) -> Rows:
    """Return some of the rows, dense or sparse as they are."""
    return rows.some(places) if isinstance(rows, SparseRows) else rows[places]


def columns_of(rows: Rows, places: NDArray[np.int64]) -> Rows:
    """Return the columns at ascending places, of dense rows contiguous."""
    return rows.columns(places) if isinstance(rows, SparseRows) else np.ascontiguousarray(rows[:, places])
