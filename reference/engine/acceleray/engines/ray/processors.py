"""The types of processors that tasks run on: libraries choose their instructions, and so bits, by them."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

_CPUINFO = Path("/proc/cpuinfo")


@lru_cache
def processor() -> str:
    """Return the type of this machine's processor, as its maker calls it."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    found = [named[key] for key in ("model name", "cpu family", "model", "stepping") if key in named]
    return " ".join(found) or platform.processor() or platform.machine()


def processors(local: bool) -> tuple[str, ...]:
    """Return the types of all processors that tasks may run on, sorted; `local`: on this machine only."""
    if local or not ray.is_initialized():
        return (processor(),)
    nodes = tuple(sorted(node["NodeID"] for node in ray.nodes() if node["Alive"] and _computes(node)))
    return _of(nodes)


@lru_cache
def _of(nodes: tuple[str, ...]) -> tuple[str, ...]:
    asked = ray.remote(num_cpus=0)(_processor)
    there = [
        asked.options(scheduling_strategy=NodeAffinitySchedulingStrategy(one, soft=True)) for one in nodes
    ]
    return tuple(sorted({processor(), *ray.get([one.remote() for one in there])}))


def _processor() -> str:
    # Ray takes a plain function.
    return processor()


def _computes(node: dict[str, object]) -> bool:
    resources = node.get("Resources")
    return isinstance(resources, dict) and resources.get("CPU", 0) > 0
