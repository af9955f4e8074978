"""The fits of the schedule as the backtest reads them: those of each block, some blocks at a time."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import GjrFit, rejected
from acceleray.stages.backtest.history import COLUMNS, Blocks
from acceleray.stages.calibrate.fits import fit_table

NAMES = ("A", "B", "C")
DAYS = 120
SPANS = [(first, first + 10) for first in range(50, 120, 10)]
FIRST_DAY = date(2020, 1, 1)


@pytest.fixture
def returns() -> Panel:
    return Panel(np.arange("2020-01-01", DAYS, dtype="datetime64[D]"), NAMES, np.zeros((DAYS, len(NAMES))))


def fit_of(first: int, name: str) -> GjrFit:
    return rejected(f"{name} before {first}", first)


class Table:
    """Stands where Spark would, and keeps what it was asked for; rows come in no order."""

    def __init__(self) -> None:
        keys = [(first, name) for first, _ in SPANS for name in NAMES]
        rows = fit_table([fit_of(*key) for key in keys])
        fitted_on = [FIRST_DAY + timedelta(days=first - 1) for first, _ in keys]
        rows = rows.append_column("fitted_on", pa.array(fitted_on, pa.date32()))
        rows = rows.append_column("instrument_id", pa.array([name for _, name in keys]))
        self.rows = rows.take(np.random.default_rng(1).permutation(len(keys))).select(COLUMNS)
        self.given: list[int] = []

    def between(self, first: date, last: date) -> pa.Table:
        inside = [first <= day <= last for day in self.rows["fitted_on"].to_pylist()]
        self.given.append(sum(inside))
        return self.rows.filter(pa.array(inside))


@pytest.mark.parametrize("at_once", [1, 3, 6, 100])
def test_each_block_has_the_fits_before_its_first_day_however_many_are_read_at_once(
    returns: Panel, at_once: int
) -> None:
    blocks = Blocks(SPANS, returns, Table().between, at_once)
    found = [blocks[number] for number in range(len(blocks))]
    assert [(block.first, block.last) for block in found] == SPANS
    for block in found:
        assert repr(block.fits) == repr(tuple(fit_of(block.first, name) for name in NAMES))


def test_no_more_fits_are_read_at_once_than_allowed_and_none_twice(returns: Panel) -> None:
    table = Table()
    blocks = Blocks(SPANS, returns, table.between, at_once=6)
    for number in range(len(blocks)):
        blocks[number]
    assert table.given == [6, 6, 6, 3]


def test_blocks_that_are_left_out_take_no_other_block_along(returns: Panel) -> None:
    blocks = Blocks([SPANS[1], SPANS[4]], returns, Table().between, at_once=6)
    assert [fit.reason for fit in blocks[1].fits] == ["A before 90", "B before 90", "C before 90"]


def test_a_block_without_its_fits_is_an_error_and_not_another_days_fits(returns: Panel) -> None:
    table = Table()
    kept = [day != FIRST_DAY + timedelta(days=SPANS[0][0] - 1) for day in table.rows["fitted_on"].to_pylist()]
    table.rows = table.rows.filter(pa.array(kept))
    with pytest.raises(KeyError):
        Blocks(SPANS, returns, table.between, at_once=6)[0]
