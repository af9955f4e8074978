"""A workload that a customer adds to a generated project is listed, checked like the others, and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import bundle
from conftest import Answers, contents


def environment(project: Path) -> dict[str, str]:
    path = os.pathsep.join([str(project / "src"), str(project / "engine")])
    return os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.nightly
def test_a_workload_of_ones_own_is_clean_listed_and_runs(copied: Callable[[Answers], Path]) -> None:
    project = copied({"workloads": ["portfolio_model_calibration"]})
    before = contents(project)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=project,
            env=os.environ
            | {"PYTHONPATH": f"{project / 'src'}:{project / 'engine'}", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("portfolio", "new-workload", "credit_study")
    after = contents(project)
    assert {path: after[path] for path in before} == before, "files that were there are left alone"
    assert len(after) == len(before) + 5
    assert bundle.problems(project) == []
    run("ruff", "check", "--no-cache", ".")
    run("ruff", "format", "--no-cache", "--check", ".")
    own = ["src/portfolio/workloads/credit_study.py", "src/portfolio/tables/credit_study.py"]
    run("mypy", "--cache-dir", os.devnull, "--follow-imports", "silent", *own)
    assert "credit_study" in run("portfolio", "workloads")
    said = run("portfolio", "run", "credit_study")
    assert "Highest mean daily return" in said
    shown = run("portfolio", "show", "gold.credit_study", "--limit", "3")
    assert "mean_return_1d" in shown


@pytest.mark.parametrize("other", ["end_to_end_pipeline", "risk_stress_testing"])
def test_its_job_is_like_the_others_and_starts_only_when_somebody_says_so(
    other: str, copied: Callable[[Answers], Path]
) -> None:
    project = copied({"workloads": [other]})
    made = subprocess.run(
        [sys.executable, "-m", "portfolio", "new-workload", "credit_study"],
        cwd=project,
        env=os.environ
        | {"PYTHONPATH": f"{project / 'src'}:{project / 'engine'}", "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert made.returncode == 0
    assert bundle.problems(project) == []
    jobs = bundle.data(project)["resources"]["jobs"]
    own, alike = jobs["credit_study"], jobs[other]
    assert set(alike) - set(own) == {"schedule"}
    assert own["job_clusters"] == alike["job_clusters"]
    assert len(own["tasks"]) == len(alike["tasks"])
