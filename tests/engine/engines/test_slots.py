import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from acceleray.engines.ray import slots
from acceleray.engines.ray.slots import SlotPlan
from acceleray.errors import PortfolioError
from acceleray.settings import Settings

Settle = Callable[..., Settings]


@pytest.fixture
def settle() -> Settle:
    """Return a function that gives settings of profile cluster, one section a keyword."""

    def make(profile: str = "cluster", **sections: dict[str, Any]) -> Settings:
        base = {"project": {"name": "P", "customer": "C"}, "profile": profile}
        return Settings.model_validate(base | sections)

    return make


def packed(executors: int, cores: int, nodes: int, cpus: int) -> int | None:
    """Put nodes one by one into the emptiest executor; return the slots left, or None if one stays out."""
    free = [cores] * executors
    for _ in range(nodes):
        roomiest = max(free, default=0)
        if roomiest < cpus:
            return None
        free[free.index(roomiest)] -= cpus
    return sum(free)


def test_a_plan_is_accepted_exactly_when_its_nodes_fit_and_leave_a_slot_for_queries(settle: Settle) -> None:
    accepted = refused = 0
    for executors, cores, nodes, cpus in itertools.product(range(1, 5), range(1, 6), range(7), range(1, 7)):
        settings = settle(ray={"nodes": nodes, "cpus_per_node": cpus})
        left = packed(executors, cores, nodes or executors, cpus)
        try:
            plan = slots.plan(settings, executors, cores)
        except PortfolioError:
            assert not left, (executors, cores, nodes, cpus)
            refused += 1
        else:
            assert plan == SlotPlan(executors, cores, nodes or executors, cpus)
            assert plan.kept == left
            assert plan.kept >= 1
            accepted += 1
    assert (accepted > 100, refused > 100) == (True, True)


def test_after_the_loss_of_an_executor_as_many_nodes_come_back_as_fit() -> None:
    for executors, cores, nodes, cpus in itertools.product(
        range(1, 5), range(1, 6), range(1, 7), range(1, 6)
    ):
        if packed(executors, cores, nodes, cpus) is None:
            continue
        back = next(
            few for few in range(nodes, -1, -1) if packed(executors - 1, cores, few, cpus) is not None
        )
        left = packed(executors - 1, cores, back, cpus)
        assert SlotPlan(executors, cores, nodes, cpus).kept_without_one_executor == left


def test_what_a_refusal_advises_is_accepted_and_one_more_is_not(settle: Settle) -> None:
    checked = 0
    for executors, cores, nodes, cpus in itertools.product(
        range(1, 4), range(1, 6), range(1, 7), range(1, 6)
    ):
        asked = {"nodes": nodes, "cpus_per_node": cpus}
        try:
            slots.plan(settle(ray=asked), executors, cores)
        except PortfolioError as error:
            for key, text in re.findall(r"ray\.(\w+) to at most (\d+)", str(error)):
                if "does not fit" in str(error):
                    continue  # says only how wide a node may be
                slots.plan(settle(ray=asked | {key: int(text)}), executors, cores)
                with pytest.raises(PortfolioError):
                    slots.plan(settle(ray=asked | {key: int(text) + 1}), executors, cores)
                checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("executors", "cores", "ray", "line"),
    [
        (
            2,
            3,
            {"cpus_per_node": 4},
            "A Ray node of 4 CPUs does not fit into a Spark executor of 3 cores; "
            "lower ray.cpus_per_node to at most 3 or raise cluster.cores_per_worker.",
        ),
        (
            2,
            3,
            {"cpus_per_node": 3},
            "Ray would take 2 nodes x 3 CPUs = 6 of 2 executors x 3 cores = 6 slots and Spark would keep 0: "
            "every query would hang; lower ray.nodes to at most 1, lower ray.cpus_per_node to at most 2 "
            "or raise cluster.cores_per_worker.",
        ),
        (
            2,
            3,
            {"nodes": 3, "cpus_per_node": 2},
            "3 Ray nodes x 2 CPUs do not fit into 2 executors x 3 cores, which hold 2; "
            "lower ray.nodes to at most 2, lower ray.cpus_per_node to at most 1 "
            "or raise cluster.cores_per_worker.",
        ),
        (
            1,
            1,
            {},
            "Ray would take 1 node x 1 CPU = 1 of 1 executor x 1 core = 1 slot and Spark would keep 0: "
            "every query would hang; raise cluster.cores_per_worker.",
        ),
        (
            0,
            4,
            {},
            "Spark has no executor besides its driver, and Ray's nodes live inside executors; "
            "add a worker to the cluster.",
        ),
    ],
)
def test_a_refused_plan_says_the_arithmetic_and_what_to_change(
    settle: Settle, executors: int, cores: int, ray: dict[str, int], line: str
) -> None:
    with pytest.raises(PortfolioError) as refused:
        slots.plan(settle(ray=ray), executors, cores)
    assert str(refused.value) == line


