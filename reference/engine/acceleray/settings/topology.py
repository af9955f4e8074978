"""Where the engines of a profile are: what this machine shares with Spark, and whose catalog knows tables.

Profile `connect` reaches Spark through `spark.remote`: empty for a server started on this machine,
`databricks` for the session that Databricks gives (a notebook's, or Databricks Connect's), else an address
`sc://host:port`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from acceleray.settings.sections import Settings

DATABRICKS = "databricks"
DEFAULT_PORT = 15002
_ON_DATABRICKS = ("DATABRICKS_ENV_VERSION", "DATABRICKS_RUNTIME_VERSION")
# A parameter of addresses that lead into a workspace, as Databricks documents them for Spark Connect.
_INTO_WORKSPACE = ";x-databricks-"


def default_remote(environ: Mapping[str, str]) -> str:
    """Return `spark.remote` where settings leave it open: on Databricks its session, else SPARK_REMOTE."""
    # There SPARK_REMOTE may name a socket of the platform's own.
    if on_databricks(environ):
        return DATABRICKS
    return environ.get("SPARK_REMOTE", "")


def on_databricks(environ: Mapping[str, str]) -> bool:
    """Return whether this process runs on a cluster or on serverless compute of Databricks."""
    return any(environ.get(name) for name in _ON_DATABRICKS)


def address(remote: str) -> tuple[str, int]:
    """Return host and port of an address `sc://host:port/;key=value`."""
    parts = urlsplit("http" + remote.removeprefix("sc"))
    return parts.hostname or "", parts.port or DEFAULT_PORT


def on_this_machine(remote: str) -> bool:
    """Return whether Spark at an address sees this machine's files under the same paths."""
    if not remote:
        return True
    host = "" if remote == DATABRICKS else address(remote)[0]
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d+){3}", host) is not None


def in_workspace(settings: Settings) -> bool:
    """Return whether MLflow and catalog are those of a Databricks workspace."""
    remote = settings.spark.remote
    connected = settings.profile == "connect" and (remote == DATABRICKS or _INTO_WORKSPACE in remote)
    return settings.profile == "databricks" or connected


def in_catalog(settings: Settings) -> bool:
    """Return whether the catalog alone knows where tables are; else they are files in the state folder."""
    apart = settings.profile == "connect" and not on_this_machine(settings.spark.remote)
    return settings.profile == "databricks" or apart


def ray_beside(settings: Settings) -> bool:
    """Return whether Ray runs next to this process, on this machine only, and not inside Spark."""
    return settings.profile in ("local", "connect")


def shares_stage(settings: Settings) -> bool:
    """Return whether Spark can read and write the stage folder: not from a client elsewhere.

    A volume of Unity Catalog has one path for Spark and for every machine of Databricks.
    """
    if settings.profile != "connect" or on_this_machine(settings.spark.remote):
        return True
    return settings.stage_dir.as_posix().startswith("/Volumes/")
