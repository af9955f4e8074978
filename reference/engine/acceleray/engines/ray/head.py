"""Wait for Ray's head node as long as it needs: Ray on Spark always sleeps 20 seconds, and then looks once.

What changes is how long a start takes. Should Ray change, it takes as long as Ray wants.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acceleray.engines.ray.private import nodes_at, start_of_ray_on_spark

# Of `ray.util.spark.cluster_init`: the seconds it sleeps, how it looks then, and how often it counts nodes.
_SLEEP, _LOOK, _INTERVAL = (
    "_RAY_HEAD_STARTUP_TIMEOUT",
    "is_port_in_use",
    "_RAY_CLUSTER_STARTUP_PROGRESS_CHECKING_INTERVAL",
)
_EVERY_S, _ANSWER_S, _LONGEST_S = 0.2, 2.0, 120.0


@contextmanager
def head_awaited() -> Iterator[None]:
    """Let Ray on Spark go on as soon as the head is up, and count nodes more often; give up when it would."""
    cluster_init = start_of_ray_on_spark()
    before = {name: getattr(cluster_init, name, None) for name in (_SLEEP, _LOOK, _INTERVAL)}
    longest_s, look = before[_SLEEP], before[_LOOK]
    if longest_s is None or look is None or before[_INTERVAL] is None:
        yield
        return

    def awaited(host: str, port: int) -> Any:
        # Ray's own 20 seconds are too few where other programs keep the machine busy.
        deadline = time.monotonic() + max(longest_s, _LONGEST_S)
        while not (look(host, port) and _is_a_node(host, port)) and time.monotonic() < deadline:
            time.sleep(_EVERY_S)
        return look(host, port)

    try:
        for name, value in {_SLEEP: 0, _LOOK: awaited, _INTERVAL: _EVERY_S}.items():
            setattr(cluster_init, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(cluster_init, name, value)


def _is_a_node(host: str, port: int) -> bool:
    """Return whether the head has joined its own cluster, which it does last."""
    try:
        return nodes_at(f"{host}:{port}", _ANSWER_S) > 0
    except Exception:
        # It does not answer yet. Where another program has the port, Ray's client notices after 40 s.
        return False
