"""The sample and its whole illustrative book: a cluster, and one worker, give the bits of a local run."""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads.running import command, fingerprints, finished, read

# The small book of every pull request does this in test_end_to_end_pipeline.py; this is the book of the demo.
pytestmark = [pytest.mark.ray, pytest.mark.nightly]
# Settings that decide how long it takes, and not which code runs.
SMALLER = (
    "simulation.scenarios=5000",
    "train.folds=2",
    "model.rounds=10",
    "calibration.refit_every_d=1000",
)


def test_the_book_of_the_demo_has_the_same_bits_on_a_cluster_and_with_one_worker(tmp_path: Path) -> None:
    found = {}
    for name, more in {
        "local": ("--set", "ray.workers=2"),
        "one": ("--set", "ray.workers=1"),
        "cluster": ("--set", "ray.workers=2", "--profile", "cluster"),
    }.items():
        state = tmp_path / name
        ran = finished(
            [*command("end_to_end_pipeline", [*SMALLER, f"paths.state={state}"]), *more],
            state,
        )
        assert ran.code == 0, ran.error
        found[name] = fingerprints(state)
    held = {row["portfolio_id"] for row in read(tmp_path / "local", "gold.portfolios")}
    assert {"DESK", "GROWTH"} <= held, held
    assert len(found["local"]) >= 15
    assert found["cluster"] == found["local"]
    assert found["one"] == found["local"]
