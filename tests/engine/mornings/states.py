"""Runs on one morning after the other in one state, runs from nothing beside it, and the tables of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from acceleray.engines.delta.log import table_folder
from acceleray.runtime import kept_work
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.ingest.history import KINDS_OF_HISTORY
from acceleray.tables import ALL, PRICE_FINDINGS, RUN_WORK
from acceleray.tables.contract import Table
from acceleray.testing import SmallProject
from mornings.market import Market, Morning

WORKLOAD = "end_to_end_pipeline"
SMALL = (
    *("market_data.minimum_history_d=400", "market_data.name=mornings", "factors.source=none"),
    *("calibration.window_d=350", "calibration.first_fit_d=350", "calibration.refit_every_d=50"),
    *("calibration.minimum_history_d=250", "simulation.residual_window_d=350", "simulation.scenarios=1000"),
    *("train.folds=2", "train.minimum_train_d=200", "model.rounds=5", "train.shards=1"),
    *("features.horizon_d=5", "book.source=csv"),
    *("backtest.minimum_history_d=350", "backtest.windows_d=[350]", "backtest.null_records=200"),
)
POSITIONS = """portfolio_id,instrument_id,quantity,sector
GROWTH,AAPL,600,Technology
GROWTH,JPM,-150,Financials
GROWTH,WMT,300,Consumer
VALUE,PFE,2000,Health
VALUE,XOM,500,Energy
VALUE,CASH,10000,Cash
INDEX,AAPL,100,Technology
INDEX,XOM,100,Energy
"""
PORTFOLIOS = """portfolio_id,benchmark_id,parent_id
DESK,,
GROWTH,INDEX,DESK
VALUE,INDEX,DESK
INDEX,,
"""
# What is right to differ from a run from nothing, and why. Every other table and column is to be the same.
HISTORY: Mapping[str, str] = {
    "gold.kept_work": "what every run computed",
    "gold.run_work": "what was taken from other runs",
    "gold.run_tables": "versions count the commits before",
    "gold.run_inputs": "names the rows of earlier runs that were read",
    "gold.model_decisions": "the champion before is what a model is compared with",
    "gold.risk_change": "is the change since the run before",
    "gold.risk_reported": "has of a date what differs from what an earlier run reported, restated",
    "gold.realised_pnl": "compares with what was reported for the day before",
    "gold.live_record": "joins what was reported on earlier days",
}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "gold.limit_utilisation": ("as_of_before", "utilisation_before_pct"),
}
# Addresses in MLflow count the versions before.
EVERYWHERE = ("model_uri",)


@dataclass(frozen=True)
class Home:
    """A folder with the prices and the states of one test; runs go through one small project."""

    small: SmallProject
    folder: Path

    def run(self, market: Market, morning: Morning, state: str = "kept", **given: str) -> Run:
        """Run a morning in a state; `given` may name settings, such as `anew="true"`."""
        prices = market.write(self.folder / "prices.csv")
        settings = [*SMALL, f"market_data.path={prices}", *book(self.folder), *morning.settings]
        settings += places(self.folder, state)
        settings += [f"{name}={value}" for name, value in given.items()]
        with other_code(morning.code):
            return self.small.recipe(WORKLOAD, *settings)

    def settings(self, state: str) -> Settings:
        """Return settings that say where a state's tables are."""
        return self.small.settings(*places(self.folder, state))


def book(folder: Path) -> list[str]:
    """Write a book with a parent and a benchmark; return the settings that name its files."""
    (folder / "positions.csv").write_text(POSITIONS, encoding="utf-8")
    (folder / "portfolios.csv").write_text(PORTFOLIOS, encoding="utf-8")
    return [f"book.path={folder / 'positions.csv'}", f"book.portfolios_path={folder / 'portfolios.csv'}"]


def places(folder: Path, state: str) -> list[str]:
    """Return settings of a state's own folder, and own schemas: all share one catalog."""
    ending = hashlib.sha256(f"{folder}{state}".encode()).hexdigest()[:8]
    schemas = [f"catalog.{layer}={layer}_{ending}" for layer in ("bronze", "silver", "gold")]
    return [f"paths.state={folder / state}", *schemas]


@contextmanager
def other_code(mixed: str) -> Iterator[None]:
    """Let what computes results be other code, as a digest of it sees that."""
    made_with = kept_work.made_with

    def mixed_in(*given: Any) -> str:
        return (
            hashlib.sha256((made_with(*given) + mixed).encode()).hexdigest() if mixed else made_with(*given)
        )

    with patch.object(kept_work, "made_with", mixed_in):
        yield


def rows(settings: Settings, table: Table, run: Run) -> pa.Table | None:
    """Return what a run or its source has in a table, without what may differ, by key; None without it."""
    folder = table_folder(settings, table)
    if not folder.exists():
        return None
    content = DeltaTable(str(folder)).to_pyarrow_table()
    if table.scope in content.column_names and table.scope != "kind":
        content = content.filter(pc.equal(content[table.scope], run.scope(table)))
    if table.label == PRICE_FINDINGS.label:
        # They compare with the history that is held, and a run from nothing holds none.
        told = pc.is_in(content["kind"], value_set=pa.array(KINDS_OF_HISTORY))
        content = content.filter(pc.invert(told))
    content = content.sort_by([(name, "ascending") for name in table.key])
    dropped = {*EVERYWHERE, *COLUMNS.get(table.label, ())}
    names = [name for name in table.compared_names if name in content.column_names and name not in dropped]
    return content.select(names).combine_chunks()


def differences(one: Settings, other: Settings, run: Run, tables: tuple[Table, ...] = ALL) -> list[str]:
    """Return in words where two states differ in what a run has, to the last bit."""
    found = []
    for table in tables:
        if table.label in HISTORY:
            continue
        here, there = rows(one, table, run), rows(other, table, run)
        if here is None or there is None:
            if here is not there:
                found.append(f"{table.label} is only in one")
        elif here.num_rows != there.num_rows:
            found.append(f"{table.label} has {here.num_rows} rows and {there.num_rows} from nothing")
        else:
            names = [n for n in here.column_names if bits(here[n]) != bits(there[n])]
            found += [f"{table.label}.{name} differs" for name in names]
    return found


def bits(column: pa.ChunkedArray) -> list[Any]:
    """Return values that are equal if they are the same to the bit: zero has a sign, and NaN is itself."""
    values = column.to_pylist()
    return [value.hex() if isinstance(value, float) else value for value in values]


def work(run: Run, kind: str) -> tuple[int, int]:
    """Return how many results of a kind a run took from earlier ones, and how many it made."""
    account = [row for row in run.rows(RUN_WORK).to_pylist() if row["kind"] == kind]
    taken = sum(row["results"] for row in account if not row["reason"])
    return taken, sum(row["results"] for row in account if row["reason"])
