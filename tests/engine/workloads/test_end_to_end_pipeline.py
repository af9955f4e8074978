"""The whole pipeline on a small slice of real prices, with everything that can go wrong on the way."""

from __future__ import annotations

import csv
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from skfolio.datasets import load_sp500_dataset

from acceleray.engines.processes.cleanup import process_environment
from engines.living import PATIENCE_S, carrying, descendants, gone, living, named
from rendered import TEMPLATE, project
from workloads.keys import broken_keys, stored
from workloads.running import Ran, base, command, commits, environment, fingerprints, finished, read

pytestmark = pytest.mark.ray

SMALL = (
    "market_data.source=csv",
    "market_data.minimum_history_d=800",
    "features.horizon_d=5",
    "train.folds=2",
    "train.minimum_train_d=500",
    "model.rounds=10",
    "simulation.scenarios=5000",
    "book.portfolios=20",
    "calibration.window_d=700",
    "calibration.first_fit_d=700",
    "calibration.refit_every_d=200",
    "simulation.residual_window_d=700",
)
# A model trained data-parallel may differ; this one is not, so every table must be the same to the bit.
DAYS = 900
WORKLOAD = "end_to_end_pipeline"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def prices(home: Path) -> Path:
    return write_prices(home / "somebody else's prices.csv")


@dataclass(frozen=True)
class Killed:
    """A state in which a run was killed, and the next one with one worker went on; and what the kill left."""

    orphans: list[str]
    recovered: Ran


@pytest.fixture(scope="module")
def killed(home: Path, prices: Path) -> Killed:
    state = home / "killed"
    one = settings(prices, state, 1)
    _, orphans = stop_when(one, state, "Build returns and features", signal.SIGKILL)
    return Killed(orphans, finished(command(WORKLOAD, one), state))


@dataclass(frozen=True)
class OnCluster:
    """A run on a cluster with two workers, and the processes that it left over."""

    ran: Ran
    orphans: list[str]


@pytest.fixture(scope="module")
def on_cluster(home: Path, prices: Path) -> OnCluster:
    state = home / "cluster"
    with process_environment({"STORY": str(home)}):
        chosen = command(WORKLOAD, settings(prices, state, 2))
        ran = finished([*chosen, "--profile", "cluster"], state)
    return OnCluster(ran, [named(one) for one in carrying("STORY", str(home)) if not gone([one])])


# A kill is harder; what an interrupted notebook leaves is in test_session.py.
@pytest.mark.nightly
def test_ctrl_c_ends_with_its_own_exit_code_and_leaves_no_process(home: Path, prices: Path) -> None:
    state = home / "interrupted"
    chosen = settings(prices, state, 1)
    interrupted, orphans = stop_when(chosen, state, "Start MLflow, Spark and Ray", signal.SIGINT)
    assert interrupted.code == 130
    assert orphans == []
    assert "Traceback" not in interrupted.error


def test_a_killed_run_leaves_no_process_behind(killed: Killed) -> None:
    assert killed.orphans == []


def test_the_next_run_after_a_kill_succeeds(killed: Killed) -> None:
    assert killed.recovered.code == 0, killed.recovered.error
    assert killed.recovered.report.is_file()


def test_one_worker_after_a_kill_and_a_cluster_give_the_same_bits(
    killed: Killed, on_cluster: OnCluster
) -> None:
    assert on_cluster.ran.code == 0, on_cluster.ran.error
    one, cluster = (fingerprints(ran.state) for ran in (killed.recovered, on_cluster.ran))
    assert len(one) >= 15
    assert one == cluster


def test_a_run_on_a_cluster_says_nothing_but_its_own_lines_and_leaves_nothing(on_cluster: OnCluster) -> None:
    ran = on_cluster.ran
    assert ran.report.is_file()
    # One line for each stage and a few in between; Ray, Spark and MLflow stay quiet.
    assert len(ran.error.strip().splitlines()) < 30, ran.error
    assert "INFO" not in ran.error + ran.out
    assert "WARN" not in ran.error + ran.out
    assert on_cluster.orphans == []
    assert not (ran.state / "cluster").exists()


@pytest.mark.nightly
def test_the_notebook_as_a_script_finds_the_same_bits_with_two_workers_and_writes_nothing(
    killed: Killed, prices: Path
) -> None:
    state = killed.recovered.state
    before = commits(state)
    script = str(TEMPLATE / "notebooks" / "04_end_to_end_pipeline.py")
    chosen = shlex.join(settings(prices, state, 2))
    notebook = finished([sys.executable, script, f"project={project()}", f"set={chosen}"], state)
    assert notebook.code == 0, notebook.error
    # A table whose rows differ from those that are there would have been committed again.
    assert len(before) > 30
    assert commits(state) == before


