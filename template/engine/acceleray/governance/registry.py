"""The signal model in MLflow: logged once with all that a user of it needs, registered, given its aliases."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from acceleray.governance.champion import CONTENT_TAG
from acceleray.governance.tracking import Tracker
from acceleray.settings import Settings

RUN_TAG = "run_id"
CHALLENGER, CHAMPION = "challenger", "champion"
_LONGEST_SLUG = 60


@dataclass(frozen=True)
class RegisteredModel:
    """A model and where MLflow keeps it."""

    uri: str
    content: bytes
    name: str = ""
    version: int = 0


@dataclass(frozen=True)
class Dossier:
    """What is logged with a model besides its bytes.

    Attributes:
        example: real rows of features, in the order of the model: an input example and the signature.
        parameters: hyperparameters.
        metrics: out-of-sample evidence.
        tags: source, contract, and the Delta version of each table it was made from.
    """

    example: pd.DataFrame
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def model_name(settings: Settings, source: str) -> str:
    """Return the three-level name under which models of a price source are registered.

    Each source has its own, so that a model of a simulated universe never replaces one of real prices.
    """
    slug = re.sub(r"[^a-z0-9]+", "_", source.lower()).strip("_")[:_LONGEST_SLUG]
    if slug != source:
        # Two names that only differ in what a model's name cannot hold must not meet.
        slug = f"{slug}_{hashlib.sha256(source.encode()).hexdigest()[:6]}"
    return f"{settings.catalog.name}.{settings.catalog.gold}.signal_{slug}"


def register_model(
    settings: Settings, tracker: Tracker, run_id: str, source: str, content: bytes, dossier: Dossier
) -> RegisteredModel:
    """Return the registered model; the same run with the same bytes finds the version it made before.

    A new version is `challenger`: who becomes champion is decided by a gate, not by being newest.
    """
    name, digest = model_name(settings, source), hashlib.sha256(content).hexdigest()
    client = tracker.client
    for found in client.search_model_versions(f"name = '{name}'"):
        if found.tags.get(RUN_TAG) == run_id and found.tags.get(CONTENT_TAG) == digest:
            return RegisteredModel(f"models:/{name}/{found.version}", content, name, int(found.version))
    version = _log(tracker, name, content, dossier)
    tags = {**dossier.tags, **{key: f"{value:.6f}" for key, value in dossier.metrics.items()}}
    # The two that make the version known as this run's come last: without them it is logged once more.
    for key, value in {**tags, RUN_TAG: run_id, CONTENT_TAG: digest}.items():
        client.set_model_version_tag(name, version, key, value)
    client.set_registered_model_alias(name, CHALLENGER, version)
    return RegisteredModel(f"models:/{name}/{version}", content, name, int(version))


def mirror_decision(
    client: Any, name: str, version: int, decision: str, effective_from: date, champion: int | None
) -> None:
    """Tell MLflow, for the people who look there, what was decided and which version is champion now.

    The table of decisions is what counts. Doing this twice changes nothing.
    """
    client.set_model_version_tag(name, str(version), "decision", decision)
    client.set_model_version_tag(name, str(version), "effective_from", effective_from.isoformat())
    aliases = client.get_registered_model(name).aliases
    if champion is None:
        if CHAMPION in aliases:
            client.delete_registered_model_alias(name, CHAMPION)
    elif str(aliases.get(CHAMPION)) != str(champion):
        client.set_registered_model_alias(name, CHAMPION, str(champion))
    if decision == "promoted" and str(aliases.get(CHALLENGER)) == str(version):
        client.delete_registered_model_alias(name, CHALLENGER)


def _log(tracker: Tracker, name: str, content: bytes, dossier: Dossier) -> str:
    import mlflow
    import xgboost
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    booster = xgboost.Booster(model_file=bytearray(content))
    signature = ModelSignature(
        inputs=Schema([ColSpec("double", feature) for feature in dossier.example.columns]),
        outputs=Schema([ColSpec("double")]),
    )
    client = tracker.client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logged: Any = mlflow.xgboost.log_model(
            booster,
            name="signal",
            run_id=tracker.run_id,
            signature=signature,
            input_example=dossier.example,
            pip_requirements=[f"xgboost=={xgboost.__version__}"],
            model_format="ubj",
            params=dict(dossier.parameters),
            metadata=dict(dossier.tags),
        )
    for key, value in dossier.metrics.items():
        client.log_metric(tracker.run_id, key, value, model_id=logged.model_id)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    version = client.create_model_version(
        name, logged.model_uri, tracker.run_id, await_creation_for=0, model_id=logged.model_id
    )
    return str(version.version)
