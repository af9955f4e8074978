"""One look at a block: machine code against NumPy, for any number of scenarios taken together."""

import pickle

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant import block_scans
from acceleray.quant.block_scans import Seen, Trades, looked_through
from acceleray.quant.hedge_scans import LOOK_THROUGH
from acceleray.quant.hedge_scenarios import Interval
from acceleray.quant.line_returns import Unit
from acceleray.quant.path_walks import machine_code

COUNT = 20_011


@pytest.fixture(scope="module")
def block() -> tuple[np.ndarray, np.ndarray]:
    """Return returns of five instruments, and losses of a book."""
    generator = np.random.default_rng(4)
    returns = generator.standard_t(4, (5, COUNT)) * 0.02
    return returns, -(np.array([0.4, 0.2, 0.2, 0.1, 0.1]) @ returns)


def asked(losses: np.ndarray, least: float = 0.97) -> Trades:
    low = float(np.quantile(losses, least))
    hedges = Interval(-0.4, -0.1, low, low * 1.3, -0.2), Interval(0.05, 0.3), Interval(-0.1, 0.1, low, low)
    units = tuple(((1.0, Unit(place)),) for place in (0, 4, 1, 2, 4))
    return Trades(units, np.array([-0.2, 0.1]), np.array([low, low * 0.9, low * 1.1]), hedges)


def same(one: Seen, other: Seen) -> None:
    np.testing.assert_array_equal(one.losses, other.losses)
    np.testing.assert_array_equal(one.rows, other.rows)
    for mine, theirs in zip(one.without, other.without, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(one.hedges, other.hedges, strict=True):
        assert (mine.sure, mine.least_above, mine.most_above) == (
            theirs.sure,
            theirs.least_above,
            theirs.most_above,
        )
        np.testing.assert_array_equal(mine.losses, theirs.losses)
        np.testing.assert_array_equal(mine.units, theirs.units)


@pytest.mark.parametrize("together", [7, 1024, 65_536])
@pytest.mark.parametrize("most", [0, 40, COUNT])
def test_machine_code_finds_what_numpy_finds_however_many_it_takes_together(block, together, most):
    returns, losses = block
    run = machine_code(LOOK_THROUGH, DEFAULT_FOLDER)
    assert run is not None
    trades = asked(losses)
    expected = looked_through(returns, losses, trades)
    assert expected.losses.size
    assert expected.hedges[0].sure.count
    # Where there is no room for what is found, it looks again with room for all.
    same(block_scans._by_machine(run, returns, losses, trades, together, most), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_units_that_are_no_rows_of_the_block_are_looked_at_alike(block, dtype):
    returns, losses = block
    run = machine_code(LOOK_THROUGH, DEFAULT_FOLDER)
    assert run is not None
    trades = asked(losses)
    units = (((0.5, Unit(1)), (0.5, Unit(3))), *trades.units[1:])
    trades = Trades(units, trades.amounts, trades.losses, trades.hedges)
    some = returns.astype(dtype)
    same(block_scans._by_machine(run, some, losses, trades), looked_through(some, losses, trades))


def test_a_look_for_nothing_but_losses_needs_no_unit(block):
    returns, losses = block
    run = machine_code(LOOK_THROUGH, DEFAULT_FOLDER)
    assert run is not None
    trades = Trades((), np.empty(0), np.array([0.03]))
    same(block_scans._by_machine(run, returns, losses, trades), looked_through(returns, losses, trades))


def test_what_was_seen_travels_as_it_is(block):
    returns, losses = block
    seen = looked_through(returns, losses, asked(losses))
    same(pickle.loads(pickle.dumps(seen)), seen)
