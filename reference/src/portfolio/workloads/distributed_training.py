"""Train one signal model on several processes, judge it, and make it champion if it passes the gate."""

from __future__ import annotations

import math

from acceleray.governance.champion import decisions
from acceleray.report.training.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.train.parameters import deciding
from acceleray.stages.train.stage import Trained, train


def run(run: Run) -> Conclusion:
    """Run every stage; a model that the gate refuses stays a challenger and has its report all the same."""
    with run.stage("ingest", "Ingest and validate prices (Spark)"):
        loaded = ingest(run)
        run.identify(loaded.load_id, loaded.as_of, deciding(run, loaded.as_of))
    with run.stage("features", "Build returns and features (Spark)"):
        build_features(run)
    with run.stage("train", "Validate, train and judge the signal model (Ray)"):
        trained = train(run, distributed=True)
        record(run, trained.model.uri)
    return conclude(run, trained)


def conclude(run: Run, trained: Trained) -> Conclusion:
    """Write the report; say what the model is worth out of sample, and whether it is champion now."""
    report = run.report(PAGE, decisions=decisions(run.lake, run.source))
    run.tracker.measure({"rank_ic": trained.validation.rank_ic})
    return Conclusion(_headline(trained), f"{trained.decision}: {trained.reason}", report, "Gate")


def _headline(trained: Trained) -> tuple[tuple[str, str], ...]:
    found, means = trained.validation, dict(trained.validation.means())
    single = "it is one" if math.isnan(trained.difference) else f"differs by {trained.difference:.1g} at most"
    champion = "none" if trained.champion is None else f"version {trained.champion}"
    return (
        ("Rank IC out of sample", f"{found.rank_ic:.4f} (t {found.rank_ic_t:.1f})"),
        ("R2 against zero", f"{100 * means['r2_out_of_sample']:.2f} %"),
        (
            "Best less worst fifth",
            f"{100 * means['quantile_spread']:.2f} % in {found.horizon_d} days, "
            f"{100 * means['net_spread']:.2f} % net of trading {100 * means['turnover']:.0f} % of the book",
        ),
        ("Against a single process", single),
        ("Champion", f"{champion}; this is version {trained.model.version}"),
        ("Model card", str(trained.card)),
    )


WORKLOAD = Workload(
    name="distributed_training",
    title="Train one signal model on several processes, and judge it",
    engine="ray",
    run=run,
    fits=True,
)
