"""From the rows of a run to its model document."""

from __future__ import annotations

from pathlib import Path

from acceleray.report.formats import printable
from acceleray.report.model_document import (
    assumptions,
    changes,
    inputs,
    limits,
    method,
    monitoring,
    risk_fits,
    risk_outcomes,
    risk_sensitivity,
    signal_fits,
    signal_outcomes,
)
from acceleray.report.model_document.cells import fact
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.tree import Document, Section, Words
from acceleray.tables import RUNS

_TITLES = {"risk": "Model document: risk model", "signal": "Model document: signal model"}


def document(told: Context, folder: Path) -> Document:
    """Return the document about a run; `folder` is where it will be written, for links to functions."""
    run, settings = told.made.run, told.settings
    identity = (
        fact("Run", run, RUNS, "run_id"),
        fact("Workload", run, RUNS, "workload"),
        fact("As of", run, RUNS, "as_of"),
        fact("Finished", run, RUNS, "finished_at"),
        fact("Price source", run, RUNS, "source"),
        fact("Code version", run, RUNS, "code_version"),
        fact("Seed", run, RUNS, "seed"),
        fact("Signal model", {**run, "model_uri": run["model_uri"] or "none"}, RUNS, "model_uri"),
        fact("MLflow run", run, RUNS, "mlflow_run_id"),
    )
    # One that was never judged is refused as well: only a promotion is one.
    decision = told.made.decision if told.made.promoted else "not promoted"
    return Document(
        kind=told.kind,
        title=_TITLES[told.kind],
        who=printable(f"{settings.project.customer} · {settings.project.name}"),
        promoted=told.made.promoted,
        decision=decision,
        reason=printable(told.made.reason).rstrip("."),
        identity=identity,
        sections=_sections(told, folder),
    )


def _sections(told: Context, folder: Path) -> tuple[Section, ...]:
    risk = told.kind == "risk"
    return (
        limits.purpose(told),
        limits.owner(told),
        inputs.section(told),
        _method(told, folder),
        assumptions.section(told),
        risk_fits.section(told) if risk else signal_fits.calibration(told),
        risk_outcomes.outcomes(told) if risk else signal_outcomes.outcomes(told),
        risk_outcomes.benchmarks(told) if risk else signal_outcomes.benchmarks(told),
        risk_sensitivity.section(told) if risk else signal_fits.sensitivity(told),
        limits.limitations(told),
        monitoring.section(told),
        changes.section(told),
    )


def _method(told: Context, folder: Path) -> Section:
    words = (
        "Every formula, its source and the function that computes it, from engine/docs/methodology.md."
        " A loss is positive; a forecast for a day uses data up to the day before."
    )
    formulas = method.parts(told.kind, folder, told.settings.project_dir)
    return Section("method", "Method", (Words(words), *formulas))
