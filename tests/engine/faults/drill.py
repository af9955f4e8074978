"""A small job with every part of a real one, on which faults are tried: `python drill.py project=DIR`.

Spark commits trades, hands them to Ray, Ray values them, Spark commits the values: one run under the lock,
with MLflow, in the profile of its settings. What the values must be is worked out here in one line of NumPy.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from acceleray.cli.guard import Place, guarded
from acceleray.errors import PortfolioError
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.runtime.workload import Conclusion, Workload, execute
from acceleray.settings import Settings, load
from acceleray.tables.contract import Column, Table, run_columns, source_column

ROWS = 12_000
# A gate is a folder: a few tasks pass, the others wait until it holds this file, but not for ever.
OPEN, PASS_FREELY, GATE_S = "open", 6, 2400.0
TRADES = Table(
    "silver",
    "trades",
    "Invented trades",
    "source",
    ("trade",),
    (
        source_column(),
        Column("trade", "long", "Number"),
        Column("quantity", "double", "Pieces"),
        Column("price", "double", "Price of a piece"),
    ),
)
VALUES = Table(
    "gold",
    "trade_values",
    "Their values",
    "run_id",
    ("run_id", "trade"),
    (*run_columns(), Column("trade", "long", "Number"), Column("value", "double", "Value")),
    (("positive", "value > 0"),),
)


def valued(rows: pa.Table, seed: int, gate: str, fault: str) -> pa.Table:
    """Return the value of each trade; most wait at the gate, if there is one, for what happens meanwhile."""
    if gate:
        _pass(Path(gate), str(rows.column("trade")[0]))
    first = rows.column("trade")[0].as_py() == 0
    if fault == "raises" and first:
        raise ValueError("trade 0 has no counterparty")
    if fault == "never ends" and first:
        time.sleep(3600)
    trade = rows.column("trade").to_numpy()
    value = worth(rows.column("quantity").to_numpy(), rows.column("price").to_numpy(), seed)
    return pa.table({"trade": trade, "value": value})


def _pass(gate: Path, task: str) -> None:
    # Each task is one file, however often it is run.
    (gate / task).touch()
    deadline = time.monotonic() + GATE_S
    while len(list(gate.iterdir())) > PASS_FREELY and not (gate / OPEN).exists():
        if time.monotonic() > deadline:
            raise TimeoutError("nobody opened the gate")
        time.sleep(0.02)


def worth(quantity: np.ndarray, price: np.ndarray, seed: int) -> np.ndarray:
    return np.sqrt(quantity) * price + np.log1p(price) * seed


def expected(seed: int) -> dict[int, float]:
    """Return the value of each trade, worked out without any engine."""
    trade = np.arange(ROWS)
    quantity, price = 1 + trade * 7919 % 1000 / 8, 50 + trade * 104729 % 10007 / 64
    return dict(zip(trade.tolist(), worth(quantity, price, seed).tolist(), strict=True))


def job(gate: str = "", fault: str = "") -> Workload:
    """Return the drill as a workload."""

    def run_it(run: Run) -> Conclusion:
        run.identify("drill", date(2024, 1, 2))
        with run.stage("write", "Write trades"):
            write_trades(run)
        with run.stage("value", "Value trades"):
            value_trades(run, gate, fault)
        return Conclusion((), "", None)

    return Workload("drill", "Drill", "ray", run_it)


def write_trades(run: Run) -> None:
    trade = F.col("id")
    rows = run.lake.spark.range(ROWS).select(
        F.lit(run.source).alias("source"),
        trade.alias("trade"),
        (1 + trade * 7919 % 1000 / 8).alias("quantity"),
        (50 + trade * 104729 % 10007 / 64).alias("price"),
    )
    run.commit(TRADES, rows)


def value_trades(run: Run, gate: str = "", fault: str = "") -> None:
    columns = ("trade", "quantity", "price")
    seed = run.settings.seed
    run.transform(TRADES, columns, valued, VALUES, seed=seed, gate=gate, fault=fault)


def settings_of(project: Path, *overrides: str, **top_level: object) -> Settings:
    """Return the drill's settings: staged, in many small pieces, so that faults find something to hit."""
    sizes = ("hand_off.way=staged", "hand_off.rows_per_task=400", "ray.workers=2", "ray.object_store_mb=80")
    return load(project, overrides=(*sizes, *overrides), **top_level)


def main() -> int:
    """Run the drill once; anything but `project`, `gate` and `fault` is a setting."""
    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    project, gate, fault = Path(given.pop("project")), given.pop("gate", ""), given.pop("fault", "")
    settings = settings_of(project, *(f"{key}={value}" for key, value in given.items()))

    def action() -> int:
        execute(job(gate, fault), settings, Reporter())
        return 0

    try:
        return guarded(action, Place(settings.state_dir))
    except PortfolioError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    # Ray's workers know the functions of a module by its name, and `__main__` is another module there.
    from faults import drill

    sys.exit(drill.main())
