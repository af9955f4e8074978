import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceleray.engines import environment_checks as checks
from acceleray.errors import PortfolioError

RUNTIME = {"DATABRICKS_RUNTIME_VERSION": "17.3"}
NOWHERE = Path("/no/such/file")


def refusal(refuse: Any, *arguments: Any) -> str:
    with pytest.raises(PortfolioError) as refused:
        refuse(*arguments)
    return str(refused.value)


class Conf:
    """The settings of a session; raises for what it has not, as serverless compute does."""

    def __init__(self, values: dict[str, str] | None) -> None:
        self.values = values

    def get(self, name: str, default: Any) -> Any:
        if self.values is None:
            raise RuntimeError("[CONFIG_NOT_AVAILABLE]")
        return self.values.get(name, default)


def session(values: dict[str, str] | None = None) -> Any:
    """Return what stands for an ordinary session, with a context and with these settings."""
    return SimpleNamespace(sparkContext=object(), conf=Conf(values))


def connect_session(module: str = "pyspark.sql.connect.session", context: Any = None) -> Any:
    """Return what stands for a Spark Connect session: only its class says what it is."""
    base = type("SparkSession", (), {"__module__": module, "sparkContext": context or object()})
    return type("SparkSession", (base,), {"__module__": "databricks.connect.session"})()


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABRICKS_RUNTIME_VERSION": "client.4.1"},
        {"DATABRICKS_RUNTIME_VERSION": "17.3", "DATABRICKS_ENV_VERSION": "4"},
        {"DATABRICKS_ENV_VERSION": "4"},
        {"DATABRICKS_RUNTIME_VERSION": "17.3", "IS_SERVERLESS": "TRUE"},
    ],
)
@pytest.mark.parametrize("profile", ["local", "cluster", "databricks"])
def test_serverless_compute_is_refused_for_every_profile(profile: str, environ: dict[str, str]) -> None:
    assert refusal(checks.refuse_unsupported_environment, profile, environ) == (
        "This is serverless compute of Databricks, where Ray cannot run inside Spark; "
        "use a cluster with dedicated (single user) access mode, or use --profile connect, "
        "where Ray runs next to the notebook."
    )


def test_an_ordinary_runtime_is_not_taken_for_serverless() -> None:
    assert not checks.is_serverless(RUNTIME | {"IS_SERVERLESS": "FALSE"}, NOWHERE)
    assert not checks.is_serverless({"IS_SERVERLESS": "TRUE"}, NOWHERE)
    assert checks.unsupported_place("databricks", RUNTIME, NOWHERE) is None


def test_a_custom_container_is_known_by_the_file_with_the_version_of_its_runtime(tmp_path: Path) -> None:
    version = tmp_path / "DBR_VERSION"
    assert "this is none" in str(checks.unsupported_place("databricks", {}, version))
    version.write_text("15.4\n")
    assert checks.databricks_runtime({}, version) == "15.4"
    assert checks.unsupported_place("databricks", {}, version) is None


def test_profile_databricks_outside_of_databricks_is_refused() -> None:
    assert refusal(checks.refuse_unsupported_environment, "databricks", {}) == (
        "Profile databricks runs in a notebook or job on a Databricks cluster, and this is none; "
        "use profile local or cluster here."
    )


@pytest.mark.parametrize("profile", ["local", "cluster"])
def test_engines_of_our_own_on_databricks_are_worth_a_note(profile: str) -> None:
    assert checks.unsupported_place(profile, RUNTIME, NOWHERE) is None
    note = checks.note_on_place(profile, RUNTIME, NOWHERE)
    assert note is not None
    assert note.startswith(f"profile {profile} on Databricks 17.3 ")
    assert checks.note_on_place(profile, {}, NOWHERE) is None
    assert checks.note_on_place("databricks", RUNTIME, NOWHERE) is None


def test_profile_cluster_on_windows_is_refused() -> None:
    line = checks.unsupported_place("cluster", {}, NOWHERE, system="nt")
    assert line == (
        "Ray inside Spark runs on Linux and macOS only; "
        "use profile local here, or run in the Windows Subsystem for Linux."
    )
    assert checks.unsupported_place("local", {}, NOWHERE, system="nt") is None
    assert checks.unsupported_place("cluster", {}, NOWHERE, system="posix") is None


def test_an_environment_that_asks_for_spark_connect_is_refused() -> None:
    remote = checks.unsupported_place("local", {"SPARK_REMOTE": "sc://far"}, NOWHERE)
    assert str(remote).endswith("unset SPARK_REMOTE or use --profile connect.")
    mode = checks.unsupported_place("cluster", {"SPARK_API_MODE": "connect"}, NOWHERE)
    assert str(mode).endswith("unset SPARK_API_MODE or use --profile connect.")
    assert checks.unsupported_place("cluster", {"SPARK_API_MODE": "classic"}, NOWHERE) is None


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    checks.refuse_unsupported_environment("local", {})
    monkeypatch.setitem(sys.modules, "ray", None)
    assert refusal(checks.refuse_unsupported_environment, "local", {}) == (
        "Ray is not installed; install the project's engine/requirements.lock."
    )
    monkeypatch.setitem(sys.modules, "pyspark", None)
    assert checks.missing_engine() == (
        "PySpark and Ray are not installed; install the project's engine/requirements.lock."
    )


