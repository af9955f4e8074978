"""Where Spark with Ray inside cannot run, each place with one plain line; needs neither of them installed."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acceleray.engines.spark.jvm import has_context
from acceleray.errors import PortfolioError
from acceleray.settings.topology import address

DEDICATED = "use a cluster with dedicated (single user) access mode"
SERVERLESS = (
    f"This is serverless compute of Databricks, where Ray cannot run inside Spark; {DEDICATED}, or use "
    "--profile connect, where Ray runs next to the notebook."
)
# Imports of the Spark Connect client and their packages; a Databricks runtime has all of them.
CONNECT_CLIENT = {
    "grpc": "grpcio",
    "grpc_status": "grpcio-status",
    "google.rpc": "googleapis-common-protos",
    "zstandard": "zstandard",
}
# Databricks writes the runtime's version there also where a custom container lacks the variable. Known
# from mlflow/utils/databricks_utils.py (MLflow 3.17).
RUNTIME_VERSION_FILE = Path("/databricks/DBR_VERSION")
# A tag that Databricks sets in Spark's configuration but does not document. Its values are those of
# `data_security_mode` in the Clusters API, where DATA_SECURITY_MODE_STANDARD is an alias of USER_ISOLATION.
ACCESS_MODE = "spark.databricks.clusterUsageTags.dataSecurityMode"
# Ray's requirements on Databricks admit dedicated mode ("assigned") and "no isolation shared" only.
SHARED_MODES = ("USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD", "LEGACY_TABLE_ACL", "LEGACY_PASSTHROUGH")
# Differences between driver and executors, and their names in a sentence.
COMPARED = {"python": "Python", "ray": "Ray", "pyspark": "PySpark"}


def databricks_runtime(environ: Mapping[str, str], version_file: Path = RUNTIME_VERSION_FILE) -> str | None:
    """Return the version of the Databricks runtime this process runs in, None outside of Databricks.

    Serverless compute gives `client.` and the version of its environment, as MLflow 3.17 reads it
    (`get_databricks_runtime_version` in mlflow/utils/databricks_utils.py).
    """
    if environment := environ.get("DATABRICKS_ENV_VERSION", ""):
        return f"client.{environment}"
    if version := environ.get("DATABRICKS_RUNTIME_VERSION", ""):
        return version
    try:
        return version_file.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def is_serverless(environ: Mapping[str, str], version_file: Path = RUNTIME_VERSION_FILE) -> bool:
    """Return whether this is serverless compute of Databricks."""
    version = databricks_runtime(environ, version_file)
    if version is None:
        return False
    # The first sign is MLflow's (`is_in_databricks_serverless_runtime`). The second is documented nowhere,
    # but public notebooks rely on it.
    return version.startswith("client.") or environ.get("IS_SERVERLESS", "").lower() in ("true", "1")


def unsupported_place(
    profile: str,
    environ: Mapping[str, str],
    version_file: Path = RUNTIME_VERSION_FILE,
    system: str = os.name,
) -> str | None:
    """Return why a profile cannot run in this environment, as one plain line; None if it can."""
    if profile == "connect":
        # Of any place only Python is asked for.
        return None
    runtime = databricks_runtime(environ, version_file)
    if is_serverless(environ, version_file):
        return SERVERLESS
    if profile == "databricks":
        if runtime is None:
            return (
                "Profile databricks runs in a notebook or job on a Databricks cluster, and this is none; "
                "use profile local or cluster here."
            )
        return None
    if profile == "cluster" and system != "posix":
        return (
            "Ray inside Spark runs on Linux and macOS only; "
            "use profile local here, or run in the Windows Subsystem for Linux."
        )
    if environ.get("SPARK_REMOTE"):
        return (
            "SPARK_REMOTE is set, so Spark would be reached through Spark Connect, which Ray cannot use; "
            "unset SPARK_REMOTE or use --profile connect."
        )
    if environ.get("SPARK_API_MODE", "").lower() == "connect":
        return (
            "SPARK_API_MODE asks for Spark Connect, which Ray cannot use; "
            "unset SPARK_API_MODE or use --profile connect."
        )
    return None


def unanswered(remote: str, wait_s: float = 10.0) -> str | None:
    """Return that nobody listens at an address of Spark Connect, as one plain line; None if somebody does."""
    host, port = address(remote)
    try:
        socket.create_connection((host, port), timeout=wait_s).close()
    except OSError:
        return (
            f"No Spark Connect server answers at {host}:{port}; start it, or set spark.remote (SPARK_REMOTE) "
            "to one that runs."
        )
    return None


def note_on_place(
    profile: str, environ: Mapping[str, str], version_file: Path = RUNTIME_VERSION_FILE
) -> str | None:
    """Return what to know of a place that works but was hardly meant, as one plain line; or None."""
    runtime = databricks_runtime(environ, version_file)
    if runtime is None or profile in ("databricks", "connect"):
        return None
    return (
        f"profile {profile} on Databricks {runtime} starts separate engines on the driver machine and "
        "sees no table of the catalog; --profile databricks uses the cluster"
    )


def missing_engine(profile: str = "local") -> str | None:
    """Return which of Spark and Ray is not installed, as one plain line; None if both are."""
    absent = [COMPARED[name] for name in ("pyspark", "ray") if importlib.util.find_spec(name) is None]
    if profile == "connect" and not absent:
        absent = [package for module, package in CONNECT_CLIENT.items() if not _importable(module)]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    return f"{' and '.join(absent)} {verb} not installed; install the project's engine/requirements.lock."


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        # The package around it is missing as well.
        return False


def refuse_unsupported_environment(profile: str, environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a place where the engines cannot start; called before they do.

    Raises:
        PortfolioError: the place is not supported, or Spark or Ray is not installed.
    """
    if line := unsupported_place(profile, environ) or missing_engine(profile):
        raise PortfolioError(line)


