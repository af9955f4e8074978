"""The examples of docs/extending.md, added to a fresh project, are clean, and one run uses all of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import hashes
from acceleray_cli import quick
from acceleray_cli.cli import main
from releases import git, missing_history, release_as_next
from render import render
from updating import append, commit, generate

INSTRUMENTS, DAYS = 6, 700
SMALL = (
    "market_data.source=vault",
    "market_data.minimum_history_d=300",
    "calibration.minimum_history_d=300",
    "calibration.first_fit_d=600",
    "calibration.window_d=500",
    # The prices are a random walk: what a GARCH model finds in them lies at its bounds.
    "calibration.minimum_converged_share=0",
    "calibration.maximum_at_bound_share=1",
    "calibration.maximum_drifted_share=1",
    "signals.replications=50",
    "signals.horizons_d=[5,21]",
    "spark.cores=2",
    "ray.workers=2",
)
BLOCK = re.compile(r"```python\n# (src/portfolio/\S+\.py)\n(.*?)```", re.DOTALL)
LOOKS_AHEAD = """
import numpy as np

from acceleray.extend import Signal


def tomorrow(prices):
    return np.roll(prices[:, -1], -1) / prices[:, -1] - 1.0


SIGNALS = (Signal("oracle", "prices", 2, tomorrow, "the return of tomorrow", "nobody"),)
"""


@pytest.fixture(scope="module")
def extended(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh project with all examples of the page and the prices that they read."""
    with quick.writing():
        answers = {"workloads": ["investment_signal_prioritization"]}
        project = render(template, tmp_path_factory.mktemp("extended") / "project", answers)
    extend(project)
    return project


def extend(project: Path) -> None:
    """Write all examples of the page, and the prices that they read, into a project."""
    for name, text in examples(project).items():
        (project / name).write_text(text, encoding="utf-8")
    prices(project / "data/vault")


def examples(project: Path) -> dict[str, str]:
    """Return the files that docs/extending.md shows, by their place in the project."""
    found = BLOCK.findall((project / "docs/extending.md").read_text(encoding="utf-8"))
    return dict(found)


def prices(folder: Path) -> None:
    """Write Parquet files of prices as a vault would deliver them; one of them is no price."""
    steps = np.random.default_rng(5).standard_t(5, (DAYS, INSTRUMENTS)) * 0.01
    values = 100.0 * np.exp(steps.cumsum(axis=0))
    values[100, 2] = -1.0
    days = np.datetime64("2020-01-01") + np.arange(DAYS)
    folder.mkdir(parents=True)
    table = pa.table(
        {
            "instrument_id": [f"N{number}" for number in range(INSTRUMENTS)] * DAYS,
            "date": pa.array(np.repeat(days, INSTRUMENTS), pa.date32()),
            "price": values.ravel(),
        }
    )
    pq.write_table(table, folder / "part-0.parquet")


