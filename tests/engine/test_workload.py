"""What happens around a workload, with real Spark and Delta; Ray and MLflow are stood in for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from acceleray.engines.delta.upkeep import needs_upkeep
from acceleray.errors import PortfolioError
from acceleray.runtime import session as module
from acceleray.runtime.notebook import show_rows
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload, execute
from acceleray.settings import Settings
from acceleray.tables import HOLDINGS
from acceleray.tables.contract import Column, Table, run_columns, source_column

SEEDS = Table(
    "gold",
    "seeds",
    "A row a run",
    "run_id",
    ("run_id",),
    (*run_columns(), Column("drawn", "long", "Seed")),
)
FIXED = Table(
    "silver", "fixed", "Always the same", "source", ("n",), (source_column(), Column("n", "long", "N"))
)


def run_it(run: Run) -> Conclusion:
    run.identify("load", date(2024, 1, 2))
    with run.stage("write", "Write"):
        run.commit(FIXED, pa.table({"n": [1, 2]}))
        run.commit(SEEDS, pa.table({"drawn": [run.settings.seed]}))
    return Conclusion((), "", None)


WRITING = Workload("writing", "Writing", "spark", run_it)


@pytest.fixture
def said(
    make_run: Callable[..., Run],
    settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Return a function that executes the workload with overrides and returns what it said."""
    given = make_run()

    @contextmanager
    def engines(chosen: Settings) -> Iterator[Any]:
        yield given.lake.spark, given.fan_out

    @contextmanager
    def tracked_run(chosen: Settings, name: str) -> Iterator[Any]:
        yield given.tracker

    monkeypatch.setattr(module, "engines", engines)
    monkeypatch.setattr(module, "tracked_run", tracked_run)

    def once(*overrides: str) -> str:
        capsys.readouterr()
        execute(WRITING, settings(*overrides), Reporter(Console(stderr=True, width=200)))
        return capsys.readouterr().err

    return once


@pytest.mark.nightly
def test_a_run_compacts_what_it_wrote_once_that_has_too_many_files(
    said: Callable[..., str], settings: Callable[..., Settings], make_run: Callable[..., Run]
) -> None:
    few = ("maintenance.optimize_above_files=3", "maintenance.vacuum_after_h=0")
    told = [said(f"seed={seed}", *few) for seed in range(5)]
    assert "Compact tables" not in told[0]
    assert any("Compact tables" in one for one in told)
    folder = settings().state_dir / "warehouse"
    (seeds,) = folder.glob("gold*/seeds")
    assert len(list(seeds.glob("*.parquet"))) <= 4
    # Written once, never again.
    (fixed,) = folder.glob("silver*/fixed")
    assert "VACUUM" not in "".join(path.read_text("utf-8") for path in fixed.glob("_delta_log/*.json"))


def test_a_run_that_changes_nothing_looks_at_no_table(
    said: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said("seed=1")
    asked: list[str] = []

    def noted(lake: Any, table: Table) -> bool:
        asked.append(table.label)
        return needs_upkeep(lake, table)

    monkeypatch.setattr(module, "needs_upkeep", noted)
    said("seed=1")
    assert asked == []
    said("seed=2")
    assert asked == [SEEDS.label]


@pytest.mark.nightly
def test_a_table_that_cannot_be_compacted_makes_no_failure_of_a_run_that_is_done(
    said: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(lake: Any, table: Table) -> None:
        raise RuntimeError("the disk is odd today\nat line 1")

    monkeypatch.setattr(module, "needs_upkeep", refuses)
    line = said("seed=1").splitlines()[-1]
    assert line == "    tables were not compacted: the disk is odd today"


def test_only_a_workload_that_fits_models_wants_the_gpu_of_the_settings(
    said: Callable[..., str], settings: Callable[..., Settings]
) -> None:
    assert said("model.device=cuda")
    fitting = replace(WRITING, fits=True)
    with pytest.raises(PortfolioError, match=r"model\.device is cuda but"):
        execute(fitting, settings("model.device=cuda"), Reporter(Console(quiet=True)))


def test_a_notebook_that_shows_a_table_without_rows_does_not_make_it(
    make_run: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run()
    show_rows(run, HOLDINGS, "portfolio_id", "weight")
    assert capsys.readouterr().out.splitlines()[-1] == "No rows of silver.holdings: this run wrote none."
    assert not run.lake.exists(HOLDINGS)
