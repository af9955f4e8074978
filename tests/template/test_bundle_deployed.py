"""The bundle is deployed twice to a workspace on loopback, which the real SDK talks to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError

import bundle
from bundle_deploy import Deployment
from conftest import Answers, drawn_together
from test_bundle_serverless import PLACES
from test_subsets import SUBSETS

# Another seed draws other choices for `make test`; the night takes all.
SEED = 24


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkspaceClient]:
    """Yield a client of an empty workspace with the catalogs that a bundle expects."""
    folder = tmp_path_factory.mktemp("workspace")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"MINILAKE_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "minilake", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        address = f"http://127.0.0.1:{port}"
        # Guards against hanging alone: a busy machine starts a program slowly.
        deadline = time.monotonic() + 1200
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"{address}/_minilake/health", timeout=5):
                break
            time.sleep(0.2)
        client = WorkspaceClient(host=address, token="x", auth_type="pat")
        for name in ("portfolio_dev", "portfolio_prod"):
            client.catalogs.create(name)
        yield client
        process.terminate()


@pytest.mark.parametrize(
    ("answers", "target"),
    [
        ({}, "personal"),
        ({"cloud": "azure", "workloads": ["end_to_end_pipeline"]}, "prod"),
        ({"cloud": "gcp", "workloads": ["batch_inference"], "cluster_policy": "none"}, "dev"),
        ({"compute": "serverless", "schema_dev": "without"}, "personal"),
        pytest.param(
            {"compute": "clusters", "schema_prod": "alone", "project_slug": "alone"},
            "prod",
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["aws", "azure", "gcp", "serverless", "clusters"],
)
def test_a_second_deployment_changes_nothing(
    answers: Answers, target: str, described: Callable[[Answers], Path], workspace: WorkspaceClient
) -> None:
    read = bundle.read(described(answers))
    first = Deployment(workspace, read, target, "0f1e2d3c-4b5a-6978-8695-a4b3c2d1e0f9").run()
    assert {"schemas.gold", "volumes.files"} <= set(first)
    assert Deployment(workspace, read, target, "0f1e2d3c-4b5a-6978-8695-a4b3c2d1e0f9").run() == []


@pytest.mark.parametrize(
    ("number", "chosen"),
    # Computes and clouds turn, so that the night takes each with many choices of workloads.
    drawn_together(list(enumerate(SUBSETS)), SEED, 2),
)
def test_every_choice_of_workloads_is_deployed_twice_without_a_change(
    number: int, chosen: tuple[str, ...], bundled: Callable[[Answers], Path], workspace: WorkspaceClient
) -> None:
    compute, cloud = PLACES[number % len(PLACES)]
    own = {"project_slug": f"p{number}", "schema_dev": f"p{number}"}
    read = bundle.read(bundled({"workloads": list(chosen), "compute": compute, "cloud": cloud, **own}))
    made = Deployment(workspace, read, "personal").run()
    deployed = len([one for one in made if one.startswith("jobs.")])
    assert deployed >= len(chosen)
    assert len([one for one in made if one.startswith("permissions on jobs ")]) == deployed
    assert [one for one in made if one.startswith("grants on ") and ".files to " in one]
    assert Deployment(workspace, read, "personal").run() == []


def test_two_deployments_share_no_schema(
    described: Callable[[Answers], Path], workspace: WorkspaceClient
) -> None:
    read = bundle.read(described({"schema_dev": "other"}))
    made = Deployment(workspace, read, "personal").run()
    assert {"schemas.bronze", "schemas.silver", "schemas.gold"} <= set(made)
    assert "schemas.bronze" in Deployment(workspace, read, "dev", "0f1e").run()
    names = {one.name for one in workspace.schemas.list("portfolio_dev")}
    assert {"other_jane_doe_gold", "other_gold"} <= names


@pytest.mark.parametrize(
    "kind",
    [
        lambda client: client.registered_models.list(),
        lambda client: client.experiments.list_experiments(),
        lambda client: client.lakeview.list(),
        lambda client: client.alerts_v2.list_alerts(),
    ],
    ids=["registered_models", "experiments", "dashboards", "alerts"],
)
def test_what_this_workspace_does_not_know_is_checked_by_types_and_rules_alone(
    kind: Callable[[WorkspaceClient], Iterator[object]], workspace: WorkspaceClient
) -> None:
    # Once it knows one of them, that kind is to be deployed above.
    with pytest.raises(DatabricksError, match="is not implemented in minilake"):
        list(kind(workspace))