def test_a_cluster_that_is_not_ours_is_not_told_to_change_our_settings(settle: Settle) -> None:
    ours = settle(ray={"cpus_per_node": 4})
    joined = settle(ray={"cpus_per_node": 4}, cluster={"master": "spark://far:7077"})
    rented = settle("databricks", ray={"cpus_per_node": 4})
    for settings, named in ((ours, True), (joined, False), (rented, False)):
        with pytest.raises(PortfolioError) as refused:
            slots.plan(settings, 2, 3)
        assert ("cluster.cores_per_worker" in str(refused.value)) is named


def test_the_plan_is_told_with_its_numbers() -> None:
    plan = SlotPlan(executors=2, cores_per_executor=3, nodes=2, cpus_per_node=1)
    assert (plan.slots, plan.taken, plan.kept, plan.kept_without_one_executor) == (6, 2, 4, 1)
    assert plan.describe() == (
        "2 Spark executors x 3 cores = 6 slots; Ray takes 2 nodes x 1 CPU = 2; Spark keeps 4; "
        "after the loss of one executor Spark would still keep 1"
    )
    starved = replace(plan, cores_per_executor=2)
    assert starved.kept_without_one_executor == 0
    assert starved.describe().endswith("Spark would keep none and wait for a new one")


def test_the_memory_of_a_cluster_on_this_machine_is_the_sum_of_its_parts(settle: Settle) -> None:
    settings = settle(
        spark={"driver_memory": "2g"},
        cluster={"executor_memory": "512m"},
        ray={"object_store_mb": 100},
    )
    plan = SlotPlan(executors=3, cores_per_executor=4, nodes=2, cpus_per_node=2)
    driver, executors, stores, workers = 700 + 2 * 1024, 3 * 512, (2 + 1) * 100, 2 * 2 * 350
    assert slots.cluster_megabytes(settings, plan) == driver + executors + stores + workers
    assert slots.local_megabytes(settings, workers=4) == driver + 100 + 4 * 350
    assert slots.joined_megabytes(settings) == driver + 100


def test_too_little_memory_is_refused_and_unknown_memory_is_not() -> None:
    with pytest.raises(PortfolioError, match="want about 5,000 MB, only 4,999 MB are free; lower x"):
        slots.refuse_too_little_memory(5000, 4999, "x")
    slots.refuse_too_little_memory(5000, 5000, "x")
    slots.refuse_too_little_memory(5000, None, "x")


def test_a_container_with_a_limit_has_no_more_memory_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert slots.available_mb() is not None
    # What is free here changes from one moment to the next.
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=800_000_000))
    monkeypatch.setattr(slots, "memory_left", lambda: 500_000_000)
    assert slots.available_mb() == 500
    monkeypatch.setattr(slots, "memory_left", lambda: None)
    assert slots.available_mb() == 800


def test_ray_takes_gpus_only_where_models_are_fitted_on_them(settle: Settle) -> None:
    ray = {"cpus_per_node": 6, "gpus_per_node": 2}
    without = slots.plan(settle(ray=ray), 3, 8)
    assert without == SlotPlan(3, 8, 3, 6, gpus_per_node=0)
    assert "GPU" not in without.describe()
    found = slots.plan(settle(ray=ray, model={"device": "cuda"}), 3, 8)
    assert (found.nodes * found.gpus_per_node, found.kept) == (6, without.kept)
    assert "Ray takes 3 nodes x 6 CPUs = 18 and 2 GPUs in each; Spark keeps 6" in found.describe()
    several = settle(ray={"nodes": 6, "cpus_per_node": 3}, model={"device": "cuda"})
    with pytest.raises(PortfolioError, match=r"6 Ray nodes cannot share .*lower ray\.nodes to at most 3"):
        slots.plan(several, 3, 8)
