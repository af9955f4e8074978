"""Tables, champion and lineage that an earlier release wrote go on working under this engine the next day.

A change of a key, scope or columns since is a line in CHANGED, and of a table that is set aside a case in
CASES; a new key or scope is one in `tables.stored.SCOPE_AND_KEY_UNRECORDED` as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlflow.tracking import MlflowClient

from acceleray.engines.delta.lake import Lake
from acceleray.engines.delta.log import table_folder
from acceleray.settings import Settings
from acceleray.tables import ALL, TRAINING, Column, Table, stored
from acceleray.tables.contract import source_column
from portfolio import PROJECT
from releases import missing_history
from workloads import earlier_release
from workloads.earlier_release import Release, Written, folders, unfinished, written
from workloads.in_process import ask, project, rows, run_recipe
from workloads.running import Ran

pytestmark = pytest.mark.skipif(bool(missing_history()), reason=missing_history() or "all releases are here")

VERSION = "0.2.0"
YESTERDAY, TODAY = date(2022, 12, 27), date(2022, 12, 28)
SMALL = (
    *("train.folds=2", "train.minimum_train_d=300", "train.minimum_rank_ic=-1", "train.checkpoint_rounds=10"),
    *("model.rounds=200", "leakage.maximum_rank_ic=0.9", "book.portfolios=30"),
    *("calibration.window_d=700", "calibration.first_fit_d=900", "simulation.residual_window_d=700"),
    "simulation.scenarios=20000",
)
CHECKPOINTS = "unfinished/training-*/checkpoint_*"
SETTINGS = tuple(part for setting in SMALL for part in ("--set", setting))

# Tables declared otherwise than in that release: what has changed, in words.
CHANGED: Mapping[str, str] = {
    "silver.prices": "adjusted_price, which returns are taken from",
    "gold.returns": "span_d, the risk days that a return spans; what a date is made from, and by which run",
    "gold.features": "what a date is made from, and by which run",
    "gold.backtest_forecasts": "covered_pct_gross, how much of a portfolio is behind a loss",
    "gold.backtest_verdicts": "what the gate asks besides; headline, q_value, coverage",
    "gold.model_decisions": "ends of intervals, and the first day that a search never saw",
    "gold.tuning_evidence": "what was tried, also before; the p-value of the holdout; the last day searched",
    "silver.factors": "sampling, whether a level is a mean of its month",
    **dict.fromkeys(("gold.factor_betas", "gold.factor_covariances"), "first_month and last_month behind it"),
    "gold.stress_scenarios": "distance over the scenario's own horizon, instead of mahalanobis over a month",
    "gold.reverse_stress": "factor_distance and averaged, instead of mahalanobis and scenario",
    "gold.portfolios": "parents, benchmarks, exposures, and what is not in the risk",
    "gold.positions": "type, status, quantity, price and its day, FX rate, market value, exposure, groups",
    "gold.risk_contributions": "parts by price and by currency",
    "gold.risk_measures": "error_of, whose standard error it is",
}
SET_ASIDE: frozenset[str] = frozenset()  # those that cannot evolve


@dataclass(frozen=True)
class Case:
    """A later declaration of a table that the release wrote.

    Attributes:
        name: what the change is.
        now: the table as declared later.
        reason: why the rows are set aside; empty if the table evolves.
        unrecorded: scope and key as the release declared them, where they have changed.
    """

    name: str
    now: Table
    reason: str = ""
    unrecorded: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)


def without(*names: str) -> tuple[Column, ...]:
    return tuple(column for column in TRAINING.columns if column.name not in names)


GPUS = Column("gpus", "long", "GPUs")
ROUNDS = Column("rounds", "long", "Boosting rounds", nullable=True)
_THEN = {TRAINING.label: (TRAINING.scope, TRAINING.key)}
CASES = (
    Case("as it was", TRAINING),
    Case("one column more", replace(TRAINING, columns=(*TRAINING.columns, GPUS))),
    Case("one column less", replace(TRAINING, columns=without("content_sha256"))),
    Case(
        "a column may be NULL",
        replace(TRAINING, columns=(*without("rounds"), Column("rounds", "long", "", nullable=True))),
    ),
    Case(
        "another type",
        replace(TRAINING, columns=(*without("rounds"), Column("rounds", "double", "Boosting rounds"))),
        "its column rounds was long and is now double",
    ),
    Case(
        "another key",
        replace(TRAINING, key=("run_id", "shards")),
        "its key was run_id and is now run_id, shards",
        _THEN,
    ),
    Case(
        "another scope",
        replace(TRAINING, scope="source", key=("source",), columns=(source_column(), *TRAINING.columns)),
        "its scope was run_id and is now source",
        _THEN,
    ),
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release(VERSION, tmp_path_factory.mktemp("release"))


def test_every_table_of_the_release_is_declared_as_then_or_its_change_is_listed(release: Release) -> None:
    now = {table.label: table for table in ALL}
    differ, aside = set(), set()
    for label, then in release.declared().items():
        table = now.get(label)
        if table is None:
            differ.add(label)
            continue
        columns = tuple((column.name, column.type, column.nullable) for column in table.columns)
        if (table.scope, table.key, columns) != (then.scope, then.key, then.columns):
            differ.add(label)
        if (table.scope, table.key) != (then.scope, then.key):
            assert stored.SCOPE_AND_KEY_UNRECORDED.get(label) == (then.scope, then.key), label
        if stored.misfit(table, then.stored):
            aside.add(label)
    assert (differ, aside) == (set(CHANGED), SET_ASIDE)


@dataclass(frozen=True)
class Evening:
    """What the release has left in the state folder of a home: a champion, and a training that was killed."""

    home: Path
    trained: Ran
    run_id: str
    unfinished: list[str]
    before: dict[str, Written]

    @property
    def state(self) -> Path:
        return self.home / "state"


@dataclass(frozen=True)
class Morning:
    """What this engine said the next morning: commands that look, two runs, and maintenance."""

    looked: dict[str, Ran]
    scored: Ran
    trained: Ran
    maintained: Ran


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory, spark: Any, release: Release) -> Evening:
    home = tmp_path_factory.mktemp("runs")
    folder, state = project(home), home / "state"
    today = earlier_release.leave_out_the_last_day(home / "prices.csv")
    train = ("run", "distributed_training", *SETTINGS)
    # One process trains the champion: what follows asks for a model of two, with checkpoints.
    then = release.run(folder, state, *train, "--set", "train.shards=1")
    assert then.code == 0, then.error
    (run_id,) = {row["run_id"] for row in rows(spark, then, "gold.runs")}
    (home / "prices.csv").write_text(today, encoding="utf-8")
    release.killed(folder, state, CHECKPOINTS, *train)
    shutil.copytree(folders(state)["gold.training"], home / "training")
    before = {name: written(where) for name, where in folders(state).items()}
    return Evening(home, then, run_id, unfinished(state), before)


@pytest.fixture(scope="module")
def morning(evening: Evening, spark: Any) -> Morning:
    home = evening.home
    commands = (
        ("models",),
        ("tables",),
        ("show", "gold.training"),
        ("lineage", "gold.training", f"run_id={evening.run_id}"),
        ("lineage", "silver.prices", "instrument_id=AAPL"),
    )
    looked = {" ".join(command[:2]): ask(home, spark, *command) for command in commands}
    scored = run_recipe("batch_inference", home, spark, *SMALL)
    trained = run_recipe("distributed_training", home, spark, *SMALL)
    return Morning(looked, scored, trained, ask(home, spark, "maintain"))


@pytest.mark.ray
@pytest.mark.nightly
class TestTheNextMorning:
    """What is asked of the state that the release has left."""

    def test_the_release_promoted_a_champion_and_left_work_unfinished(self, evening: Evening) -> None:
        assert "promoted" in evening.trained.out
        assert [name for name in evening.unfinished if name.startswith("training")]

    def test_commands_that_look_answer_before_any_run(self, evening: Evening, morning: Morning) -> None:
        for command, said in morning.looked.items():
            assert said.code == 0, (command, said.error)
            assert "is read by Spark" not in said.error, command
        assert "promoted" in morning.looked["models"].out
        (line,) = [one for one in morning.looked["tables"].out.splitlines() if "gold.training " in one]
        assert line.split()[1] == "1"
        assert evening.run_id in morning.looked["show gold.training"].out
        lines = morning.looked["lineage gold.training"].out.splitlines()
        assert lines[0] == f"Run {evening.run_id}"
        (version,) = [one for one in lines if one.startswith("  Code version")]
        engine, _, _ = PROJECT.code_version().partition("-")
        assert version.endswith(f"  (the current engine is another, {engine}; src/portfolio differs too)")
        assert morning.looked["lineage silver.prices"].out.startswith("Load ")

    def test_its_champion_scores_the_new_day(self, morning: Morning, spark: Any) -> None:
        assert morning.scored.code == 0, morning.scored.error
        assert f"version 1, since {YESTERDAY}" in morning.scored.out
        found = rows(spark, morning.scored, "gold.predictions")
        assert {row["feature_date"] for row in found} == {TODAY}
        assert {row["model_uri"].rsplit("/", 1)[1] for row in found} == {"1"}

    def test_a_new_model_goes_on_from_its_checkpoint_and_is_compared_with_its_champion(
        self, evening: Evening, morning: Morning, spark: Any
    ) -> None:
        assert morning.trained.code == 0, morning.trained.error
        assert "training resumed from round " in morning.trained.error
        assert unfinished(evening.state) == []
        decided = {row["model_version"]: row for row in rows(spark, morning.trained, "gold.model_decisions")}
        assert sorted(decided) == [1, 2]
        assert (decided[1]["run_id"], decided[1]["effective_from"]) == (evening.run_id, YESTERDAY)
        assert decided[2]["compared_with"] == 1
        # The same data, settings and seed, in one process: a checkpoint of the release changes no bit.
        (fit,) = [r for r in rows(spark, morning.trained, "gold.training") if r["run_id"] != evening.run_id]
        assert fit["resumed_from"] >= 10
        assert fit["single_process_difference"] == 0.0

    @pytest.mark.usefixtures("morning")
    def test_its_rows_are_what_they_were_and_none_is_there_twice(self, evening: Evening) -> None:
        assert len(evening.before) > 8
        keys = {table.label: (table.scope, table.key) for table in ALL}
        for label, where in folders(evening.state).items():
            assert label in keys, "nothing was set aside"
            scope, key = keys[label]
            assert earlier_release.duplicates(where, key) == 0, label
            if label not in evening.before:
                continue
            before = evening.before[label]
            # Rows of a source are replaced each morning; a run reads the version that it has pinned.
            assert written(where, before.version) == before, label
            if scope == "run_id":
                had = earlier_release.columns_at(where, before.version)
                then, now = (written(where, at, {evening.run_id}, had) for at in (before.version, None))
                assert (now.rows, now.digest) == (then.rows, then.digest), label

    def test_maintenance_and_mlflow_go_on_with_what_is_there(
        self, evening: Evening, morning: Morning, spark: Any
    ) -> None:
        assert morning.maintained.code == 0, morning.maintained.error
        for label in evening.before:
            assert label in morning.maintained.out
        (row,) = [r for r in rows(spark, morning.scored, "gold.runs") if r["run_id"] == evening.run_id]
        store = MlflowClient(tracking_uri=f"sqlite:///{evening.state}/mlflow/mlflow.db")
        found = store.get_run(row["mlflow_run_id"])
        assert found.info.status == "FINISHED"
        assert found.data.tags["run_id"] == evening.run_id

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_a_later_declaration_evolves_its_table_or_sets_it_aside(
        self,
        case: Case,
        evening: Evening,
        spark: Any,
        new_settings: Callable[[], Callable[..., Settings]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        settings = new_settings()()
        place, said = table_folder(settings, TRAINING), []
        shutil.copytree(evening.home / "training", place)
        monkeypatch.setattr(stored, "SCOPE_AND_KEY_UNRECORDED", case.unrecorded)
        lake = Lake(spark, settings, said.append)
        value: Mapping[str, object] = {"string": "x", "long": 1, "double": 1.0, "date": TODAY}
        row = {column.name: value[column.type] for column in case.now.columns} | {case.now.scope: "new"}
        lake.commit(case.now, pa.Table.from_pylist([row], schema=case.now.arrow_schema), "new")
        assert lake.read(case.now, "new").toArrow().to_pylist() == [row]
        aside = f"{TRAINING.label}_set_aside_1"
        assert said == ([f"{TRAINING.label} is set aside as {aside}: {case.reason}"] if case.reason else [])
        assert lake.read(case.now).count() == (1 if case.reason else 2)
        there = place.with_name(aside.partition(".")[2]) if case.reason else place
        now = written(there, run_ids={evening.run_id}, columns=TRAINING.column_names)
        before = evening.before[TRAINING.label]
        assert (now.rows, now.digest) == (before.rows, before.digest)
