"""Rows of many columns that are mostly zero, or another row less a few of its columns: any are read as dense.

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

    @classmethod
    def empty(cls, rows: int, columns: int) -> SparseRows:
        """Return rows without a number in them."""
        return cls(csr_array((rows, columns)))

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


@dataclass(frozen=True)
class LessRows:
    """Rows (rows, columns) of which some are another one without some of its columns.

    A portfolio without one of its positions may hold thousands of lines, and lacks one of those of the whole.
    They are read as `SparseRows` are.

    Attributes:
        own: the rows as they are; empty where they are another one without some columns.
        gone: what such a row lacks of the other one, in its columns.
        bases: (rows,), the number of the other row, -1 for none; the other row is as it is.
    """

    own: SparseRows
    gone: SparseRows
    bases: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of rows and columns."""
        return self.own.shape

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.own)

    def __getitem__(self, rows: slice | int) -> NDArray[np.float64]:
        """Return dense rows (rows, columns), or one row (columns,)."""
        if not isinstance(rows, slice):
            number = rows if rows >= 0 else len(self) + rows
            return self[number : number + 1][0]
        dense, gone, before, whole = self.own[rows], self.gone.kept[rows], -1, np.empty(0)
        for row, base in enumerate(self.bases[rows].tolist()):
            if base < 0:
                continue
            if base != before:
                # Rows that lack something of one row follow each other.
                before, whole = base, self.own[base]
            dense[row] = whole
            dense[row, gone.indices[gone.indptr[row] : gone.indptr[row + 1]]] = 0.0
        return dense

    def some(self, rows: slice) -> SparseRows:
        """Return some of the rows, each with all that it holds."""
        return SparseRows.of(self[rows])

    def columns(self, places: NDArray[np.int64]) -> LessRows:
        """Return the columns at ascending places."""
        return LessRows(self.own.columns(places), self.gone.columns(places), self.bases)


Rows = NDArray[np.float64] | SparseRows | LessRows
"""Numbers (rows, columns), dense or not: `rows[slice]` and `rows[number]` are dense of all."""


def rows_of(rows: NDArray[np.float64]) -> Rows:
    """Return dense rows as they are, and sparse where there are more than `DENSE_COLUMNS` columns."""
    return rows if rows.shape[1] <= DENSE_COLUMNS else SparseRows.of(rows)


def joined(parts: Iterable[Rows]) -> Rows:
    """Return the rows of all parts: dense if all are."""
    every = list(parts)
    dense = [part for part in every if isinstance(part, np.ndarray)]
    if len(dense) == len(every):
        return np.concatenate(dense)
    return SparseRows.joined(_sparse(part) for part in every)


def some_of(rows: Rows, places: slice) -> Rows:
    """Return some of the rows, dense or sparse as they are."""
    return rows[places] if isinstance(rows, np.ndarray) else rows.some(places)


def columns_of(rows: Rows, places: NDArray[np.int64]) -> Rows:
    """Return the columns at ascending places, of dense rows contiguous."""
    return np.ascontiguousarray(rows[:, places]) if isinstance(rows, np.ndarray) else rows.columns(places)


def _sparse(rows: Rows) -> SparseRows:
    if isinstance(rows, LessRows):
        return rows.some(slice(0, len(rows)))
    return SparseRows.of(rows) if isinstance(rows, np.ndarray) else rows
