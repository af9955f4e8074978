"""Tasks that take each other's results, on a real Ray."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from acceleray.engines.ray.fanout import FanOut
from acceleray.errors import PortfolioError
from one_ray import OneRay

pytestmark = pytest.mark.ray


@pytest.fixture
def fan_out(one_ray: OneRay) -> FanOut:
    return one_ray.fan_out()


def counted(size: int) -> np.ndarray:
    return np.arange(size, dtype=np.float64)


def added(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    assert not one.flags.writeable
    return one + other


def negative(price: float) -> float:
    raise ValueError(f"negative price {price}")


def refused(price: float) -> float:
    raise PortfolioError(f"the price {price} is refused; correct it.")


def dies_once(marker: str, before: np.ndarray) -> np.ndarray:
    if not os.path.exists(marker):
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return before + 1.0


def waits(marker: str) -> None:
    while not os.path.exists(marker):
        pass


def test_results_become_arguments_and_come_out_in_order(fan_out: FanOut) -> None:
    with fan_out.chain("sums") as chain:
        made = [chain.start(counted, 100_000) for _ in range(2)]
        total = chain.start(added, *made)
        found = list(chain.results([chain.start(added, total, made[0]), made[0]], "sum"))
    np.testing.assert_array_equal(found[0], 3.0 * np.arange(100_000))
    np.testing.assert_array_equal(found[1], np.arange(100_000))
    last = fan_out.mapped[-1]
    assert (last.function, last.tasks, last.at_once) == ("sums", 4, 2)


def test_what_made_an_argument_is_named_where_it_failed(fan_out: FanOut) -> None:
    with fan_out.chain("sums") as chain:
        total = chain.start(added, chain.start(negative, -3.0), chain.start(counted, 3))
        with pytest.raises(PortfolioError, match=r"^sum 1 of 1 failed: ValueError: negative price -3.0$"):
            list(chain.results([total], "sum"))
        with pytest.raises(PortfolioError, match=r"^the price 1.0 is refused; correct it.$"):
            list(chain.results([chain.start(refused, 1.0)], "sum"))


def test_a_task_whose_worker_is_killed_runs_again(fan_out: FanOut, tmp_path: Path) -> None:
    with fan_out.chain("sums") as chain:
        made = chain.start(counted, 200_000)
        [found] = chain.results([chain.start(dies_once, str(tmp_path / "died"), made)], "sum")
    np.testing.assert_array_equal(found, np.arange(200_000) + 1.0)


def test_a_task_that_never_ends_is_given_up(fan_out: FanOut, tmp_path: Path) -> None:
    impatient, marker = FanOut(workers=2, task_timeout_s=1), tmp_path / "given up"
    with impatient.chain("waiting") as chain:
        waiting = chain.start(waits, str(marker))
        with pytest.raises(
            PortfolioError, match=r"^sum 1 of 1 gave no result in 1 s; raise ray.task_timeout_s"
        ):
            list(chain.results([waiting], "sum"))
    marker.touch()
