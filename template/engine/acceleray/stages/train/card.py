"""The model card: one page of Markdown on what a version is, what it is for, and what speaks against it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acceleray.governance.registry import RegisteredModel
from acceleray.runtime.run import Run
from acceleray.settings import Train
from acceleray.tables import (
    FEATURE_IMPORTANCE,
    FEATURES,
    MODEL_DECISIONS,
    SIGNAL_TARGETS,
    SIGNAL_VALIDATION,
    TRAINING,
)
from acceleray.whole_files import put_in_place

Row = dict[str, Any]


def write(run: Run, model: RegisteredModel) -> Path:
    """Write the card of the version a run trained, keep it with its MLflow run too, and return its path."""
    path = run.settings.state_dir / "reports" / f"model-card-{model.name.split('.')[-1]}-v{model.version}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text(run, model), encoding="utf-8")
    put_in_place(unfinished, path)
    run.tracker.attach(path)
    return path


def text(run: Run, model: RegisteredModel) -> str:
    """Return the card, generated from the rows that the run committed."""
    (training,) = run.rows(TRAINING).to_pylist()
    (decision,) = [
        row for row in run.rows(MODEL_DECISIONS).to_pylist() if row["model_version"] == model.version
    ]
    features = sorted(run.rows(FEATURE_IMPORTANCE).to_pylist(), key=lambda row: row["position"])
    folds = sorted(run.rows(SIGNAL_VALIDATION).to_pylist(), key=lambda row: row["fold"])
    versions = sorted({touch.version for touch in run.touches if touch.table.label == FEATURES.label})
    lines = [
        f"# Model card: {model.name}, version {model.version}",
        "",
        f"**{decision['decision'].capitalize()}**, effective from {decision['effective_from']}: "
        f"{decision['reason']}.",
        "",
        *_what_it_is(run, training),
        *_data(run, training, versions),
        *_features(features),
        *_hyperparameters(training),
        *_validation(folds, decision, run.settings.train),
        *_targets(run.rows(SIGNAL_TARGETS).to_pylist()),
        *_limits(run, decision),
        *_again(run, model, training),
    ]
    return "\n".join(lines) + "\n"


def _what_it_is(run: Run, training: Row) -> list[str]:
    how = "one process" if training["shards"] == 1 else f"{training['shards']} processes at once"
    return [
        "## What it is",
        f"{training['rounds']} gradient-boosted trees (XGBoost), fitted by {how}. From ranked features of "
        f"the day it predicts how an instrument's return over the next {run.settings.features.horizon_d} "
        "trading days ranks among all instruments, -0.5 lowest, 0.5 highest.",
        "",
        "**For:** ordering instruments for a human to look at, and as an input of portfolio construction "
        "that knows its error.",
        "**Not for:** forecasting a return, trading without a check, instruments unlike those it was trained "
        "on, or another horizon.",
        "",
    ]


def _data(run: Run, training: Row, versions: Sequence[int]) -> list[str]:
    listed = ", ".join(str(version) for version in versions)
    kind = " (simulated: the signal in it was planted)" if _simulated(run) else ""
    return [
        "## Data",
        f"- prices: {run.source}{kind}, load {run.identity.load_id}",
        f"- features: gold.features, Delta version {listed}",
        f"- {training['rows']:,} rows, {training['first_date']} to {training['last_date']}: later labels "
        f"are left to the next fit (train.refit_every_d), or were not known as of {run.as_of}",
        "",
    ]


def _features(rows: Sequence[Row]) -> list[str]:
    listed = [f"{row['position']}. {row['feature']} ({100 * row['gain']:.0f} % of the gain)" for row in rows]
    return ["## Features, in the order the model knows", *listed, ""]


def _hyperparameters(training: Row) -> list[str]:
    origin = training["parameters_from"]
    source = "the settings" if origin == "model" else f"search {origin}"
    values = json.loads(training["parameters_json"])
    return [
        f"## Hyperparameters, from {source}",
        ", ".join(
            f"{name} {value}" if isinstance(value, str) else f"{name} {value:g}"
            for name, value in values.items()
        ),
        "",
    ]


def _validation(folds: Sequence[Row], decision: Row, train: Train) -> list[str]:
    rows = [
        f"| {row['fold']} | {row['test_first']} to {row['test_last']} | {_number(row['rank_ic'], 4)} "
        f"| {_number(row['rank_ic_t'], 1)} | {_number(row['r2_out_of_sample'], 4)} "
        f"| {_percent(row['quantile_spread'])} | {_percent(row['turnover'])} "
        f"| {_percent(row['net_spread'])} |"
        for row in folds
    ]
    return [
        "## Validation, out of sample",
        f"Purged and embargoed walk-forward; mean rank IC of all dates {_number(decision['rank_ic'], 4)}, "
        f"t {_number(decision['rank_ic_t'], 1)}, lower end of its one-sided {100 * train.confidence:g} % "
        f"interval {_number(decision['rank_ic_lower'], 4)}. Spread: best less worst fifth, per horizon; "
        f"net of {train.cost_bp:g} basis points of what is traded.",
        *_after_search(decision),
        "",
        "| fold | tested | rank IC | t | R2 against zero | spread | turnover | net spread |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _after_search(decision: Row) -> list[str]:
    if decision["unseen_from"] is None:
        return []
    return [
        f"Only dates from {decision['unseen_from']} on count: by those before, a search chose the "
        "hyperparameters."
    ]


def _targets(rows: Sequence[Row]) -> list[str]:
    named = sorted(rows, key=lambda row: (not row["gated"], row["target"]))
    lines = [
        f"- {row['target']}: rank IC {_number(row['rank_ic'], 4)}, t {_number(row['rank_ic_t'], 1)}, "
        f"lower end {_number(row['rank_ic_lower'], 4)}"
        for row in named
    ]
    return ["## The same scores against other targets", *lines, ""]


def _limits(run: Run, decision: Row) -> list[str]:
    lines = [
        "## Limits",
        "- Validation says what the recipe was worth in the past; this model has seen those dates since.",
        "- Costs are a flat share of what is traded; market impact, borrowing and taxes are left out.",
    ]
    if run.settings.market_data.source == "sample":
        lines.append(
            "- The sample is twenty companies that survived. Whatever is measured on them proves nothing "
            "about alpha: names that vanished are not in it."
        )
    elif _simulated(run):
        lines.append(
            "- Prices are simulated and the signal was planted: it shows that the method works, no more."
        )
    else:
        lines.append("- If the price source leaves out names that were delisted, all of this looks too good.")
    limit = run.settings.leakage.maximum_rank_ic
    if not _simulated(run) and (decision["rank_ic"] or 0.0) > limit:
        lines.append(f"- Rank IC above {limit:g} on real daily prices: leakage until proven otherwise.")
    return [*lines, ""]


def _again(run: Run, model: RegisteredModel, training: Row) -> list[str]:
    key = f"run_id={run.identity.run_id}"
    return [
        "## How to get it again",
        f"- code {run.identity.code_version}, seed {run.settings.seed}, run {run.identity.run_id}",
        f"- `portfolio run {run.workload} --as-of {run.as_of}` with the settings that "
        f"`portfolio lineage gold.training {key}` lists",
        f"- {model.uri}, SHA-256 {training['content_sha256']}",
    ]


def _simulated(run: Run) -> bool:
    return run.settings.market_data.source == "simulated"


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "n/a" if value is None or not math.isfinite(value) else f"{100 * value:.2f} %"
