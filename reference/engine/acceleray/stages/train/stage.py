"""Train: validate a signal model out of sample, fit it on what is known, and judge it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from acceleray.engines.handoff.arrays import as_date
from acceleray.engines.processes.memory import give_back
from acceleray.errors import PortfolioError
from acceleray.governance.champion import features_contract
from acceleray.governance.registry import Dossier, RegisteredModel, register_model
from acceleray.quant.bins import TOLERANCE
from acceleray.quant.boosting import restored
from acceleray.quant.evaluation import least_count
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run
from acceleray.settings import Model
from acceleray.stages.features.examples import load_examples
from acceleray.stages.train import card
from acceleray.stages.train.decision import (
    commit_decision,
    commit_decisions,
    decided_before,
    mirror,
    reigning,
)
from acceleray.stages.train.fitting import FinalModel, fit_final, forget_checkpoints
from acceleray.stages.train.gate import PROMOTED, Comparison, Evidence, Limits, Verdict, compare, judge
from acceleray.stages.train.parameters import Chosen, parameters
from acceleray.stages.train.targets import load_other_targets, target_rows
from acceleray.stages.train.validation import (
    Validation,
    first_unseen,
    validate,
    validation_rows,
    walk_forward,
)
from acceleray.tables import FEATURE_IMPORTANCE, FEATURES, SIGNAL_TARGETS, SIGNAL_VALIDATION, TRAINING

MINIMUM_INSTRUMENTS = 3
"""Instruments below which a rank among them says nothing."""
# Rows that are logged with the model as an example of its input.
_EXAMPLE_ROWS = 5


@dataclass(frozen=True)
class Trained:
    """Result of training.

    Attributes:
        model: the registered model, whatever the gate said; without an address if it was left out.
        decision: `promoted`, `refused`, or `left out` where there are too few instruments.
        reason: of the decision, in words.
        validation: out-of-sample evidence.
        difference: largest one of any training score from a single process, NaN where it is one.
        champion: version that is champion now, None if there is none.
        card: the model card.
    """

    model: RegisteredModel
    decision: str
    reason: str
    validation: Validation
    difference: float
    champion: int | None
    card: Path

    @property
    def scoring(self) -> RegisteredModel:
        """Return the model to score with: this one if the gate promoted it, else one without content."""
        return self.model if self.decision == PROMOTED else RegisteredModel("", b"")


def train(run: Run, *, distributed: bool = False) -> Trained:
    """Validate, fit, register and judge the signal model on labels known at the as-of date.

    Args:
        run: what to work on and with; it knows its as-of date.
        distributed: fit the final model by `train.shards` processes, and check it against a single one;
            otherwise it is fitted in one.

    Raises:
        PortfolioError: the history is too short for the walk-forward folds, there is no search to take
            parameters from, or training failed; or, `distributed`, there are too few instruments to rank.
    """
    examples = load_examples(run, single=True)
    if len(examples.instruments) < MINIMUM_INSTRUMENTS:
        return _left_out(run, len(examples.instruments), distributed)
    settings, chosen = run.settings, parameters(run)
    shared = run.fan_out.share(examples)
    # The same memory for this process and for those of Ray.
    examples = run.fan_out.held(shared)
    contract = features_contract(run.project.feature_names(), settings.features.horizon_d)
    folds = walk_forward(settings, len(examples.dates), first_unseen(examples, chosen.unseen_from))
    others = run.fan_out.share(load_other_targets(run, examples))
    # Folds are fitted by other processes, which need what reading has left unused.
    give_back()
    found = validate(run, examples, shared, chosen.model, folds, others)
    comparison = _against_champion(run, examples, shared, found, chosen.model, contract)
    run.commit(SIGNAL_VALIDATION, validation_rows(examples, found))
    run.commit(SIGNAL_TARGETS, target_rows(found, settings.train.confidence))
    # Ray may forget the other targets; the examples stay, because this process reads them in its store.
    del shared, others
    final = fit_final(run, examples, chosen.model, distributed)
    model = _register(run, examples, found, chosen, final, contract)
    run.commit(TRAINING, _training_rows(examples, chosen, final, model))
    run.commit(FEATURE_IMPORTANCE, _importance(final.content, run.project.feature_names()))
    verdict = _decide(run, found, comparison, chosen.unseen_from, final, model, contract)
    champion = mirror(run, model.name, model.version)
    forget_checkpoints(run, final)
    written = card.write(run, model)
    return Trained(model, verdict.decision, verdict.reason, found, final.difference, champion, written)


def _left_out(run: Run, instruments: int, asked_for: bool) -> Trained:
    """Return that there is no model, as risk goes on without one; or refuse, where a model was asked for."""
    reason = (
        f"signals rank instruments against each other, and {instruments} with known labels are too few: "
        f"{MINIMUM_INSTRUMENTS} are needed"
    )
    if asked_for:
        raise PortfolioError(f"No signal model: {reason}; provide prices of more instruments.")
    run.reporter.say(f"    no signal model and no scores: {reason}")
    for table in (SIGNAL_VALIDATION, SIGNAL_TARGETS, TRAINING, FEATURE_IMPORTANCE):
        run.commit(table, table.arrow_schema.empty_table())
    none = Validation((), (), run.settings.features.horizon_d)
    return Trained(RegisteredModel("", b""), "left out", reason, none, math.nan, None, Path())


def _decide(
    run: Run,
    found: Validation,
    comparison: Comparison | None,
    unseen_from: date | None,
    final: FinalModel,
    model: RegisteredModel,
    contract: str,
) -> Verdict:
    """Commit and return the decision; one that an earlier attempt at this run has made stands."""
    if before := decided_before(run, model):
        commit_decisions(run, [before])
        return Verdict(before["decision"], before["reason"])
    train, leakage = run.settings.train, run.settings.leakage
    evidence = Evidence(
        rank_ic=found.rank_ic,
        rank_ic_t=found.rank_ic_t,
        rank_ic_lower=found.rank_ic_lower(train.confidence),
        dates=found.dates,
        least_dates=least_count(found.horizon_d),
        unseen_from=unseen_from,
        simulated=run.settings.market_data.source == "simulated",
        difference=final.difference,
        comparison=comparison,
    )
    limits = Limits(
        minimum_rank_ic=train.minimum_rank_ic,
        maximum_rank_ic=leakage.maximum_rank_ic,
        minimum_gain=train.minimum_gain,
        confidence=train.confidence,
        tolerance=TOLERANCE,
    )
    verdict = judge(evidence, limits, run.project.own_gate_rules("training"))
    commit_decision(run, model, contract, verdict, evidence)
    return verdict


def _against_champion(
    run: Run, examples: Examples, shared: Any, found: Validation, model: Model, contract: str
) -> Comparison | None:
    champion = reigning(run, contract)
    if champion is None:
        return None
    row, theirs = champion
    version = int(row["model_version"])
    if theirs.model == model:
        return Comparison(version, 0.0, 0.0, 0.0, found.dates)
    other = validate(run, examples, shared, theirs.model, found.folds)
    # The champion's own search must not have seen the dates either, or it would win by what it chose.
    since = first_unseen(examples, theirs.unseen_from)
    mine, confidence = found.since(since), run.settings.train.confidence
    return compare(version, mine, other.since(since), found.horizon_d, confidence)


def _register(
    run: Run, examples: Examples, found: Validation, chosen: Chosen, final: FinalModel, contract: str
) -> RegisteredModel:
    names = run.project.feature_names()
    versions = {t.table.label: t.version for t in run.touches if t.table.label == FEATURES.label}
    newest = examples.features if examples.newest is None else examples.newest
    dossier = Dossier(
        example=pd.DataFrame(newest[-_EXAMPLE_ROWS:], columns=list(names)),
        parameters={**chosen.model.model_dump(), "shards": final.shards, "parameters_from": chosen.origin},
        metrics={
            name: value
            for name, value in (("rank_ic", found.rank_ic), ("rank_ic_t", found.rank_ic_t), *found.means())
            if np.isfinite(value)
        },
        tags={
            "source": run.source,
            "as_of": run.as_of.isoformat(),
            "features_contract": contract,
            "features": ", ".join(names),
            "code_version": run.identity.code_version,
            "load_id": run.identity.load_id,
            **{f"delta.{label}": str(version) for label, version in versions.items()},
        },
    )
    return register_model(run.settings, run.tracker, run.identity.run_id, run.source, final.content, dossier)


def _training_rows(examples: Examples, chosen: Chosen, final: FinalModel, model: RegisteredModel) -> pa.Table:
    rows, features = int(examples.within(slice(0, final.dates)).sum()), examples.features.shape[1]
    row = {
        "rows": rows,
        "features": features,
        "matrix_mb": 4.0 * rows * features / 1e6,
        "first_date": as_date(examples.dates[0]),
        "last_date": as_date(examples.dates[final.dates - 1]),
        "rounds": chosen.model.rounds,
        "shards": final.shards,
        "parameters_from": chosen.origin,
        "parameters_json": chosen.model.model_dump_json(),
        "single_process_difference": final.difference,
        "content_sha256": final.sha256,
        "model_uri": model.uri,
        "fit_s": final.seconds if math.isfinite(final.seconds) else None,
        "single_process_s": final.single_process_s if math.isfinite(final.single_process_s) else None,
        "resumed_from": final.resumed_from,
    }
    return pa.Table.from_pylist([row])


def _importance(content: bytes, names: Sequence[str]) -> pa.Table:
    booster = restored(content)
    gains = booster.get_score(importance_type="total_gain")
    splits = booster.get_score(importance_type="weight")
    total = sum(gains.values()) or 1.0
    return pa.table(
        {
            "position": list(range(1, len(names) + 1)),
            "feature": list(names),
            "gain": [gains.get(name, 0.0) / total for name in names],
            "splits": [int(splits.get(name, 0)) for name in names],
        }
    )
