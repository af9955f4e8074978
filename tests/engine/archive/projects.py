"""A project as a customer has it: engine, recipes and settings in one folder, and its own commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from acceleray.stages.ingest.shipped import sample_prices
from rendered import ENGINE, TEMPLATE

DAYS = 1250
BASE = """
project: {name: tests, customer: Tests}
market_data: {source: csv, path: prices.csv, minimum_history_d: 800}
factors: {source: none}
book: {portfolios: 8}
spark: {cores: 2, driver_memory: 1g, shuffle_partitions: 1}
ray: {workers: 2, object_store_mb: 128}
calibration: {window_d: 700, first_fit_d: 900}
model: {rounds: 10}
train: {folds: 2, minimum_train_d: 300, minimum_rank_ic: -1}
leakage: {maximum_rank_ic: 0.9}
tune:
  {trials: 3, maximum_rounds: 10, chunk_rounds: 5, parallel_trials: 2, folds: 2, minimum_train_d: 300,
   holdout_d: 150}
signals: {horizons_d: [5, 21], replications: 200}
simulation: {scenarios: 5000, residual_window_d: 700}
stress: {scenarios: 5000}
backtest: {minimum_history_d: 700, windows_d: [700], null_records: 200}
"""


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    error: str

    def named(self, name: str) -> str:
        """Return what follows a name at the beginning of a line of its output, or in it."""
        found = re.search(rf"^{name}: (.*)$", self.out, re.MULTILINE)
        assert found, (self.out, self.error)
        return found[1]


@dataclass(frozen=True)
class Project:
    """A project in a folder."""

    folder: Path

    def command(self, *arguments: str) -> Said:
        """Run a `portfolio` command with the project's own engine and recipes."""
        roots = (self.folder / "src", self.folder / "engine")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, roots)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "portfolio", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def run(self, workload: str, *arguments: str) -> str:
        """Run a workload and return its run_id, which stands in the name of its report."""
        said = self.command("run", workload, *arguments)
        assert said.code == 0, said.error
        return Path(said.named("Report")).stem.rpartition("-")[2]

    def deliver(self, days_left: int) -> None:
        """Let the vendor write the prices, all but those of the last days."""
        sample = sample_prices().iloc[-DAYS : -days_left or None][["AAPL", "JPM", "PFE", "WMT", "XOM"]]
        sample.index = sample.index.strftime("%Y-%m-%d")
        sample.to_csv(self.folder / "prices.csv", index_label="date", lineterminator="\n")

    def edit(self, module: str, right: str, wrong: str) -> None:
        """Change a line of the project's engine, as an update would."""
        change(self.folder / "engine", module, right, wrong)


def change(engine: Path, module: str, right: str, wrong: str) -> None:
    path = engine / "acceleray" / module
    text = path.read_text(encoding="utf-8")
    assert text.count(right) == 1
    path.write_text(text.replace(right, wrong), encoding="utf-8")


def make(folder: Path) -> Project:
    """Return a new project, its prices two days short."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ENGINE, folder / "engine", ignore=ignored)
    shutil.copytree(TEMPLATE / "src", folder / "src", ignore=ignored)
    (folder / "conf").mkdir()
    for name in ("stress.yml", "limits.yml"):
        shutil.copy(TEMPLATE / "conf" / name, folder / "conf")
    (folder / "conf" / "base.yml").write_text(BASE, encoding="utf-8")
    (folder / "conf" / "local.yml").write_text("profile: local\n", encoding="utf-8")
    made = Project(folder)
    made.deliver(2)
    return made
