"""What the template works out of a machine's size is what the engines make of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bundle
from acceleray.engines.ray.slots import WORKER_MB, plan
from acceleray.errors import PortfolioError
from acceleray.settings import Settings, load
from conftest import Answers
from test_ownership import INCLUDES

CORES = range(2, 513)
# The fewest and the most workers that can be asked for.
WORKERS = (1, 500)


def sizing() -> Any:
    return INCLUDES.get_template("cluster.jinja").module


def with_cpus(settings: Settings, cpus: int) -> Settings:
    return settings.model_copy(update={"ray": settings.ray.model_copy(update={"cpus_per_node": cpus})})


def test_on_every_number_of_cores_ray_takes_what_the_engines_can_give(defaults: Path) -> None:
    settings = load(defaults, "prod")
    for cores in CORES:
        taken = int(sizing().ray_cpus(0, cores))
        for workers in WORKERS:
            shared = plan(with_cpus(settings, taken), workers, cores)
            assert shared.taken == workers * taken
            assert shared.kept == workers * (1 if cores <= 4 else 2)


@pytest.mark.parametrize("cores", [2, 3, 4, 5, 8, 512])
@pytest.mark.parametrize("workers", WORKERS)
def test_the_most_that_may_be_answered_is_the_most_that_the_engines_take(
    cores: int, workers: int, defaults: Path
) -> None:
    settings = load(defaults, "prod")
    for answer in (1, cores - 1):
        assert int(sizing().ray_cpus(answer, cores)) == answer
        assert plan(with_cpus(settings, answer), workers, cores).kept == workers * (cores - answer)
    with pytest.raises(PortfolioError, match="every query would hang"):
        plan(with_cpus(settings, cores), workers, cores)


@pytest.mark.parametrize("cores", [2, 8, 512])
@pytest.mark.parametrize("percent", [1, 30])
def test_the_least_memory_that_may_be_answered_holds_store_and_processes(cores: int, percent: int) -> None:
    memory_gb = max(8, cores)
    store = int(sizing().object_store_mb(memory_gb, percent))
    assert store == memory_gb * 1024 * percent // 100
    # Half of the rest is Spark's, at the least.
    assert cores * WORKER_MB <= (memory_gb * 1024 - store) / 2


@pytest.mark.parametrize(
    ("cores", "memory_gb", "cpus", "workers"),
    [(2, 8, 0, 1), (2, 8, 1, 500), (512, 512, 0, 500), (512, 8192, 511, 1)],
)
def test_a_project_with_a_machine_of_its_own_is_sized_as_the_engines_do(
    cores: int, memory_gb: int, cpus: int, workers: int, described: Callable[[Answers], Path]
) -> None:
    project = described(
        {
            "cluster_size": "custom",
            "node_type": "x2iedn.metal",
            "node_cores": cores,
            "node_memory_gb": memory_gb,
            "ray_cpus_per_worker": cpus,
            "cluster_workers": workers,
        }
    )
    assert bundle.problems(project) == []
    assert bundle.data(project)["variables"]["workers"]["default"] == workers
    settings = load(project, "prod")
    assert settings.ray.object_store_mb == memory_gb * 1024 * 10 // 100
    shared = plan(settings, workers, cores)
    assert shared.cpus_per_node == (cpus or cores - (1 if cores <= 4 else 2))
    assert shared.kept >= workers
