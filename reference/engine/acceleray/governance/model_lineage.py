"""Tags from which a workspace derives the lineage of a model: job or notebook, and the tables read.

MLflow's Unity Catalog store sends lineage with a version of a model if its run carries the tags of a notebook
or job, and takes the tables from the run's inputs (`rest_store.py` of MLflow 3.17, read in its source).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acceleray.settings import Settings

_CONTEXT = "mlflow.databricks."
# MLflow sends no more of them.
_MOST = 10


def context_tags() -> dict[str, str]:
    """Return the tags by which a workspace knows notebook, job and cluster; none elsewhere."""
    from mlflow.tracking.context.registry import resolve_tags

    return {key: str(value) for key, value in resolve_tags().items() if key.startswith(_CONTEXT) and value}


def inputs(settings: Settings, read: Mapping[str, int], table_id: Callable[[str], str | None]) -> list[Any]:
    """Return the inputs of a run for MLflow: each table of Unity Catalog with the Delta version it read.

    Args:
        settings: name catalog and schemas.
        read: versions by label, such as gold.features.
        table_id: the catalog's id of a table by its full name, without which MLflow leaves it out of lineage.
    """
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.entities import Dataset, DatasetInput, InputTag

    found = []
    for label, version in sorted(read.items())[:_MOST]:
        layer, name = label.split(".", 1)
        full = f"{settings.catalog.name}.{getattr(settings.catalog, layer)}.{name}"
        if (known := table_id(full)) is None:
            continue
        source = DeltaDatasetSource(delta_table_name=full, delta_table_version=version, delta_table_id=known)
        dataset = Dataset(name=label, digest=str(version), source_type="delta_table", source=source.to_json())
        found.append(DatasetInput(dataset, [InputTag("mlflow.data.context", "training")]))
    return found


def catalog_id(full_name: str) -> str | None:
    """Return Unity Catalog's id of a table, None where it cannot be had: a run goes on without lineage."""
    from databricks.sdk import WorkspaceClient

    try:
        return WorkspaceClient().tables.get(full_name).table_id
    except Exception:
        return None
