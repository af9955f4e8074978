"""The signal model in MLflow: logged once with its signature, registered, and found again."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from portfolio.governance.tracking import Tracker
from portfolio.settings import Settings

RUN_TAG = "run_id"
CONTENT_TAG = "content_sha256"


@dataclass(frozen=True)
class RegisteredModel:
    """A model and where MLflow keeps it."""

    uri: str
    content: bytes


def model_name(settings: Settings) -> str:
    """Return the three-level name under which the signal model is registered."""
    return f"{settings.catalog.name}.{settings.catalog.gold}.signal"


def register_model(
    settings: Settings,
    tracker: Tracker,
    run_id: str,
    content: bytes,
    features: Sequence[str],
    metrics: Mapping[str, float],
) -> RegisteredModel:
    """Return the registered model; the same run with the same bytes finds the version it made before."""
    name, digest = model_name(settings), hashlib.sha256(content).hexdigest()
    client = tracker.client
    for version in client.search_model_versions(f"name = '{name}'"):
        if version.tags.get(RUN_TAG) == run_id and version.tags.get(CONTENT_TAG) == digest:
            return RegisteredModel(f"models:/{name}/{version.version}", content)
    version = _log(tracker, name, content, features)
    client.set_model_version_tag(name, version, RUN_TAG, run_id)
    client.set_model_version_tag(name, version, CONTENT_TAG, digest)
    for metric, value in metrics.items():
        client.set_model_version_tag(name, version, metric, f"{value:.6f}")
    # Every model starts as a challenger; who becomes champion is decided by a gate, not by being newest.
    client.set_registered_model_alias(name, "challenger", version)
    return RegisteredModel(f"models:/{name}/{version}", content)


def _log(tracker: Tracker, name: str, content: bytes, features: Sequence[str]) -> str:
    import mlflow
    import xgboost
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    booster = xgboost.Booster(model_file=bytearray(content))
    signature = ModelSignature(
        inputs=Schema([ColSpec("double", feature) for feature in features]),
        outputs=Schema([ColSpec("double")]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logged: Any = mlflow.xgboost.log_model(
            booster,
            name="signal",
            run_id=tracker.run_id,
            signature=signature,
            input_example=pd.DataFrame(np.zeros((1, len(features))), columns=list(features)),
            pip_requirements=[f"xgboost=={xgboost.__version__}"],
            model_format="ubj",
        )
    client = tracker.client
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    version = client.create_model_version(
        name, logged.model_uri, tracker.run_id, await_creation_for=0, model_id=logged.model_id
    )
    return str(version.version)