def test_a_session_of_a_cluster_with_dedicated_access_mode_passes() -> None:
    for values in (
        {},
        None,
        {checks.ACCESS_MODE: "SINGLE_USER"},
        {checks.ACCESS_MODE: "NONE"},
    ):
        checks.refuse_unsupported_session(session(values), RUNTIME)


@pytest.mark.parametrize("mode", ["USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD", "user_isolation"])
def test_standard_access_mode_is_refused_by_its_tag(mode: str) -> None:
    assert refusal(
        checks.refuse_unsupported_session,
        session({checks.ACCESS_MODE: mode}),
        RUNTIME,
    ) == (
        f"This Databricks cluster has standard (shared) access mode ({mode}), where Ray cannot run inside "
        "Spark; use a cluster with dedicated (single user) access mode, or use --profile connect."
    )


def test_a_spark_connect_session_is_refused_in_the_words_of_its_place() -> None:
    line = refusal(checks.refuse_unsupported_session, connect_session(), {})
    assert line.startswith(
        "This is a Spark Connect session, in which Ray cannot start; run on the cluster itself,"
    )
    on_cluster = refusal(checks.refuse_unsupported_session, connect_session(), RUNTIME)
    assert "standard (shared) access mode (it provides no SparkContext)" in on_cluster
    serverless = {"DATABRICKS_RUNTIME_VERSION": "client.4.1"}
    assert "serverless" in refusal(checks.refuse_unsupported_session, connect_session(), serverless)


def test_a_session_without_a_spark_context_is_refused_whatever_its_class() -> None:
    def forbidden(_: Any) -> None:
        raise AttributeError("[JVM_ATTRIBUTE_NOT_SUPPORTED] Attribute `sparkContext` is not supported")

    checks.refuse_unsupported_session(connect_session("elsewhere"), {})
    strange = connect_session("elsewhere", property(forbidden))
    assert "Spark Connect" in refusal(checks.refuse_unsupported_session, strange, {})


@pytest.mark.parametrize(
    ("executor", "there", "here"),
    [
        (
            {"python": "3.12.1", "ray": "2.50.0"},
            "Python 3.12.1 and Ray 2.50.0",
            "Python 3.11.7 and Ray 2.60.0",
        ),
        ({"python": "3.11.9", "ray": "2.60.0"}, "Python 3.11.9", "Python 3.11.7"),
        ({"python": "3.11.7", "pyspark": "4.0.0"}, "PySpark 4.0.0", "PySpark 4.1.4"),
        ({"python": "3.12", "ray": ""}, "Python 3.12 and no Ray", "Python 3.11.7 and Ray 2.60.0"),
    ],
)
def test_executors_with_other_versions_are_refused_by_what_differs(
    executor: dict[str, str], there: str, here: str
) -> None:
    driver = {"python": "3.11.7", "ray": "2.60.0", "pyspark": "4.1.4"}
    assert refusal(checks.refuse_mismatch, driver, executor) == (
        f"Spark's executors run {there}, this driver {here}; "
        "install the project's engine/requirements.lock on every worker."
    )


def test_versions_agree_as_far_as_both_sides_give_them() -> None:
    driver = {"python": "3.11.7", "ray": "2.60.0", "pyspark": "4.1.4"}
    checks.refuse_mismatch(driver, driver)
    checks.refuse_mismatch(driver, {"python": "3.11"})
    with pytest.raises(PortfolioError):
        checks.refuse_mismatch(driver, {"python": "3.1"})


def test_what_spark_itself_says_of_another_python_is_said_in_our_words() -> None:
    from pyspark.errors import PySparkRuntimeError

    error = PySparkRuntimeError(
        errorClass="PYTHON_VERSION_MISMATCH",
        messageParameters={"worker_version": "3.12", "driver_version": "3.11"},
    )
    assert refusal(checks.refuse_python_mismatch, str(error)) == (
        "Spark's executors run Python 3.12, this driver Python 3.11; "
        "install the project's engine/requirements.lock on every worker."
    )
    checks.refuse_python_mismatch("Job aborted due to stage failure")


def test_places_are_known_without_loading_spark_or_ray() -> None:
    script = (
        "import sys, acceleray.engines.ray.slots; from acceleray.engines import environment_checks;"
        "environment_checks.refuse_unsupported_environment('local', {});"
        "print(sorted({'pyspark', 'ray'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {script}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
