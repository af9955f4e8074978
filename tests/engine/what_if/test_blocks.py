"""How many scenarios are kept, and that they are the same for any number of workers."""

import numpy as np
import pytest

from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.resident import Resident as Store
from acceleray.errors import PortfolioError
from acceleray.quant.line_returns import Unit
from acceleray.stages.what_if.blocks import RayBlocks, room
from acceleray.stages.what_if.drawn import Resident
from acceleray.stages.what_if.found import Question
from simulate.serial import all_returns, made_up_world
from what_if.serial import LEVELS, SerialBlocks

MILLION = 1_000_000


def test_all_scenarios_are_kept_in_the_best_precision_that_fits():
    # 200 instruments and the losses: 1,608 bytes a scenario in double precision, 808 in single.
    whole = room(MILLION, 200, 1600)
    assert (whole.scenarios, whole.precision, whole.megabytes) == (MILLION, "float64", 1534)
    half = room(MILLION, 200, 1000)
    assert (half.scenarios, half.precision, half.megabytes) == (MILLION, "float32", 771)


def test_fewer_are_kept_where_memory_is_short_and_it_says_so():
    kept = room(MILLION, 200, 400)
    assert (kept.precision, kept.scenarios % 4096) == ("float32", 0)
    assert kept.scenarios * 808 <= 400 * 1024 * 1024 < (kept.scenarios + 4096) * 808
    assert (
        kept.words
        == f"{kept.scenarios:,} scenarios instead of 1,000,000, because memory is short in single"
        + (f" precision, {kept.megabytes} MB")
    )


def test_too_little_memory_is_refused_in_one_line():
    with pytest.raises(
        PortfolioError, match=r"10,000 scenarios of 3000 instruments take 115 MB, and 64 MB are allowed"
    ):
        room(MILLION, 3000, 64)


@pytest.mark.ray
def test_any_number_of_workers_gives_the_same_bits_and_those_of_the_simulation(one_ray):
    world, scenarios = made_up_world(instruments=4), 70_000
    one_ray.fan_out()
    asked = Question(
        (((1.0, Unit(0)),), ((1.0, Unit(3)),)),
        np.array([-0.2, 0.1]),
        (((1.0, Unit(1)),),),
        np.array([0.2, 0.2, 0.2, 0.3]),
    )
    weights, kept = np.array([0.4, 0.2, 0.2, 0.2]), room(scenarios, 4, 60)
    found = []
    for workers in (1, 2, 3):
        blocks = RayBlocks(FanOut(workers, 600), world, 10, kept)
        assert blocks.count == 3
        resident = Resident(blocks, 10, LEVELS)
        found.append(resident.answer(resident.keep(weights), asked, lambda: None)[0])
    returns = np.ascontiguousarray(all_returns(world, scenarios, 10).T)
    alone = Resident(SerialBlocks(returns, 8 * 4096), 10, LEVELS)
    found.append(alone.answer(alone.keep(weights), asked, lambda: None)[0])
    first = found[0]
    for other in found[1:]:
        assert other.before.measures == first.before.measures
        assert other.after.measures == first.after.measures
        assert other.hedges == first.hedges
        np.testing.assert_array_equal(other.incremental, first.incremental)
    for other in found[1:3]:
        np.testing.assert_array_equal(other.after.value_at_risk, first.after.value_at_risk)
        np.testing.assert_array_equal(other.after.expected_shortfall, first.after.expected_shortfall)


def failing(value: int) -> int:
    """Return what is given, but for one."""
    if value == 3:
        raise PortfolioError("three cannot be had.")
    if value == 4:
        raise ValueError("four\nis odd")
    return value


@pytest.mark.ray
def test_what_a_task_raises_comes_out_as_one_line(one_ray):
    store = Store(one_ray.fan_out(), 3)
    assert store.ask(failing, [(0,), (1,), (2,)]).get() == [0, 1, 2]
    kept = store.keep(failing, [(0,), (1,), (2,)])
    assert [store.get(each) for each in kept] == [0, 1, 2]
    with pytest.raises(PortfolioError, match=r"^three cannot be had\.$"):
        store.ask(failing, [(0,), (1,), (3,)]).get()
    with pytest.raises(PortfolioError, match=r"^failing failed: ValueError: four is odd$"):
        store.keep(failing, [(0,), (4,), (2,)])
