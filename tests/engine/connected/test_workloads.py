"""Every workload through Spark Connect, with what serverless compute allows: the numbers of profile local."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from acceleray.engines.spark.connect import connect_session
from acceleray.settings import Settings, topology
from acceleray.testing.small import small_project
from connected.serverless import refusing
from one_ray import OneRay
from portfolio import PROJECT
from rendered import TEMPLATE, project

pytestmark = [pytest.mark.spark, pytest.mark.ray]
# In the order in which one leaves what the next one takes.
NIGHTLY = (
    "hyperparameter_tuning",
    "distributed_training",
    "batch_inference",
    "end_to_end_pipeline",
    "investment_signal_prioritization",
    "risk_stress_testing",
)
SCHEMAS = {layer: f"{layer}_connected_{os.getpid()}" for layer in ("bronze", "silver", "gold")}
Both = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def both(
    server: str,
    spark: Any,
    one_ray: OneRay,
    new_settings: Callable[[], Callable[..., Settings]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Both:
    """Return a function that runs a workload in profile local or connect, or `apart` from Spark's disk."""
    homes = {profile: tmp_path_factory.mktemp(profile) for profile in ("local", "connect", "apart")}

    of_local: dict[str, Any] = {}

    def recipe(workload: str, profile: str, session: Any, *overrides: str) -> Any:
        # Names of models, which runs record, begin with a schema's: it is the same in all.
        chosen = (*(f"catalog.{layer}={schema}" for layer, schema in SCHEMAS.items()), *overrides)
        started = (session, one_ray.fan_out())
        with small_project(PROJECT, project(), homes[profile], TEMPLATE / "notebooks", started) as small:
            return small.recipe(workload, *chosen)

    def run(workload: str, profile: str) -> Any:
        if profile == "local":
            if workload not in of_local:
                of_local[workload] = recipe(workload, profile, spark, "profile=local")
            return of_local[workload]
        chosen = ("profile=connect", f"spark.remote={server}")
        at_first = profile == "apart" and not (homes[profile] / "state").exists()
        seen = patch.object(topology, "on_this_machine", lambda remote: profile != "apart")
        with (
            seen,
            refusing(profile == "apart") as refused,
            connect_session(new_settings()(*chosen)) as session,
        ):
            for schema in SCHEMAS.values() if at_first else ():
                # The catalog knows its tables from `connect`, which are files elsewhere.
                session.sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE").collect()
            connected = recipe(workload, profile, session, *chosen)
        assert refused == []
        return connected

    return run


def wrote(run: Any) -> dict[tuple[str, str], str]:
    """Return the fingerprint of each table that a run wrote, by stage and name.

    That of its inputs is left out: it says where files lie, and each profile has a folder of its own here.
    """
    touched = [t for t in run.touches if t.direction == "wrote" and t.table.label != "gold.run_inputs"]
    found = {(t.stage, t.table.label): t.fingerprint for t in touched}
    assert len(found) >= 8
    return found


@pytest.mark.nightly
def test_a_workload_gives_the_same_bits_as_profile_local_and_once_more_changes_nothing(both: Both) -> None:
    workload = "portfolio_model_calibration"
    local, connected, again = (both(workload, profile) for profile in ("local", "connect", "connect"))
    assert wrote(local) == wrote(connected)
    assert [t.table.label for t in again.touches if t.direction == "wrote" and t.changed] == []
    # The evidence about the run is there, and not written once more.
    assert wrote(again).items() <= wrote(connected).items()


@pytest.mark.nightly
@pytest.mark.parametrize("workload", NIGHTLY)
def test_every_workload_gives_the_same_bits_as_profile_local(both: Both, workload: str) -> None:
    assert wrote(both(workload, "local")) == wrote(both(workload, "connect"))


@pytest.mark.nightly
@pytest.mark.parametrize("workload", ["portfolio_model_calibration", *NIGHTLY[:4]])
def test_without_a_shared_disk_tables_are_the_catalog_s_and_the_bits_the_same(
    both: Both, workload: str
) -> None:
    local, apart = wrote(both(workload, "local")), wrote(both(workload, "apart"))
    # Versions of tables, which that of reads and writes has, begin otherwise where a catalog makes them.
    differing = {label for stage, label in local if local[stage, label] != apart.get((stage, label))}
    assert differing <= {"gold.run_tables"}