def test_an_instrument_that_cannot_be_calibrated_keeps_a_row_with_the_reason(killed: Killed) -> None:
    rows = {row["instrument_id"]: row for row in read(killed.recovered.state, "gold.calibration")}
    assert rows["LATE"]["status"] == "proxied"
    assert "fewer than the 500" in rows["LATE"]["reason"]
    assert rows["ENDED"]["status"] == "rejected"
    assert "no return on the last" in rows["ENDED"]["reason"]
    assert {name for name, row in rows.items() if row["status"] == "calibrated"} >= {
        "AAPL",
        "JPM",
        "XOM",
        "WMT",
    }


def test_bad_prices_are_quarantined_with_a_reason_and_counted(killed: Killed) -> None:
    rows = read(killed.recovered.state, "silver.prices_quarantined")
    assert sorted((row["instrument_id"], row["price_text"]) for row in rows) == [
        ("JPM", "-1.5"),
        ("JPM", "0"),
        ("XOM", "gone"),
    ]
    assert all(row["reason"] for row in rows)


def test_contributions_add_up_to_value_at_risk_and_expected_shortfall(killed: Killed) -> None:
    measures = read(killed.recovered.state, "gold.risk_measures")
    parts = read(killed.recovered.state, "gold.risk_contributions")
    key = ("portfolio_id", "measure", "horizon_d")
    totals: dict[tuple[Any, ...], float] = {}
    for row in parts:
        place = tuple(row[name] for name in key)
        totals[place] = totals.get(place, 0.0) + float(row["contribution"])
    # Twenty portfolios, two measures, two horizons; a few hold nothing that has a price.
    assert len(measures) == 80
    priced = [row for row in measures if float(row["value"]) != 0.0]
    assert len(priced) >= 68
    for row in priced:
        assert totals[tuple(row[name] for name in key)] == pytest.approx(float(row["value"]), rel=1e-9)


def test_keys_that_the_catalog_is_told_hold_and_a_lost_or_doubled_row_is_noticed(killed: Killed) -> None:
    rows = stored(killed.recovered.state)
    assert broken_keys(rows) == []
    lost = {**rows, "gold.portfolios": rows["gold.portfolios"].slice(1)}
    assert any("_to_portfolios leads nowhere" in line for line in broken_keys(lost))
    doubled = {**rows, "gold.runs": pa.concat_tables([rows["gold.runs"]] * 2)}
    assert broken_keys(doubled) == [f"gold.runs: {len(rows['gold.runs'])} rows have the key of another"]


def test_every_risk_number_resolves_to_what_made_it(killed: Killed) -> None:
    state = killed.recovered.state
    said = finished([*base("lineage", state), "gold.risk_measures", "portfolio_id=REFERENCE"], state)
    assert said.code == 0, said.error
    for word in ("silver.prices", "gold.calibration", "models:/", "20260101"):
        assert word in said.out


def write_prices(path: Path) -> Path:
    """Write a wide CSV: real prices, one listed late, one ended early, gaps, and three wrong cells."""
    sample = load_sp500_dataset().iloc[-DAYS:]
    wanted = ["AAPL", "JPM", "XOM", "WMT", "KO"]
    values = {name: [repr(float(price)) for price in sample[name]] for name in wanted}
    values["LATE"] = [""] * (DAYS - 120) + [repr(float(price)) for price in sample["PFE"].iloc[-120:]]
    values["ENDED"] = [repr(float(price)) for price in sample["GE"].iloc[:500]] + [""] * (DAYS - 500)
    for day in np.arange(37, DAYS, 211):
        values["KO"][day] = ""
    values["JPM"][400], values["JPM"][401], values["XOM"][500] = "-1.5", "0", "gone"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Date", *values])
        for row, day in enumerate(sample.index):
            writer.writerow([day.date().isoformat(), *(values[name][row] for name in values)])
    return path


def settings(prices: Path, state: Path, workers: int) -> list[str]:
    market_data = (f"market_data.path={prices}", f"market_data.name={prices.stem[:8]}")
    return [*SMALL, *market_data, f"paths.state={state}", f"ray.workers={workers}"]


def stop_when(chosen: list[str], state: Path, line: str, number: int) -> tuple[Ran, list[str]]:
    """Start a run, send a signal after it printed a line, and return what is still alive afterwards."""
    arguments = command(WORKLOAD, chosen)
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        said = ""
        assert process.stderr is not None
        for text in process.stderr:
            said += text
            if line in text:
                break
        time.sleep(1.5)
        family = descendants(process.pid)
        assert any("java" in named(one) for one in family), said
        process.send_signal(number)
        out, error = process.communicate(timeout=2 * PATIENCE_S)
        gone(family)
    left = [named(one) for one in living(family)]
    return Ran(process.returncode, out, said + error, state), left
