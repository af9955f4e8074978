"""The signal model in MLflow: logged once with all that a user of it needs, registered, given its aliases."""

from __future__ import annotations

import hashlib
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from acceleray.errors import PortfolioError
from acceleray.governance.champion import CONTENT_TAG
from acceleray.governance.model_lineage import catalog_id, inputs
from acceleray.governance.tags import legal_tags, tag
from acceleray.governance.tracking import Tracker
from acceleray.settings import Settings
from acceleray.settings.topology import in_workspace

RUN_TAG = "run_id"
DECISION = "decision"
CHALLENGER, CHAMPION = "challenger", "champion"
_LONGEST_SLUG = 60
# Beginning of the description of a version that this module registered.
_ABOUT = "Made by run "


@dataclass(frozen=True)
class RegisteredModel:
    """A model and where MLflow keeps it."""

    uri: str
    content: bytes
    name: str = ""
    version: int = 0


@dataclass(frozen=True)
class Dossier:
    """Metadata logged with a model.

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
    client, known = tracker.client, {RUN_TAG: run_id, CONTENT_TAG: digest}
    _ensure_registered(client, name)
    if (found := _version_of(client, name, known)) is None:
        tags = {**dossier.tags, **{key: f"{value:.6f}" for key, value in dossier.metrics.items()}}
        if in_workspace(settings):
            read = inputs(settings, tracker.read, catalog_id)
            client.log_inputs(tracker.run_id, datasets=read)
        # By the last two a version is known as this run's; all come with it, in one request.
        version = _log(tracker, name, content, dossier, legal_tags({**tags, **known}), _about(known))
    else:
        version = str(found.version)
    if found is None or (tag(found.tags, DECISION) is None and CHALLENGER not in found.aliases):
        # A run that was stopped after its version was made comes back for the alias.
        with _told_of_rights(name):
            client.set_registered_model_alias(name, CHALLENGER, version)
    return RegisteredModel(f"models:/{name}/{version}", content, name, int(version))


def mirror_decision(
    client: Any, name: str, version: int, decision: str, effective_from: date, champion: int | None
) -> None:
    """Tell MLflow, for the people who look there, what was decided and which version is champion now.

    The table of decisions is what counts. Doing this twice changes nothing.
    """
    client.set_model_version_tag(name, str(version), DECISION, decision)
    client.set_model_version_tag(name, str(version), "effective_from", effective_from.isoformat())
    aliases = client.get_registered_model(name).aliases
    if champion is None:
        if CHAMPION in aliases:
            client.delete_registered_model_alias(name, CHAMPION)
    elif str(aliases.get(CHAMPION)) != str(champion):
        client.set_registered_model_alias(name, CHAMPION, str(champion))
    if decision == "promoted" and str(aliases.get(CHALLENGER)) == str(version):
        client.delete_registered_model_alias(name, CHALLENGER)


def _ensure_registered(client: Any, name: str) -> None:
    """Create a registered model unless it is there; Unity Catalog refuses a search with a filter."""
    from mlflow.exceptions import MlflowException

    with _told_of_rights(name):
        try:
            client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            try:
                client.create_registered_model(name)
            except MlflowException as created:
                # Another run was quicker.
                if created.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise


def _version_of(client: Any, name: str, known: Mapping[str, str]) -> Any:
    """Return the version that this run made of these bytes before, whole, or None."""
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += page
        if not (token := page.token):
            break
    for one in sorted(found, key=lambda version: int(version.version), reverse=True):
        # Search results of Unity Catalog have no tags, and a query per version would take longer every day.
        if str(one.description or "").startswith(_ABOUT) and one.description != _about(known):
            continue
        whole = client.get_model_version(name, one.version)
        if whole.status == "READY" and all(tag(whole.tags, key) == value for key, value in known.items()):
            return whole
    return None


def _about(known: Mapping[str, str]) -> str:
    return f"{_ABOUT}{known[RUN_TAG]}, SHA-256 of the model {known[CONTENT_TAG]}"


@contextmanager
def _told_of_rights(name: str) -> Iterator[None]:
    """Say in one line what is needed where the registry refuses a principal."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "PERMISSION_DENIED":
            raise
        raise PortfolioError(
            f"MLflow does not let this principal change the registered model {name}: deploy the bundle as "
            "the principal that runs its jobs, or let the model's owner grant it MANAGE and ALL PRIVILEGES."
        ) from error


def _log(
    tracker: Tracker, name: str, content: bytes, dossier: Dossier, tags: Mapping[str, str], about: str
) -> str:
    import mlflow
    import xgboost
    from mlflow.entities import Metric
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
    now = int(time.time() * 1000)
    metrics = [
        Metric(key, value, now, 0, model_id=logged.model_id, run_id=tracker.run_id)
        for key, value in dossier.metrics.items()
    ]
    client.log_batch(tracker.run_id, metrics=metrics)
    with _told_of_rights(name):
        version = client.create_model_version(
            name,
            logged.model_uri,
            tracker.run_id,
            tags=dict(tags),
            description=about,
            await_creation_for=0,
            model_id=logged.model_id,
        )
    return str(version.version)