def command(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the project's environment in the project."""
    path = os.pathsep.join([str(project / "engine"), str(project / "src")])
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def said(project: Path, *arguments: str) -> str:
    """Return what a command that succeeds prints."""
    done = command(project, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_and_look(project: Path) -> str:
    """Run the workload of the page, look at what each extension did, and return the run's own lines."""
    overrides = [part for setting in SMALL for part in ("--set", setting)]
    printed = said(project, "portfolio", "run", "vault_study", *overrides)
    assert re.search(r"Quarantined prices\s+1\b", printed), "the source's prices are judged"
    ranked = said(project, "portfolio", "show", "gold.signal_ranks", "--where", "signal_id = 'up_days_3m'")
    assert ranked.count("up_days_3m") == 2, "the signal is judged at both horizons"
    gate = said(project, "portfolio", "show", "gold.calibration_gate", "--where", "check_name = 'fat_tails'")
    assert "most instruments have fat tails: yes" in gate
    traced = said(project, "portfolio", "lineage", "gold.strongest_signals", "horizon_d=21")
    assert "vault_study" in traced
    assert re.search(r"^ *Prices +vault$", traced, re.MULTILINE)
    assert re.search(r"gold\.strongest_signals +\S+", said(project, "portfolio", "tables"))
    (report,) = (project / "var/reports").glob("vault_study-*.html")
    page = report.read_text(encoding="utf-8")
    assert '<a href="#own-strongest">Strongest signals</a>' in page
    assert "The signal with the largest t statistic at each horizon." in page
    return printed


@pytest.mark.nightly
def test_one_run_uses_every_extension_of_the_page(extended: Path) -> None:
    run_and_look(extended)


@pytest.mark.nightly
@pytest.mark.skipif(bool(missing_history()), reason=missing_history() or "all releases are here")
def test_after_an_update_of_the_engine_one_run_uses_every_extension_again(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone, module, remark = tmp_path / "source", "engine/acceleray/errors.py", "# Of the next release.\n"
    git(tmp_path, "clone", "--quiet", str(source), str(clone))
    project = generate(clone, tmp_path / "our project ü", workloads=["investment_signal_prioritization"])
    extend(project)
    commit(project)
    own = examples(project)
    append(f"template/{module}", remark).do(clone)
    hashes.write(clone / "template/engine")
    release_as_next(clone, "10000")
    assert main(["update", str(project), "--to", "10000"]) == 0, capsys.readouterr().err
    assert (project / module).read_text(encoding="utf-8").endswith(remark)
    assert {name: (project / name).read_text(encoding="utf-8") for name in own} == own
    run_and_look(project)


def test_the_page_shows_every_extension_point_and_its_examples_are_clean(extended: Path) -> None:
    assert set(examples(extended)) == {
        "src/portfolio/signals.py",
        "src/portfolio/sources.py",
        "src/portfolio/gates.py",
        "src/portfolio/sections.py",
        "src/portfolio/tables/strongest.py",
        "src/portfolio/workloads/vault_study.py",
    }
    said(extended, "ruff", "check", "--no-cache", "src")
    said(extended, "ruff", "format", "--no-cache", "--check", "src")
    said(extended, "mypy", "--cache-dir", os.devnull, "--follow-imports", "silent", *examples(extended))
    dictionary = said(extended, "portfolio", "dictionary")
    assert "| up_days_3m | double | rank -0.5..0.5 | share of the last 63 returns that are" in dictionary
    assert "## gold.strongest_signals" in dictionary
    assert "vault_study" in said(extended, "portfolio", "workloads")


def refused(project: Path, name: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run the workload with other text in one file of the project, which is then as it was."""
    file = project / "src/portfolio" / name
    before = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    try:
        return command(project, "portfolio", "run", "vault_study", "--set", "market_data.source=vault")
    finally:
        file.write_text(before, encoding="utf-8")


def test_a_signal_that_looks_ahead_ends_the_run_in_one_line_before_engines_start(extended: Path) -> None:
    done = refused(extended, "signals.py", LOOKS_AHEAD)
    assert "Start MLflow" not in done.stdout
    assert (done.returncode, done.stderr) == (
        2,
        "Error: Signal 'oracle' of src/portfolio/signals.py looks ahead: its value on a day changes when "
        "later prices change; compute each row from its own window alone.\n",
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("signals.py", "SIGNALS = nothing", "src/portfolio/signals.py cannot be imported: NameError: name"),
        ("signals.py", "SIGNAL = ()", "src/portfolio/signals.py has no list SIGNALS; an empty one is"),
        ("gates.py", "GATES = [1]", "Number 1 of the list in src/portfolio/gates.py is a int; list objects"),
        ("sources.py", "SOURCES = ()", "There is no price source 'vault'; market_data.source can be sample,"),
        # The same words as of signals.py.
        pytest.param(
            "sections.py",
            "SECTIONS = 3",
            "src/portfolio/sections.py has no list SECTIONS; an empty one is",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_declaration_that_cannot_be_used_ends_the_run_in_one_line(
    name: str, text: str, message: str, extended: Path
) -> None:
    done = refused(extended, name, text)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"Error: {message}")
    assert done.stderr.count("\n") == 1
