"""Weights of details are to the bit those of a copy of the exposures of each, and need no copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acceleray.quant import sparse_rows
from acceleray.quant.sparse_rows import LessRows
from acceleray.stages.book import detail_weights
from acceleray.stages.book.book import Book
from acceleray.stages.book.detail_weights import columns_with, weights_with
from acceleray.stages.book.details import ACTIVE, GROUP, WITHOUT, Details, details_of, with_benchmarks
from acceleray.stages.book.exposures import Exposures, exposures_of
from book.invented import MARKET, instruments, portfolios, positions, valued

# Two names of one series, one of another at its proxy, a short, a forward, cash, and three levels.
KNOWN = instruments(
    {"instrument_id": "AAA.TWIN", "currency": "USD", "series": "AAA"},
    {"instrument_id": "UNPRICED", "currency": "USD", "proxy": "AAA", "proxy_beta": 0.7},
    {"instrument_id": "EURUSD", "type": "forward", "currency": "USD"},
    {"instrument_id": "CASH.EUR", "type": "cash", "currency": "EUR"},
)
NAMES = ("AAA", "AAA.TWIN", "BBB", "SAP", "UNPRICED", "EURUSD", "CASH.EUR")


def book(seed: int):
    generator = np.random.default_rng(seed)
    of = portfolios(
        {"portfolio_id": "ALL", "base_currency": "USD", "benchmark_id": "INDEX"},
        {"portfolio_id": "DESK", "parent_id": "ALL", "base_currency": "EUR", "benchmark_id": "P0"},
        *({"portfolio_id": f"P{n}", "parent_id": "DESK" if n % 2 else "ALL"} for n in range(4)),
    )
    held = positions(
        *(
            {
                "portfolio_id": f"P{generator.integers(4)}",
                "instrument_id": (name := str(generator.choice(NAMES))),
                "quantity": float(np.round(generator.uniform(1.0, 300.0), 3))
                * (-0.1 if name == "BBB" else 1.0),
            }
            for _ in range(60)
        )
    )
    found = with_benchmarks(exposures_of(valued(held, of, KNOWN), MARKET), of, KNOWN, MARKET)
    sectors = np.array(["tech", "food", ""], dtype=object)
    return of, found, {"sector": sectors[generator.integers(3, size=len(held))]}


@pytest.mark.parametrize("seed", range(6))
def test_they_are_those_of_copies_to_the_bit(seed: int) -> None:
    of, found, groups = book(seed)
    rows = details_of(found, of, groups)
    columns = columns_with(found, rows, of, MARKET)
    weights, of_rows, _ = weights_with(found, rows, columns, len(of))
    assert {row.detail.kind for row in rows} == {ACTIVE, GROUP, WITHOUT}
    for row, got in zip(rows, of_rows, strict=True):
        if row.detail.kind == ACTIVE:
            continue
        mine = np.flatnonzero(found.portfolio == row.detail.portfolio)
        left = np.setdiff1d(mine, row.places) if row.detail.kind == WITHOUT else row.places
        expected = np.zeros(len(columns.lines))
        for place in left[columns.of[left] >= 0]:
            expected[columns.of[place]] += found.amount[place] / row.nav
        np.testing.assert_array_equal(got, expected, err_msg=str(row.detail))
    held = {name for row in rows if row.detail.kind == WITHOUT for name in [row.detail.name]}
    assert {"AAA", "AAA.TWIN"} <= held, "no series is held under two names"
    whole = np.zeros_like(weights)
    kept = np.flatnonzero(columns.of[: found.amount.size] >= 0)
    for place in kept:
        at = found.portfolio[place]
        whole[at, columns.of[place]] += found.amount[place] / found.nav[at]
    np.testing.assert_array_equal(weights, whole)


def test_of_many_lines_a_portfolio_without_a_position_is_kept_as_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of, found, groups = book(2)
    rows = details_of(found, of, groups)
    columns = columns_with(found, rows, of, MARKET)
    weights, dense, lacking = weights_with(found, rows, columns, len(of))
    assert lacking is None
    for module in (sparse_rows, detail_weights):
        monkeypatch.setattr(module, "DENSE_COLUMNS", 1)
    _, kept, lacking = weights_with(found, rows, columns, len(of))
    details = tuple(row.detail for row in rows)
    without = Details(details, kept).of(WITHOUT)
    assert lacking is not None
    assert not kept[:][without].any()
    assert 0 < lacking.kept.nnz < np.count_nonzero(np.asarray(dense)[without])
    plain = Book.plain(of.ids, columns.lines.own, weights, 1.0, "USD")
    every = replace(plain, lines=columns.lines, details=Details(details, kept, lacking)).every
    assert isinstance(every, LessRows)
    np.testing.assert_array_equal(every[:], np.concatenate((weights, dense)))


def test_what_is_kept_for_details_grows_with_the_book_and_not_with_its_square() -> None:
    of, found, groups = book(1)
    rows = details_of(found, of, groups)
    places = sum(row.places.size for row in rows)
    # Each exposure is in one sector and in one part, and is left out once.
    assert places <= 3 * found.amount.size
    copies = sum(row.against.amount.size for row in rows if isinstance(row.against, Exposures))
    assert copies <= found.amount.size
