"""Commands that messages recommend: only those that this project has."""

from __future__ import annotations

from pathlib import Path

TRAINERS = ("distributed_training", "end_to_end_pipeline")


def first_here(*workloads: str) -> str | None:
    """Return the first of these workloads that this project has, or None."""
    # Looked up as files: a stage knows nothing of the recipes above it.
    folder = Path(__file__).parent / "workloads"
    return next((name for name in workloads if (folder / f"{name}.py").is_file()), None)


def to_run(*workloads: str) -> str:
    """Return the command that runs the first of these workloads that is here, or how the project gets one."""
    name = first_here(*workloads)
    return f"`portfolio run {name}`" if name else f"`copier update`, and select {workloads[0]}"


def to_train() -> str:
    """Return the command that trains a signal model here."""
    return to_run(*TRAINERS)


def to_search() -> str:
    """Return the command that searches hyperparameters here."""
    return to_run("hyperparameter_tuning")
