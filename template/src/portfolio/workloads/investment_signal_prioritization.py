"""Rank signals by the evidence that is left of each once it is counted how many were looked at."""

from __future__ import annotations

import numpy as np

from acceleray.report.signals.page import PAGE
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.stage import ingest
from acceleray.stages.signals.stage import Prioritised, prioritise


def run(run: Run) -> Conclusion:
    """Run every stage; that no signal survives is a result, not a failure."""
    with run.stage("ingest", "Ingest prices (Spark)"):
        loaded = ingest(run)
        run.identify(loaded.load_id, loaded.as_of)
    with run.stage("features", "Build returns and features (Spark)"):
        build_features(run)
    with run.stage("signals", "Judge every signal at every horizon (Ray)"):
        found = prioritise(run)
        record(run)
    return conclude(run, found)


def conclude(run: Run, found: Prioritised) -> Conclusion:
    """Write the report; say how many signals survive, and which comes first."""
    report = run.report(PAGE)
    run.tracker.measure({f"signals_{name}": float(len(found.decided(name))) for name in ("use", "suspect")})
    return Conclusion(_headline(run, found), _verdict(run, found), report, "Signals")


def _headline(run: Run, found: Prioritised) -> tuple[tuple[str, str], ...]:
    rate = run.settings.signals.false_discovery_rate
    tests = sum(bool(np.isfinite(rank.measured.p_value)) for rank in found.ranks)
    alone = sum(rank.measured.p_value <= rate for rank in found.ranks)
    lines = [
        ("Tests", f"{tests}, of which {alone} look significant at {100 * rate:g} % each on its own"),
        ("Survive every bar", f"{len(found.decided('use'))}, and {len(found.decided('watch'))} to watch"),
    ]
    if suspect := found.decided("suspect"):
        lines.append(("Probable leakage", f"{len(suspect)}, look at {suspect[0].signal} first"))
    first = found.ranks[0]
    lines.append(
        (
            "First in order",
            f"{first.signal} over {first.measured.horizon_d} days: {first.decision}, rank IC "
            f"{first.measured.rank_ic:+.3f}, t {first.measured.t:.1f}",
        )
    )
    return tuple(lines)


def _verdict(run: Run, found: Prioritised) -> str:
    if found.decided("suspect"):
        return "suspect: at least one rank IC is too good to be true; find the leak before anything is used"
    kept = len(found.decided("use"))
    if not kept:
        return "none survives: on these prices no signal can be told from luck well enough to be used"
    survive = f"{kept} survive{'s' if kept == 1 else ''} every bar"
    if run.source.startswith("simulated"):
        return f"{survive}; that what was planted is found says nothing about markets"
    return f"{survive}; that is worth a test on new data, and no proof of alpha"


WORKLOAD = Workload(
    name="investment_signal_prioritization",
    title="Rank signals by evidence that survives multiple testing",
    engine="ray",
    run=run,
)
