"""Rows that are mostly zero read as the dense ones that they were made from."""

from __future__ import annotations

import pickle

import numpy as np
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from acceleray.quant.sparse_rows import (
    DENSE_COLUMNS,
    LessRows,
    SparseRows,
    columns_of,
    joined,
    rows_of,
    some_of,
)


def mostly_zero(rows: int, columns: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(11)
    values = generator.normal(size=(rows, columns))
    return np.where(generator.random((rows, columns)) < 0.1, values, 0.0)


def test_rows_are_read_as_they_were() -> None:
    dense = mostly_zero(40, 90)
    dense[7] = 0.0
    rows = SparseRows.of(dense)
    assert (len(rows), rows.shape) == (40, (40, 90))
    assert_array_equal(rows[:], dense)
    assert_array_equal(rows[3:9], dense[3:9])
    assert_array_equal(rows[12], dense[12])
    assert_array_equal(rows[-1], dense[-1])
    assert rows.kept.nnz == np.count_nonzero(dense)


def test_a_mask_says_what_is_kept_zeros_included() -> None:
    dense = mostly_zero(6, 8)
    where = np.zeros(dense.shape, dtype=np.bool_)
    where[2] = True
    rows = SparseRows.of(dense, where)
    assert rows.kept.nnz == 8
    assert_array_equal(rows[:], np.where(where, dense, 0.0))


def test_parts_are_joined_and_cut_as_dense_ones_are() -> None:
    dense = mostly_zero(30, 20)
    rows = SparseRows.joined([SparseRows.of(dense[:11]), SparseRows.of(dense[11:])])
    assert_array_equal(rows[:], dense)
    some = some_of(rows, slice(5, 17))
    assert isinstance(some, SparseRows)
    assert_array_equal(some[:], dense[5:17])
    places = np.array([0, 4, 19])
    fewer = columns_of(rows, places)
    assert_array_equal(fewer[:], dense[:, places])
    assert columns_of(rows, np.arange(20)) is rows


def test_few_columns_stay_dense_and_one_sparse_part_makes_the_whole_sparse() -> None:
    few, many = mostly_zero(4, DENSE_COLUMNS), mostly_zero(4, DENSE_COLUMNS + 1)
    assert rows_of(few) is few
    assert isinstance(rows_of(many), SparseRows)
    assert isinstance(joined([few, few]), np.ndarray)
    both = joined([many, rows_of(many)])
    assert isinstance(both, SparseRows)
    assert_array_equal(both[:], np.concatenate([many, many]))


def test_rows_that_were_read_only_are_read_as_well() -> None:
    # Ray's store hands out arrays that cannot be written.
    buffers: list[pickle.PickleBuffer] = []
    dense = mostly_zero(10, 600)
    data = pickle.dumps(SparseRows.of(dense), protocol=5, buffer_callback=buffers.append)
    rows = pickle.loads(data, buffers=[memoryview(each.raw()).toreadonly() for each in buffers])
    assert_array_equal(rows[2:5], dense[2:5])
    assert_array_equal(columns_of(rows, np.arange(0, 600, 2))[:], dense[:, ::2])


def test_rows_that_are_others_less_some_columns_are_read_as_they_were() -> None:
    own, bases = mostly_zero(12, 40), np.full(12, -1)
    dense, lacking = own.copy(), np.zeros_like(own)
    for row, base in ((4, 1), (5, 1), (7, 2), (8, 1)):
        held = np.flatnonzero(own[base])[row % 3 :: 2]
        own[row], bases[row] = 0.0, base
        dense[row], lacking[row, held] = own[base], own[base, held]
        dense[row, held] = 0.0
    rows = LessRows(SparseRows.of(own), SparseRows.of(lacking), bases)
    assert (len(rows), rows.shape) == (12, (12, 40))
    assert_array_equal(rows[:], dense)
    assert_array_equal(rows[5:9], dense[5:9])
    assert_array_equal(rows[7], dense[7])
    assert_array_equal(rows[-4], dense[8])
    assert_array_equal(some_of(rows, slice(3, 8))[:], dense[3:8])
    places = np.arange(1, 40, 3)
    assert_array_equal(columns_of(rows, places)[:], dense[:, places])
    assert_array_equal(joined([rows, own])[:], np.concatenate([dense, own]))
