"""The registry of models in Unity Catalog: MLflow's own client against a stand-in of its endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.governance.champion import stored_content
from acceleray.governance.registry import RegisteredModel, mirror_decision, register_model
from acceleray.governance.tags import legal_key, legal_tags, tag
from acceleray.governance.tracking import UNITY_CATALOG, Tracker, tracked_run
from acceleray.settings import Settings
from governance.test_registry import DOSSIER, content
from governance.unity import Registry, workspace

NAME = "spark_catalog.gold.signal_sample"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    project = {"name": "tests", "customer": "Tests"}
    return Settings.model_validate({"project": project, "project_dir": tmp_path_factory.mktemp("project")})


@pytest.fixture(scope="module")
def tracker(settings: Settings) -> Iterator[Tracker]:
    with tracked_run(settings, "tests") as started:
        yield started


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tracker: Tracker) -> Iterator[Registry]:
    """Yield an empty registry that MLflow takes for the workspace's; runs stay in SQLite."""
    import mlflow
    from mlflow import MlflowClient

    before = tracker.client
    with workspace() as (address, kept):
        monkeypatch.setenv("DATABRICKS_HOST", address)
        monkeypatch.setenv("DATABRICKS_TOKEN", "x")
        monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
        mlflow.set_registry_uri(UNITY_CATALOG)
        tracker.client = MlflowClient(before.tracking_uri, registry_uri=UNITY_CATALOG)
        yield kept
    tracker.client = before
    mlflow.set_registry_uri(before._registry_uri)


def register(settings: Settings, tracker: Tracker, run_id: str = "run-1", rounds: int = 3) -> RegisteredModel:
    return register_model(settings, tracker, run_id, "sample", content(rounds), DOSSIER)


def test_a_model_is_registered_and_its_bytes_come_back(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    made = register(settings, tracker)
    assert (made.name, made.version) == (NAME, 1)
    (version,) = registry.versions[NAME]
    assert version["status"] == "READY"
    tags = {one["key"]: one["value"] for one in version["tags"]}
    assert tags["delta_gold_features"] == "0"
    assert (tags["run_id"], tags["rank_ic"]) == ("run-1", "0.012300")
    assert registry.models[NAME]["aliases"] == [{"alias": "challenger", "version": "1"}]
    assert stored_content(settings, tracker.client, NAME, 1) == made.content


def test_a_repaired_run_finds_its_version_and_adds_none(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    first = register(settings, tracker)
    others = [register(settings, tracker, f"run-{number}") for number in (2, 3, 4)]
    assert [one.version for one in others] == [2, 3, 4]
    registry.calls.clear()
    assert register(settings, tracker) == first
    # Its description tells the version from all others, so that no other is asked for its tags.
    assert registry.calls.count("GET model-versions/get") == 1
    assert len(registry.versions[NAME]) == 4


def test_a_repaired_run_with_many_versions_before_it_finds_its_own(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    for number in (1, 2, 3):
        register(settings, tracker, f"run-{number}")
    # A page of this stand-in has two versions.
    assert register(settings, tracker, "run-3").version == 3


def test_a_run_that_was_stopped_before_the_alias_comes_back_for_it(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    registry.fail_on = "registered-models/alias"
    with pytest.raises(Exception, match="was cut off"):
        register(settings, tracker)
    assert register(settings, tracker).version == 1
    assert registry.models[NAME]["aliases"] == [{"alias": "challenger", "version": "1"}]
    assert len(registry.versions[NAME]) == 1


def test_a_version_whose_files_never_arrived_is_not_taken_for_the_run_s(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    registry.fail_on = "model-versions/finalize"
    with pytest.raises(Exception, match="was cut off"):
        register(settings, tracker)
    assert register(settings, tracker).version == 2


def test_a_version_without_this_description_is_known_by_its_tags(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    register(settings, tracker)
    registry.versions[NAME][0]["description"] = "somebody wrote here"
    assert register(settings, tracker).version == 1


def test_decisions_are_mirrored(settings: Settings, tracker: Tracker, registry: Registry) -> None:
    register(settings, tracker)
    mirror_decision(tracker.client, NAME, 1, "promoted", date(2020, 1, 2), 1)
    assert registry.models[NAME]["aliases"] == [{"alias": "champion", "version": "1"}]
    # The run is repaired after its promotion: what was decided stays.
    register(settings, tracker)
    assert registry.models[NAME]["aliases"] == [{"alias": "champion", "version": "1"}]


def test_a_principal_without_rights_is_told_in_one_line_what_is_needed(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    registry.may_write = False
    with pytest.raises(PortfolioError, match=r"deploy the bundle as the principal that runs its jobs"):
        register(settings, tracker)


def test_what_this_stand_in_refuses_mlflow_and_unity_catalog_refuse_too(
    settings: Settings, tracker: Tracker, registry: Registry
) -> None:
    register(settings, tracker)
    with pytest.raises(Exception, match="'filter_string' is unsupported"):
        tracker.client.search_registered_models(f"name = '{NAME}'")
    with pytest.raises(Exception, match="reserved characters"):
        tracker.client.set_model_version_tag(NAME, "1", "delta.gold.features", "0")
    found = tracker.client.search_model_versions(f"name = '{NAME}'")[0]
    assert not isinstance(found.tags, dict)


def test_tags_have_legal_keys_and_values_and_old_keys_are_still_read() -> None:
    assert legal_key("delta.gold.features, a-b=c/d:e") == "delta_gold_features_ a_b_c_d_e"
    assert len(legal_key("x" * 300)) == 255
    assert len(legal_tags({"features": "f" * 5000})["features"]) == 1000
    assert tag({"delta.gold.features": "7"}, "delta.gold.features") == "7"
    assert tag({"delta_gold_features": "8", "delta.gold.features": "7"}, "delta.gold.features") == "8"
    with pytest.raises(ValueError, match=r"two tags are called a_b .* a\.b"):
        legal_tags({"a-b": "1", "a.b": "2"})


def test_on_databricks_the_registry_is_unity_catalog_whatever_the_cluster_says(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    from acceleray.governance import tracking

    told: list[Any] = []

    class Client:
        def __init__(self, uri: str, registry_uri: str) -> None:
            told.append((uri, registry_uri))
            raise InterruptedError

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    monkeypatch.setattr(mlflow, "MlflowClient", Client)
    monkeypatch.setattr(tracking, "quiet", lambda: None)
    chosen = settings.model_copy(update={"profile": "databricks"})
    with pytest.raises(InterruptedError), tracked_run(chosen, "tests"):
        pass
    assert told == [("databricks", "databricks-uc")]
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def test_mlflow_without_credentials_says_nothing_beside_its_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow.utils.databricks_utils import get_databricks_host_creds

    from acceleray.governance import tracking

    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", "/nowhere")
    tracking.quiet()
    with pytest.raises(Exception, match=r"(?i)databricks"):
        get_databricks_host_creds("databricks")
    assert capsys.readouterr().err == ""
