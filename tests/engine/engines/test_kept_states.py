"""States that stay in actors while a stream goes through them, on a real Ray."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import ray

from acceleray.engines.ray import kept_states
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.kept_states import Stream
from acceleray.errors import PortfolioError
from engines.living import gone, saying
from one_ray import OneRay

pytestmark = pytest.mark.ray

SEGMENTS = [[0, 1, 2], [3, 4, 5], [6]]


@pytest.fixture(scope="module", autouse=True)
def sent_by_value() -> Iterator[None]:
    # Ray's workers cannot import a test module.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def fan_out(one_ray: OneRay) -> FanOut:
    return one_ray.fan_out()


def numbers(part: int, folder: str) -> np.ndarray:
    if part < 0:
        raise ValueError(f"part {part} is negative")
    return np.full(50_000, 1.0 / (3.0 + part))


def added(state: np.ndarray | None, task: float, folder: str, *made: np.ndarray) -> np.ndarray:
    """Add in an order that matters to the last bit; say who did it."""
    _died(folder, "take")
    state = np.zeros(50_000) if state is None else state
    assert state.flags.writeable
    for each in made:
        state *= task
        state += each
    (Path(folder) / f"{task} {os.getpid()}").touch()
    return state


def summed(state: np.ndarray, task: float, folder: str) -> float:
    _died(folder, "finish")
    return float(state.sum())


def _died(folder: str, where: str) -> None:
    """End this process where a file says so, once; `always` is for ever."""
    once, always = Path(folder) / f"die in {where}", Path(folder) / "always"
    # Of several that come at once, only one removes the file.
    with suppress(FileNotFoundError):
        once.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if always.exists():
        os.kill(os.getpid(), signal.SIGKILL)


def stuck(state: None, task: float, folder: str, *made: np.ndarray) -> None:
    time.sleep(600.0)


STREAM = Stream(numbers, added, summed)


def expected(tasks: list[float]) -> list[float]:
    found = []
    for task in tasks:
        state = np.zeros(50_000)
        for part in range(7):
            state = state * task + np.full(50_000, 1.0 / (3.0 + part))
        found.append(float(state.sum()))
    return found


def ended() -> bool:
    return gone(saying("ray::_Keeper"), within_s=180.0)


@pytest.mark.parametrize(
    "tasks", [pytest.param([0.9], marks=pytest.mark.nightly), [0.7, 1.1, 1.3, 0.2, 0.9]], ids=len
)
def test_each_state_takes_all_parts_in_their_order_where_it_began(
    fan_out: FanOut, tmp_path: Path, tasks: list[float]
) -> None:
    done: list[int] = []
    with fan_out.states("sums") as states:
        found = states.through(STREAM, tasks, SEGMENTS, [str(tmp_path)], lambda: done.append(len(done)))
        again = states.through(STREAM, tasks, SEGMENTS, [fan_out.share(str(tmp_path))])
    assert found == again == expected(tasks)
    assert done == [0, 1, 2]
    # One process for each state, and no more than there are workers.
    seen = [path.name.split() for path in tmp_path.iterdir()]
    assert len({task for task, _ in seen}) == len(seen) == len(tasks)
    assert len({process for _, process in seen}) == min(len(tasks), 2)
    last = fan_out.mapped[-1]
    assert (last.function, last.tasks, last.at_once) == ("sums", 7 + 4 * len(tasks), 2)
    # Their processors are free again.
    assert ended()
    assert list(fan_out.map(abs, [-1, -2])) == [1, 2]


@pytest.mark.parametrize("where", ["take", pytest.param("finish", marks=pytest.mark.nightly)])
def test_an_actor_that_is_killed_changes_no_number_and_is_said(
    fan_out: FanOut, tmp_path: Path, where: str
) -> None:
    (tmp_path / f"die in {where}").touch()
    said: list[str] = []
    done: list[int] = []
    with fan_out.states("sums", said.append) as states:
        found = states.through(STREAM, [0.7, 1.1], SEGMENTS, [str(tmp_path)], lambda: done.append(1))
        assert found == expected([0.7, 1.1])
    [line] = said
    what = "segment 1 of 3" if where == "take" else "sums"
    assert line == f"{what} was lost (ActorDiedError); sums starts again, attempt 2 of 4."
    # A segment is told once, however often it is gone through.
    assert len(done) == 3
    assert ended()


@pytest.mark.nightly
def test_what_always_kills_its_actor_is_given_up(fan_out: FanOut, tmp_path: Path) -> None:
    (tmp_path / "always").touch()
    said: list[str] = []
    with (
        pytest.raises(PortfolioError, match=r"^segment 1 of 3 was lost \(ActorDiedError: .*; run again\.$"),
        fan_out.states("sums", said.append) as states,
    ):
        states.through(STREAM, [0.7, 1.1], SEGMENTS, [str(tmp_path)])
    assert len(said) == 3
    assert ended()


def test_an_error_is_named_where_it_happened_and_leaves_no_actor(fan_out: FanOut, tmp_path: Path) -> None:
    with (
        pytest.raises(PortfolioError, match=r"^segment 2 of 2 failed: ValueError: part -1 is negative$"),
        fan_out.states("sums") as states,
    ):
        states.through(STREAM, [0.7, 1.1], [[0], [1, -1]], [str(tmp_path)])
    assert ended()


def test_a_segment_that_never_ends_is_given_up_and_ended(fan_out: FanOut, tmp_path: Path) -> None:
    impatient = FanOut(2, task_timeout_s=3)
    with (
        pytest.raises(
            PortfolioError, match=r"^segment 1 of 1 gave no result in 3 s; raise ray.task_timeout_s"
        ),
        impatient.states("sums") as states,
    ):
        states.through(Stream(numbers, stuck, summed), [0.7], [[0]], [str(tmp_path)])
    assert ended()


@pytest.mark.nightly
def test_an_interrupt_ends_the_actors(fan_out: FanOut, tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), fan_out.states("sums") as states:
        states.through(STREAM, [0.7, 1.1], SEGMENTS, [str(tmp_path)], interrupted)
    assert ended()


@pytest.mark.nightly
def test_fewer_actors_than_workers_do_all_where_there_is_no_room(
    fan_out: FanOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after the loss of a node that does not come back: room for two, wanted are three.
    monkeypatch.setattr(kept_states, "_GRACE_S", 1.0)
    wide = FanOut(3, task_timeout_s=600)
    with wide.states("sums") as states:
        assert states.through(STREAM, [0.7, 1.1, 0.3], SEGMENTS, [str(tmp_path)]) == expected([0.7, 1.1, 0.3])
    assert wide.mapped[-1].at_once == 2
    assert ended()
