"""One MLflow parent run with a child per stage, in SQLite on a laptop and in the workspace on Databricks."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acceleray.governance.model_lineage import context_tags
from acceleray.settings import Settings
from acceleray.settings.topology import in_workspace

# Jobs of the bundle are stopped after four hours.
_LONGEST_JOB_H = 24
# MLflow's name for the registry in Unity Catalog.
UNITY_CATALOG = "databricks-uc"


class Tracker:
    """Writes a run's evidence to MLflow; made by `tracked_run`."""

    def __init__(self, client: Any, experiment_id: str, run_id: str) -> None:
        """Keep the client and the parent run; use `tracked_run` instead."""
        self.client = client
        self.experiment_id = experiment_id
        self.run_id = run_id
        # Delta versions of the tables that were read so far, by label.
        self.read: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRecord]:
        """Yield a record for one stage; it becomes a child run, failed if the block raises."""
        tags = {"mlflow.parentRunId": self.run_id, "mlflow.runName": name, "stage": name}
        child = self.client.create_run(self.experiment_id, tags=tags).info.run_id
        record = StageRecord(self.client, child, self.experiment_id, self.read)
        try:
            yield record
        except BaseException:
            record.write("FAILED")
            raise
        record.write("FINISHED")

    def describe(self, tags: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
        """Attach tags and (nested) parameters to the parent run."""
        from mlflow.entities import Param, RunTag

        flat = {f"{k}.{i}": v for k, s in parameters.items() if isinstance(s, dict) for i, v in s.items()}
        flat |= {key: value for key, value in parameters.items() if not isinstance(value, dict)}
        self.client.log_batch(
            self.run_id,
            params=[Param(key, str(value)) for key, value in flat.items()],
            tags=[RunTag(key, str(value)) for key, value in tags.items()],
        )

    def measure(self, metrics: Mapping[str, float]) -> None:
        """Attach headline numbers to the parent run."""
        _log(self.client, self.run_id, {}, metrics)

    def attach(self, path: Path) -> None:
        """Store a file with the parent run, and the folder of the same name that it links to, if any."""
        self.client.log_artifact(self.run_id, str(path))
        if (beside := path.with_suffix("")).is_dir():
            self.client.log_artifacts(self.run_id, str(beside), beside.name)


class StageRecord:
    """Reads, writes and numbers of one stage; collected until the stage ends, then written at once."""

    def __init__(
        self, client: Any, run_id: str, experiment_id: str, read: dict[str, int] | None = None
    ) -> None:
        """Keep the child run, and where to note tables that were read; use `Tracker.stage` instead."""
        self.client = client
        self.run_id = run_id
        self.experiment_id = experiment_id
        self._read = {} if read is None else read
        self._tags: dict[str, str] = {}
        self._metrics: dict[str, float] = {}

    def table(self, direction: str, label: str, version: int, rows: int) -> None:
        """Record the Delta version of a table that was read or written."""
        # A tag, because MLflow's own Delta dataset loses version 0.
        self._tags[f"delta.{direction}.{label}"] = str(version)
        if direction == "read":
            self._read[label] = version
        self._metrics[f"rows.{direction}.{label}"] = float(rows)

    def measure(self, metrics: Mapping[str, float]) -> None:
        """Attach numbers to the stage."""
        self._metrics |= metrics

    def note(self, name: str, text: str) -> None:
        """Record why something was done the way it was."""
        self._tags[name] = text

    def child(
        self,
        name: str,
        tags: Mapping[str, str],
        parameters: Mapping[str, Any],
        curves: Mapping[str, Sequence[tuple[int, float]]],
        failed: bool = False,
    ) -> str:
        """Write a finished run below the stage's own, and return its id.

        It is made here, by the process that knows the stage's run: one that is made elsewhere would have to
        be told, and would be an orphan if it was not.

        Args:
            name: what people see.
            tags: texts; empty ones are left out.
            parameters: what was tried.
            curves: for each metric, steps with their values.
            failed: whether the run is marked as failed.
        """
        from mlflow.entities import Metric, Param, RunTag

        known = {"mlflow.parentRunId": self.run_id, "mlflow.runName": name}
        child = str(self.client.create_run(self.experiment_id, tags=known).info.run_id)
        now = int(time.time() * 1000)
        self.client.log_batch(
            child,
            metrics=[
                Metric(metric, float(value), now, step)
                for metric, curve in curves.items()
                for step, value in curve
            ],
            params=[Param(key, str(value)) for key, value in parameters.items()],
            tags=[RunTag(key, text) for key, text in tags.items() if text],
        )
        self.client.set_terminated(child, "FAILED" if failed else "FINISHED")
        return child

    def write(self, status: str) -> None:
        """Write everything to MLflow and end the child run."""
        _log(self.client, self.run_id, self._tags, self._metrics)
        self.client.set_terminated(self.run_id, status)


@contextmanager
def tracked_run(settings: Settings, name: str) -> Iterator[Tracker]:
    """Yield the tracker of a new parent run; it ends as finished, failed or killed, never as running."""
    import mlflow
    from mlflow import MlflowClient

    quiet()
    uri = tracking_uri(settings)
    mlflow.set_tracking_uri(uri)
    registry = UNITY_CATALOG if in_workspace(settings) else uri
    # Said outright: a cluster's spark.mlflow.modelRegistryUri may name the workspace's old registry.
    mlflow.set_registry_uri(registry)
    client = MlflowClient(uri, registry_uri=registry)
    experiment_id = _experiment(client, settings)
    # Logged models follow the active experiment; in the default one they would lie below the current folder.
    mlflow.set_experiment(experiment_id=experiment_id)
    close_abandoned(client, experiment_id, began_before(settings))
    tags = {"mlflow.runName": name, "environment": settings.environment, "process": str(os.getpid())}
    if in_workspace(settings):
        tags |= context_tags()
    run_id = client.create_run(experiment_id, tags=tags).info.run_id
    try:
        yield Tracker(client, experiment_id, run_id)
    except (KeyboardInterrupt, SystemExit):
        client.set_terminated(run_id, "KILLED")
        raise
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")


def tracking_uri(settings: Settings) -> str:
    """Return where MLflow keeps runs and models: the workspace on Databricks, else a SQLite file."""
    if in_workspace(settings):
        return "databricks"
    folder = settings.state_dir / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def close_abandoned(client: Any, experiment_id: str, before_ms: int) -> None:
    """Mark runs that a killed process left open, of those that began before a time in milliseconds."""
    wanted = f"attributes.status = 'RUNNING' and attributes.start_time < {before_ms}"
    for run in client.search_runs([experiment_id], filter_string=wanted):
        client.set_terminated(run.info.run_id, "KILLED")


def began_before(settings: Settings) -> int:
    """Return, in milliseconds, before when a run that is still open must have begun to be taken for dead.

    Here the caller holds the lock, so none is alive. On Databricks it shuts out no other cluster, whose jobs
    end after hours at the latest.
    """
    alive_h = _LONGEST_JOB_H if in_workspace(settings) else 0
    return int((time.time() - alive_h * 3600) * 1000)


def _log(client: Any, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float]) -> None:
    from mlflow.entities import Metric, RunTag

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(name, float(value), now, 0) for name, value in metrics.items()],
        tags=[RunTag(name, value) for name, value in tags.items()],
    )


def _experiment(client: Any, settings: Settings) -> str:
    name = settings.project.name
    if in_workspace(settings):
        # Projects of releases up to 0.2 say nothing in conf/.
        name = settings.project.experiment or f"/Shared/{name}-{settings.environment}"
    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    if in_workspace(settings):
        return str(client.create_experiment(name))
    artifacts = settings.state_dir / "mlflow" / "artifacts"
    return str(client.create_experiment(name, artifact_location=artifacts.as_uri()))


def quiet() -> None:
    """Let MLflow log errors alone: the first use of a SQLite store prints every schema migration."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
