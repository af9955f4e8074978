"""Models in archives: their bytes out of the registry, and a registry in which a run finds them again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from acceleray.governance.champion import CONTENT_FILE, CONTENT_TAG, stored_content
from acceleray.governance.tracking import UNITY_CATALOG, quiet, tracking_uri
from acceleray.settings import Settings
from acceleray.settings.topology import in_workspace

_URI = re.compile(r"models:/(?P<name>.+)/(?P<version>[0-9]+)")


def named(uri: str) -> tuple[str, int] | None:
    """Return name and version of a registered model by its address, None where there is no such address."""
    found = _URI.fullmatch(uri)
    return None if found is None else (found["name"], int(found["version"]))


def model_bytes(settings: Settings, name: str, version: int) -> bytes:
    """Return the bytes of a registered model.

    Raises:
        PortfolioError: the registry does not have it, or has other bytes than those that were registered.
    """
    import mlflow
    from mlflow import MlflowClient

    quiet()
    # The file is small, and a bar of MLflow's would stand among our lines.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    uri = tracking_uri(settings)
    mlflow.set_tracking_uri(uri)
    registry = UNITY_CATALOG if in_workspace(settings) else uri
    mlflow.set_registry_uri(registry)
    client = MlflowClient(uri, registry_uri=registry)
    return stored_content(settings, client, name, version)


def restore(settings: Settings, versions: dict[str, int], content: tuple[str, int, Path] | None) -> None:
    """Fill a new registry so that a run finds the model it scored with, and makes versions as it did.

    Args:
        settings: of the project whose registry it is.
        versions: how many versions of each model there are to be, empty but for the one in `content`.
        content: name, version and file of a model with its bytes.
    """
    from mlflow import MlflowClient

    quiet()
    uri = tracking_uri(settings)
    client = MlflowClient(uri, registry_uri=uri)
    for name, count in sorted(versions.items()):
        client.create_registered_model(name)
        for version in range(1, count + 1):
            place = settings.state_dir / "mlflow" / "restored" / f"{name}-{version}"
            place.mkdir(parents=True)
            tags = {}
            if content is not None and content[:2] == (name, version):
                shutil.copyfile(content[2], place / CONTENT_FILE)
                tags[CONTENT_TAG] = hashlib.sha256(content[2].read_bytes()).hexdigest()
            client.create_model_version(name, place.as_uri(), tags=tags, await_creation_for=0)


def main(project: Path, wanted: Path) -> None:
    """Restore what a JSON file asks for: `versions`, and `content` as name, version and path or null."""
    from acceleray.settings import load

    asked = json.loads(wanted.read_text(encoding="utf-8"))
    content = asked["content"]
    restore(load(project), asked["versions"], None if content is None else (*content[:2], Path(content[2])))


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]), Path(sys.argv[2]))
