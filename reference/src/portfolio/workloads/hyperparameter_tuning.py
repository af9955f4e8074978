"""Search for hyperparameters of the signal model, and say what is left of the best after so many tries."""

from __future__ import annotations

from acceleray.report.tuning.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.tune.stage import Tuned, tune


def run(run: Run) -> Conclusion:
    """Run every stage; a search that found nothing, or too much, has its report and says so."""
    with run.stage("ingest", "Ingest prices (Spark)"):
        loaded = ingest(run)
        run.identify(loaded.load_id, loaded.as_of)
    with run.stage("features", "Build features (Spark)"):
        build_features(run)
    with run.stage("tune", "Search hyperparameters (Ray Tune)") as stage:
        tuned = tune(run, stage)
        stage.measure({"validation_rank_ic": tuned.judged.rank_ic, "holdout_rank_ic": tuned.holdout.rank_ic})
        record(run)
    return conclude(run, tuned)


def conclude(run: Run, tuned: Tuned) -> Conclusion:
    """Write the report; say what was found, and what is left of it after so many tries."""
    report = run.report(PAGE)
    return Conclusion(_headline(tuned), tuned.verdict.words, report, "Search")


def _headline(tuned: Tuned) -> tuple[tuple[str, str], ...]:
    status = [trial.fate.status for trial in tuned.trials if trial.fate]
    stopped, failed = status.count("stopped"), status.count("failed")
    rounds = tuned.best.best.rounds if tuned.best.best else 0
    best = f"trial {tuned.best.number} at {rounds} rounds"
    return (
        ("Trials", f"{len(tuned.trials)}: {stopped} stopped early, {failed} failed"),
        (
            "Validation rank IC",
            f"{tuned.judged.rank_ic:.4f} ({best}{'' if tuned.usable else ', not chosen'}), the best of all",
        ),
        (
            "Holdout rank IC",
            f"{tuned.holdout.rank_ic:.4f}, t {tuned.holdout.rank_ic_t:.1f}, p {tuned.holdout.rank_ic_p:.3f} "
            "(one look, after the search)",
        ),
        (
            "Deflated Sharpe ratio",
            f"{tuned.worth.deflated_sharpe:.2f} (probability that it is not luck, of {tuned.worth.tried:,} "
            f"tried here and {tuned.worth.tried_before:,} before)",
        ),
        ("Probability of overfitting", f"{tuned.worth.overfitting:.2f}"),
    )


WORKLOAD = Workload(
    name="hyperparameter_tuning",
    title="Search hyperparameters of the signal model",
    engine="ray",
    run=run,
    fits=True,
)