def refuse_unsupported_session(session: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a Spark session in which Ray cannot start its nodes; called once there is one.

    Standard access mode gives a Spark Connect session from runtime 14 on, and before that an ordinary one
    whose access mode is set in its configuration.

    Raises:
        PortfolioError: it is a Spark Connect session, or its cluster has standard access mode.
    """
    if _is_connect(session) or not has_context(session):
        if databricks_runtime(environ) is None:
            raise PortfolioError(
                "This is a Spark Connect session, in which Ray cannot start; "
                "run on the cluster itself, or use --profile connect, where Ray runs next to this process."
            )
        if is_serverless(environ):
            raise PortfolioError(SERVERLESS)
        raise PortfolioError(_shared("it provides no SparkContext"))
    mode = _setting(session, ACCESS_MODE)
    if mode is not None and mode.upper() in SHARED_MODES:
        raise PortfolioError(_shared(mode))


def _shared(sign: str) -> str:
    return (
        f"This Databricks cluster has standard (shared) access mode ({sign}), "
        f"where Ray cannot run inside Spark; {DEDICATED}, or use --profile connect."
    )


def _is_connect(session: Any) -> bool:
    # Databricks Connect's own session is of a class derived from Spark Connect's, hence the bases.
    return any(kind.__module__.startswith("pyspark.sql.connect") for kind in type(session).__mro__)


def _setting(session: Any, name: str) -> str | None:
    try:
        value = session.conf.get(name, None)
    except Exception:
        # Some compute of Databricks raises for a name it does not show, default or not.
        return None
    return None if value is None else str(value)


def refuse_mismatch(driver: Mapping[str, str], executor: Mapping[str, str]) -> None:
    """Refuse executors with other versions than this driver: Ray's nodes there would never join.

    Versions are compared as far as both sides give them, so "3.11" agrees with "3.11.7". Give all three parts
    of Python's: Ray takes another patch release for another Python.

    Args:
        driver: versions here, by `python`, `ray` and `pyspark`.
        executor: versions there; "" for what is not installed. A name that one side lacks is not compared.

    Raises:
        PortfolioError: any of them differs.
    """
    both = [name for name in COMPARED if name in driver and name in executor]
    differing = [name for name in both if not _agree(driver[name], executor[name])]
    if not differing:
        return
    there = " and ".join(f"{COMPARED[name]} {executor[name]}" for name in differing if executor[name])
    absent = " or ".join(COMPARED[name] for name in differing if not executor[name])
    here = " and ".join(
        f"{COMPARED[name]} {driver[name]}" if driver[name] else f"no {COMPARED[name]}" for name in differing
    )
    found = " and ".join(part for part in (there, f"no {absent}" if absent else "") if part)
    raise PortfolioError(
        f"Spark's executors run {found}, this driver {here}; "
        "install the project's engine/requirements.lock on every worker."
    )


def _agree(one: str, other: str) -> bool:
    if not one or not other:
        return one == other
    return all(mine == theirs for mine, theirs in zip(one.split("."), other.split("."), strict=False))


def refuse_python_mismatch(message: str) -> None:
    """Refuse what Spark says when a worker's Python is of another minor version: no probe can run there.

    Args:
        message: the text of any error from Spark; other errors pass.

    Raises:
        PortfolioError: the error says that the versions differ.
    """
    found = re.search(
        r"Python in worker has different version: (\S+) than that in driver: (\d+\.\d+)", message
    )
    if found:
        refuse_mismatch({"python": found[2]}, {"python": found[1]})
