"""The sections on a signal model's fit and its sensitivity: hyperparameters, features, search."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from acceleray.report.model_document.cells import Row, facts, grid, shown, source, transposed
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.run_rows import reads
from acceleray.report.model_document.tree import Fact, Judgement, Part, Section, Words
from acceleray.report.rows import Reads
from acceleray.tables import FEATURE_IMPORTANCE, LEAKAGE_CHECKS, TRAINING, TRIALS, TUNING_EVIDENCE

SHOWN_TRIALS = 20
# Hyperparameters that were set, not searched for.
_FROM_SETTINGS = "model"


def calibration(told: Context) -> Section:
    """Return the section on how the model was fitted, and how stable that is."""
    rows = told.read(TRAINING).to_pylist()
    without = ("parameters_json", "fit_s", "single_process_s", "resumed_from")
    features = sorted(told.read(FEATURE_IMPORTANCE).to_pylist(), key=lambda row: row["position"])
    parts: list[Part] = [
        transposed(TRAINING, rows, ("Value",), "The final fit.", without),
        *_hyperparameters(rows),
        grid(FEATURE_IMPORTANCE, features, "Features in the model's order, and its gain from each."),
        Judgement(
            "whether the features make sense together, and whether the model is stable enough from one"
            " training to the next; the change log has both."
        ),
    ]
    return Section("calibration", "Calibration and its stability", tuple(parts))


def sensitivity(told: Context) -> Section:
    """Return the section on the search behind the hyperparameters, and on leakage."""
    rows = told.read(TRAINING).to_pylist()
    origin = rows[0]["parameters_from"] if rows else _FROM_SETTINGS
    parts: list[Part] = []
    if origin == _FROM_SETTINGS:
        parts.append(
            Words(
                "Hyperparameters are those of the settings: no search stands behind them"
                f" ({source(TRAINING, 'parameters_from')}), and how much they matter was not measured."
            )
        )
    else:
        parts += _search(reads(told.kept, str(origin), str(told.made.run["source"])), str(origin))
    parts.append(
        Judgement("how the ranking changes with other features, another horizon and other hyperparameters.")
    )
    return Section("sensitivity", "Sensitivity", tuple(parts))


def _hyperparameters(rows: Sequence[Row]) -> list[Part]:
    if not rows:
        return []
    values: dict[str, Any] = json.loads(rows[0]["parameters_json"])
    where = source(TRAINING, "parameters_json")
    return [facts([Fact(name, shown(value), f"{where}: {name}") for name, value in values.items()])]


def _search(read: Reads, run_id: str) -> list[Part]:
    trials = read(TRIALS).to_pylist()
    trials.sort(key=lambda row: (row["rank_ic"] is None, -(row["rank_ic"] or 0.0), row["trial"]))
    checks = sorted(read(LEAKAGE_CHECKS).to_pylist(), key=lambda row: (not row["suspected"], row["subject"]))
    return [
        Words(f"Hyperparameters are those that the search of run {run_id} chose."),
        transposed(TUNING_EVIDENCE, read(TUNING_EVIDENCE).to_pylist(), ("Value",), "Worth of the search."),
        grid(
            TRIALS,
            trials[:SHOWN_TRIALS],
            f"Trials by rank IC, the best first: {min(len(trials), SHOWN_TRIALS)} of {len(trials)}.",
        ),
        grid(LEAKAGE_CHECKS, checks, "Checks for knowledge of the future, suspected ones first."),
    ]
