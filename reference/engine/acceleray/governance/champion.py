"""Which version of the signal model is champion as of a date: the decisions in a table say, not an alias.

A decision says of a version that from a date on it is promoted, refused or withdrawn. What was decided last
about a version counts; of the versions that are promoted as of a date, the one promoted from the latest date
on is champion, of several the highest. `effective_from` of a promotion is the as-of date of the training run,
so scoring the past never uses a model that has seen the future.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from acceleray.advice import TO_TRAIN
from acceleray.errors import PortfolioError
from acceleray.governance.tags import tag
from acceleray.settings import Settings
from acceleray.tables import MODEL_DECISIONS
from acceleray.tables.contract import Table, literal

CONTENT_TAG = "content_sha256"
CONTENT_FILE = "model.ubj"

Decision = Mapping[str, Any]


class Tables(Protocol):
    """The part of the lake that is used here."""

    def exists(self, table: Table) -> bool:
        """Return whether the table has been created."""

    def rows(self, table: Table, *, where: str | None = None) -> Any:
        """Return all rows of a table that meet a condition, as an Arrow table."""


@dataclass(frozen=True)
class Champion:
    """The model to score with: where MLflow keeps it, its bytes, since when, and the run that trained it."""

    uri: str
    version: int
    content: bytes
    effective_from: date
    run_id: str


def features_contract(names: Sequence[str], horizon_d: int) -> str:
    """Return a SHA-256, as hex, over the names of the features in their order and the horizon."""
    content = json.dumps([list(names), horizon_d], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def find_champion(
    lake: Tables, settings: Settings, client: Any, source: str, as_of: date, contract: str
) -> Champion:
    """Return the model that is champion of a price source as of a date; see `find_champion_if_any`.

    Raises:
        PortfolioError: as there, or every model was refused or withdrawn.
    """
    found = find_champion_if_any(lake, settings, client, source, as_of, contract)
    if found is None:
        raise PortfolioError(no_champion(source, as_of))
    return found


def find_champion_if_any(
    lake: Tables, settings: Settings, client: Any, source: str, as_of: date, contract: str
) -> Champion | None:
    """Return the model that is champion of a price source as of a date; None if every one was refused.

    That no model was good enough is a result, which the scoring stage reports; that none was ever judged, or
    none by then, is a step left out.

    Args:
        lake: where decisions are kept.
        settings: of the project; the model passes through its machine folder.
        client: of MLflow (`Tracker.client`).
        source: price source as tables name it (`Run.source`).
        as_of: the date that is scored.
        contract: `features_contract` of the features that will be given to the model.

    Raises:
        PortfolioError: no model was judged yet, none was champion until after that date, the champion was
            trained on other features, or its bytes are not those that were registered.
    """
    rows = decisions(lake, source)
    found = champion_as_of(rows, as_of)
    if found is None:
        if step := _step_left_out(rows, source, as_of):
            raise PortfolioError(step)
        return None
    version, label = int(found["model_version"]), f"version {found['model_version']} of {found['model_name']}"
    if found["features_contract"] != contract:
        raise PortfolioError(
            f"The champion, {label}, was trained on other features or another horizon than this code and "
            f"these settings use; train a new one: {TO_TRAIN}."
        )
    content = stored_content(settings, client, str(found["model_name"]), version)
    run_id = trained_by(rows, found)
    return Champion(str(found["model_uri"]), version, content, found["effective_from"], run_id)


def decisions(lake: Tables, source: str | None = None) -> list[dict[str, Any]]:
    """Return every decision about models of a price source, or of all, in the order they were made."""
    if not lake.exists(MODEL_DECISIONS):
        return []
    where = None if source is None else f"source = {literal(source)}"
    return in_order(lake.rows(MODEL_DECISIONS, where=where).to_pylist())


def in_order(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return decisions in the order they were made."""
    return sorted(rows, key=_decided)


def champion_as_of(rows: Iterable[Decision], as_of: date) -> Decision | None:
    """Return the decision that made a version champion as of a date, or None if no version is.

    `rows` are the decisions of one price source, in any order.
    """
    reigning = promoted_as_of(rows, as_of)
    return reigning[-1] if reigning else None


def promoted_as_of(rows: Iterable[Decision], as_of: date) -> list[Decision]:
    """Return one decision for each version that is promoted as of a date, the champion last."""
    last: dict[tuple[str, int], Decision] = {}
    for row in sorted(rows, key=_decided):
        if row["effective_from"] <= as_of:
            last[_version(row)] = row
    promoted = [row for row in last.values() if row["decision"] == "promoted"]
    return sorted(promoted, key=lambda row: (row["effective_from"], row["model_version"]))


def trained_by(rows: Iterable[Decision], decision: Decision) -> str:
    """Return the run that trained the version a decision is about: the one that decided about it first.

    Another run withdraws or reinstates a version.
    """
    of_version = [row for row in rows if _version(row) == _version(decision)]
    return str(min(of_version, key=_decided)["run_id"])


def stored_content(settings: Settings, client: Any, name: str, version: int) -> bytes:
    """Return the bytes of a registered model.

    Raises:
        PortfolioError: MLflow does not have it, or has other bytes than those that were registered.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    label = f"Version {version} of {name}"
    try:
        tags = client.get_model_version(name, str(version)).tags
        settings.machine_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".model-", dir=settings.machine_dir) as folder:
            place = mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=folder)
            content = (Path(place) / CONTENT_FILE).read_bytes()
    except (MlflowException, OSError) as error:
        raise PortfolioError(
            f"{label} is no longer in the MLflow registry, or cannot be read ({type(error).__name__}); "
            f"train again: {TO_TRAIN}."
        ) from None
    if hashlib.sha256(content).hexdigest() != tag(tags, CONTENT_TAG):
        raise PortfolioError(
            f"{label} differs from the registered model: its bytes have changed; do not use it."
        )
    return content


def no_champion(source: str, as_of: date) -> str:
    """Return in words that no version of any model is champion, though some were judged."""
    return (
        f"There is no champion of {source} as of {as_of}: every model was refused or withdrawn; "
        "`portfolio models` says why."
    )


def _step_left_out(rows: Sequence[Decision], source: str, as_of: date) -> str:
    """Return what has to be done before there can be a champion, empty if models were judged and refused."""
    later = [row["effective_from"] for row in rows if row["decision"] == "promoted"]
    since = sorted(day for day in set(later) if champion_as_of(rows, day) is not None)
    if since and as_of < since[0]:
        return (
            f"No model of {source} was champion as of {as_of}: the first is since {since[0]}; score a later "
            f"date, or train one as of then: {TO_TRAIN} with `--as-of {as_of}`."
        )
    if not rows:
        return f"There is no champion of {source} yet; train one first: {TO_TRAIN}."
    return ""


def _version(row: Decision) -> tuple[str, int]:
    return row["model_name"], row["model_version"]


def _decided(row: Decision) -> tuple[Any, ...]:
    # At the same instant a withdrawal is the later decision.
    return row["decided_at"], row["decision"] == "withdrawn", row["model_version"]
