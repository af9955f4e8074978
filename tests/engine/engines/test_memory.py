"""Java gives back memory when its heap has grown, where this process has started it and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from py4j.protocol import Py4JNetworkError

from acceleray.engines.processes.memory import give_back, given_back
from acceleray.engines.spark import jvm

SMALL, GROWN = 300_000_000, 900_000_000


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return how often garbage was collected in a Java with such a heap."""

    def of(heap: int, process: Any = "java", work: Callable[[], object] = give_back) -> int:
        times: list[None] = []
        runtime = SimpleNamespace(totalMemory=lambda: heap)
        java = SimpleNamespace(
            Runtime=SimpleNamespace(getRuntime=lambda: runtime),
            System=SimpleNamespace(gc=lambda: times.append(None)),
        )
        gateway = SimpleNamespace(proc=process, jvm=SimpleNamespace(java=SimpleNamespace(lang=java)))
        context = SimpleNamespace(_gateway=gateway)
        monkeypatch.setitem(sys.modules, "pyspark", SimpleNamespace(SparkContext=context))
        work()
        return len(times)

    return of


def test_a_heap_that_has_grown_is_collected_and_a_small_one_left_alone(collected: Callable[..., int]) -> None:
    assert (collected(SMALL), collected(GROWN)) == (0, 1)


def test_a_stage_that_fails_gives_back_memory_too(collected: Callable[..., int]) -> None:
    def stage() -> None:
        with pytest.raises(ZeroDivisionError), given_back():
            raise ZeroDivisionError

    assert collected(GROWN, work=stage) == 1


def test_a_java_that_was_there_before_is_left_alone(collected: Callable[..., int]) -> None:
    assert collected(GROWN, process=None) == 0


@pytest.mark.parametrize(
    "there", [SimpleNamespace(), SimpleNamespace(SparkContext=SimpleNamespace(_gateway=None))]
)
def test_without_java_there_is_nothing_to_do(there: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", there)
    jvm.give_back()


def test_a_java_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        proc = "java"

        @property
        def jvm(self) -> Any:
            raise Py4JNetworkError("gone")

    context = SimpleNamespace(_gateway=Gone())
    monkeypatch.setitem(sys.modules, "pyspark", SimpleNamespace(SparkContext=context))
    jvm.give_back()
