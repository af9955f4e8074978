"""Where Spark is in profile connect, whose catalog knows the tables, and what doctor says of it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceleray import doctor
from acceleray.engines import environment_checks as checks
from acceleray.errors import PortfolioError
from acceleray.settings import Settings, load, topology

REMOTES = {
    "": (True, False, False),
    "sc://localhost:15002/;token=t": (True, False, False),
    "sc://127.0.0.1": (True, False, False),
    "sc://[::1]:9": (True, False, False),
    "sc://127.0.0.1.example.com:443": (False, True, False),
    "sc://spark.example.com:15002": (False, True, False),
    "sc://w.example.com:443/;token=t;x-databricks-cluster-id=c": (False, True, True),
    "databricks": (False, True, True),
}


def settings(remote: str = "", profile: str = "connect", **more: Any) -> Settings:
    known = {"project": {"name": "t", "customer": "T"}, "profile": profile, "spark": {"remote": remote}}
    return Settings.model_validate(known | more)


@pytest.mark.parametrize("remote", REMOTES)
def test_an_address_says_who_shares_the_disk_the_catalog_and_the_workspace(remote: str) -> None:
    here, catalog, workspace = REMOTES[remote]
    chosen = settings(remote)
    assert topology.on_this_machine(remote) is here
    assert (topology.in_catalog(chosen), topology.in_workspace(chosen)) == (catalog, workspace)
    assert topology.shares_stage(chosen) is here
    assert topology.ray_beside(chosen)
    # Of other profiles it says nothing.
    assert not topology.in_catalog(settings(remote, "local"))
    assert topology.in_workspace(settings(remote, "databricks"))


def test_a_volume_is_seen_by_spark_and_by_the_notebook() -> None:
    volume = {"state": "/Volumes/main/gold/files", "stage": "stage"}
    assert topology.shares_stage(settings("databricks", paths=volume))


def test_where_the_settings_leave_it_open_spark_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/base.yml").write_text("project: {name: P, customer: C}\nspark: {cores: 1}\n")
    (tmp_path / "conf/local.yml").write_text("")
    names = ("SPARK_REMOTE", "DATABRICKS_ENV_VERSION", "DATABRICKS_RUNTIME_VERSION")
    for name in names:
        monkeypatch.delenv(name, raising=False)

    def remote(*overrides: str, profile: str = "connect") -> str:
        return load(tmp_path, overrides=overrides, profile=profile).spark.remote

    assert remote() == ""
    monkeypatch.setenv("SPARK_REMOTE", "sc://far:1")
    assert remote() == "sc://far:1"
    # A notebook's session is reached through a socket of the platform's own.
    monkeypatch.setenv("SPARK_REMOTE", "unix:///somewhere/grpc.sock")
    monkeypatch.setenv("DATABRICKS_ENV_VERSION", "4")
    assert remote() == "databricks"
    assert remote("spark.remote=sc://near:2/;token=1e3") == "sc://near:2/;token=1e3"
    assert remote(profile="local") == ""
    for wrong in ("spark://a:7077", "sc://", "sc://a b"):
        with pytest.raises(PortfolioError, match=r"spark\.remote"):
            remote(f"spark.remote={wrong}")


def test_profile_connect_may_run_where_the_others_may_not() -> None:
    for environ in ({"DATABRICKS_ENV_VERSION": "4"}, {"SPARK_REMOTE": "sc://far"}, {}):
        assert checks.unsupported_place("connect", environ) is None


def test_a_client_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.missing_engine("connect") is None
    monkeypatch.setattr(checks, "_importable", lambda module: module not in ("grpc_status", "zstandard"))
    assert checks.missing_engine("local") is None
    assert checks.missing_engine("connect") == (
        "grpcio-status and zstandard are not installed; install the project's engine/requirements.lock."
    )


@pytest.fixture
def examine(tmp_path: Path) -> Callable[[str], dict[str, doctor.Finding]]:
    """Return a function from an address to what doctor finds."""

    def found(remote: str) -> dict[str, doctor.Finding]:
        paths = {"state": str(tmp_path / "state"), "cache": str(tmp_path / "cache")}
        chosen = settings(remote, paths=paths, project_dir=tmp_path, ray={"workers": 2})
        return {one.subject: one for one in doctor.examine(lambda: chosen)}

    return found


def test_doctor_says_who_listens_and_never_the_token(examine: Callable[[str], Any]) -> None:
    here = examine("")
    assert here["Plan"].detail.startswith("a Spark Connect server of local[")
    assert "Java" in here
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        there = examine(f"sc://localhost:{port}/;token=mine")
        assert (there["Spark"].status, "Java" in there) == ("ok", False)
        assert there["Plan"].detail.startswith(f"Spark Connect to localhost:{port}; 2 Ray workers on ")
    gone = examine(f"sc://localhost:{port}/;token=mine")["Spark"]
    assert gone.status == "missing"
    assert gone.detail.startswith(f"No Spark Connect server answers at localhost:{port}; start it")
    assert "mine" not in str([there, gone])
    assert examine("databricks")["Plan"].detail.startswith("Spark Connect to Databricks;")


def test_a_notebook_s_session_gets_its_time_zone_back_and_pyspark_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pyspark.sql import SparkSession

    from acceleray.engines.spark.connect import connect_session

    zones = ["Europe/Zurich"]
    conf = SimpleNamespace(get=lambda name: zones[-1], set=lambda name, value: zones.append(value))
    own: Any = SimpleNamespace(conf=conf)
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: own)
    monkeypatch.setenv("DATABRICKS_ENV_VERSION", "4")
    monkeypatch.setenv("SPARK_REMOTE", "unix:///somewhere/grpc.sock")
    before = dict(os.environ)
    with connect_session(settings("databricks")) as session:
        assert (session, zones[-1]) == (own, "UTC")
        assert dict(os.environ) == before
    assert zones[-1] == "Europe/Zurich"
    monkeypatch.delenv("DATABRICKS_ENV_VERSION")
    monkeypatch.setitem(sys.modules, "databricks.connect", None)
    line = "databricks-connect is not installed"
    with pytest.raises(PortfolioError, match=line), connect_session(settings("databricks")):
        pass
