"""The tuning stage: a search on Ray, its records, and the verdict on its best trial.

Ray Tune runs the trials, Optuna proposes them, successive halving stops most of them early. A purged and
embargoed walk-forward on unique dates judges them by mean rank IC; the last dates are looked at once, by the
chosen trial, after the search.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from acceleray.engines.handoff.arrays import as_date
from acceleray.engines.ray.proposals import Plan, Search, Trial
from acceleray.engines.ray.steps import Code
from acceleray.engines.ray.tuning import search
from acceleray.errors import PortfolioError
from acceleray.governance.tracking import StageRecord
from acceleray.quant.examples import Examples
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.features.examples import load_examples
from acceleray.stages.tune import rows
from acceleray.stages.tune.checkpoints import KeptTrials
from acceleray.stages.tune.count import tried_before
from acceleray.stages.tune.leakage import (
    HOLDOUT,
    MODEL,
    VALIDATION,
    Check,
    feature_checks,
    judged,
    next_day_returns,
)
from acceleray.stages.tune.problem import Problem, build_problem
from acceleray.stages.tune.selection import (
    Holdout,
    HoldoutTask,
    Worth,
    best_trial,
    held_out,
    judged_at_best,
    sharpes_tried,
    worth,
)
from acceleray.stages.tune.space import SPACE, parameters_of
from acceleray.stages.tune.trial import Judged, prepare, trial
from acceleray.stages.tune.verdict import Verdict, conclude
from acceleray.tables import LEAKAGE_CHECKS, TRIAL_PROGRESS, TRIALS, TUNING_EVIDENCE


@dataclass(frozen=True)
class Tuned:
    """A finished search: its trials, the best of them, and what that is worth.

    `best` is the trial with the highest rank IC, whether or not it may be used: the verdict says that.
    """

    trials: tuple[Trial, ...]
    best: Trial
    judged: Judged
    holdout: Holdout
    worth: Worth
    checks: tuple[Check, ...]
    verdict: Verdict

    @property
    def usable(self) -> bool:
        """Return whether the best trial is chosen: nothing is where leakage is suspected."""
        return self.verdict.finding != "suspect"


def tune(run: Run, record: StageRecord) -> Tuned:
    """Search, judge and commit; every trial becomes a child run of the stage that `record` is about.

    A search that was killed goes on: trials that had ended are not run again, and the result is the same.

    Raises:
        PortfolioError: the history is too short, or not one trial could be run.
    """
    settings = run.settings
    examples = load_examples(run)
    problem = build_problem(settings, examples, run.project.feature_names())
    kept = KeptTrials(settings, _key(run, problem))
    trials = _searched(run, record, problem, kept)
    best = best_trial(trials)
    if best is None or best.best is None:
        reasons = sorted({one.reason for one in trials})
        raise PortfolioError(f"Not one of {len(trials)} trials could be run: {reasons[0]}.")
    at_best = judged_at_best(trials)
    found = at_best[best.number]
    held = _held_out(run, examples, problem, best)
    value = worth(at_best, best.number, sharpes_tried(trials), tried_before(run))
    checks = _checks(run, problem, found, held)
    verdict = conclude(found, value, held, checks, _simulated(settings))
    tuned = Tuned(tuple(trials), best, found, held, value, tuple(checks), verdict)
    chosen = best.number if tuned.usable else None
    first, patience = parameters_of(settings.model), settings.tune.patience_rounds
    run.commit(TRIALS, rows.trial_rows(trials, at_best, chosen, first, patience))
    run.commit(TRIAL_PROGRESS, rows.progress_rows(trials))
    run.commit(LEAKAGE_CHECKS, rows.leakage_rows(checks))
    full = settings.tune.maximum_rounds
    searched = as_date(problem.examples.dates[-1])
    run.commit(TUNING_EVIDENCE, rows.evidence_rows(trials, full, searched, found, value, held, verdict))
    kept.forget()
    return tuned


def plan_of(settings: Settings) -> Plan:
    """Return how the search of these settings goes."""
    return Plan(
        space=SPACE,
        first=parameters_of(settings.model),
        trials=settings.tune.trials,
        learns_after=settings.tune.parallel_trials,
        chunk=settings.tune.chunk_rounds,
        factor=settings.tune.reduction_factor,
        last=settings.tune.maximum_rounds,
        patience=settings.tune.patience_rounds,
        seed=settings.seed,
    )


def _searched(run: Run, record: StageRecord, problem: Problem, kept: KeptTrials) -> list[Trial]:
    before, plan = kept.all(), plan_of(run.settings)
    if before:
        run.reporter.say(f"    resumes an interrupted run: {len(before)} of {plan.trials} trials are done")
    progress = run.reporter.counter(plan.trials, "trials")

    def done(one: Trial) -> None:
        _record(record, one)
        progress(one.number)

    fan_out = run.fan_out.on(problem.device)
    trials = search(
        Code(prepare, trial),
        (problem,),
        Search(plan, done),
        kept.scratch,
        fan_out.workers,
        run.settings.ray.task_timeout_s,
        before,
        kept.keep,
        fan_out.asks,
    )
    status = [one.fate.status for one in trials if one.fate]
    spent = sum(one.fate.rounds for one in trials if one.fate)
    stopped, failed = status.count("stopped"), status.count("failed")
    run.reporter.say(
        f"    {stopped} of {len(trials)} trials stopped early, {failed} failed; "
        f"{spent:,} of {plan.last * len(trials):,} rounds computed"
    )
    return trials


def _record(record: StageRecord, one: Trial) -> None:
    assert one.fate is not None
    best = one.best
    record.child(
        f"trial {one.number}",
        tags={"trial": str(one.number), "status": one.fate.status, "reason": one.reason},
        parameters={**one.parameters, "rounds": best.rounds if best else 0},
        curves={"rank_ic": [(report.rounds, report.value) for report in one.reports]},
        failed=one.fate.status == "failed",
    )


def _held_out(run: Run, examples: Examples, problem: Problem, best: Trial) -> Holdout:
    assert best.best is not None
    task = HoldoutTask(
        parameters=best.parameters,
        rounds=best.best.rounds,
        names=problem.names,
        development=len(problem.examples.dates),
        first=len(examples.dates) - run.settings.tune.holdout_d,
        horizon_d=problem.horizon_d,
        seed=problem.seed,
        device=problem.device,
    )
    (held,) = run.fan_out.on(problem.device).map(held_out, [task], (examples,))
    assert isinstance(held, Holdout)
    return held


def _checks(run: Run, problem: Problem, found: Judged, held: Holdout) -> list[Check]:
    maximum, planted = run.settings.leakage.maximum_rank_ic, _simulated(run.settings)
    next_day = next_day_returns(run, problem.examples)
    checks = feature_checks(problem.examples, problem.names, next_day, maximum, planted)
    for name, value in ((VALIDATION, found.rank_ic), (HOLDOUT, held.rank_ic)):
        checks.append(judged(MODEL, name, value, maximum, planted))
    return checks


def _simulated(settings: Settings) -> bool:
    return settings.market_data.source == "simulated"


def _key(run: Run, problem: Problem) -> str:
    """Return what decides every trial: the problem, the settings of the search, and the code."""
    settings = run.settings
    parts = [problem.digest(), settings.tune.model_dump(mode="json"), parameters_of(settings.model)]
    digest = hashlib.sha256(json.dumps([*parts, run.identity.code_version], sort_keys=True).encode())
    return digest.hexdigest()[:16]
