"""Ray on Spark goes on when its head is up, not after 20 seconds; and after those in any case."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from acceleray.engines.ray import head as ray_head
from acceleray.engines.ray.head import head_awaited

cluster_init = pytest.importorskip("ray.util.spark.cluster_init")
NAMES = (ray_head._SLEEP, ray_head._LOOK, ray_head._INTERVAL)


def test_what_is_replaced_is_there_in_this_ray_and_comes_back() -> None:
    before = [getattr(cluster_init, name) for name in NAMES]
    with suppress(RuntimeError), head_awaited():
        assert [getattr(cluster_init, name) for name in NAMES] != before
        raise RuntimeError("no head")
    assert [getattr(cluster_init, name) for name in NAMES] == before


def test_a_head_is_up_when_it_is_a_node_and_not_when_its_port_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(cluster_init, ray_head._LOOK, lambda host, port: True)
    monkeypatch.setattr(ray_head, "_is_a_node", lambda *where: asked.append(where) or len(asked) == 3)
    with head_awaited():
        assert getattr(cluster_init, ray_head._SLEEP) == 0
        assert cluster_init.is_port_in_use("127.0.0.1", 9000) is True
    assert asked == [("127.0.0.1", 9000)] * 3


@pytest.mark.parametrize("taken", [True, False])
def test_a_head_that_never_is_one_is_given_up_when_ray_would(
    taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_init, ray_head._SLEEP, 1)
    monkeypatch.setattr(ray_head, "_LONGEST_S", 0.5)
    monkeypatch.setattr(cluster_init, ray_head._LOOK, lambda host, port: taken)
    monkeypatch.setattr(ray_head, "_is_a_node", lambda host, port: False)
    started = time.monotonic()
    with head_awaited():
        assert cluster_init.is_port_in_use("127.0.0.1", 1) is taken
    assert time.monotonic() - started >= 1.0


def test_a_ray_without_these_names_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cluster_init, ray_head._SLEEP)
    look = getattr(cluster_init, ray_head._LOOK)
    with head_awaited():
        assert getattr(cluster_init, ray_head._LOOK) is look
    assert not hasattr(cluster_init, ray_head._SLEEP)
