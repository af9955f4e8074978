"""Hash the rows of every table of all seven workloads, to show that a change of code moves no number.

`run` runs the workloads of a rendered project on two universes in a fresh state folder and writes the hashes.
`read` hashes the tables of a state folder that `run --state` kept.
`compare` names the tables and columns that differ.

Hashes are comparable between runs on one machine, with the same libraries and settings.
Nothing of the project is imported, so its packages may have any name.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

# In this order: the first makes a champion, the second challenges it, and batch inference uses the winner.
WORKLOADS = (
    "end_to_end_pipeline",
    "distributed_training",
    "batch_inference",
    "portfolio_model_calibration",
    "risk_stress_testing",
    "hyperparameter_tuning",
    "investment_signal_prioritization",
)
# Small enough for two cores, large enough for rows in every table that these universes can fill.
_BOTH = (
    "book.portfolios=50",
    "simulation.scenarios=20000",
    "stress.scenarios=50000",
    "tune.trials=8",
    "tune.maximum_rounds=100",
    "signals.replications=200",
)
UNIVERSES: dict[str, tuple[str, ...]] = {
    "sample": _BOTH,
    "simulated": (
        *_BOTH,
        "market_data.source=simulated",
        "universe.instruments=30",
        "universe.days=1500",
        "tune.minimum_train_d=500",
        "tune.holdout_d=300",
        "train.minimum_train_d=500",
    ),
}
# Columns that decide no number, each with the reason; `layer.table.column` means that table's column alone.
EXCLUDED = {
    "code_version": "hash of the source files",
    "decided_at": "time of writing",
    "finished_at": "time of writing",
    "fit_s": "seconds",
    "fingerprint": "hash of rows that contain run ids and addresses; the rows themselves are hashed here",
    "load_id": "hash of the received prices, whose text is hashed in bronze.prices_received",
    "loaded_at": "time of writing",
    "mlflow_run_id": "random id",
    "model_name": "name in the model registry, part of a model's address",
    "model_uri": "address of a model",
    "resumed_from": "whether the fit was interrupted",
    "single_process_s": "seconds",
}
# A run id depends on the code, so the workload that this table gives for it takes its place everywhere.
RUNS = "gold.runs"


def run(arguments: argparse.Namespace) -> int:
    """Run every workload on every universe, and write the hashes of all tables."""
    project = arguments.project.resolve()
    if arguments.state and arguments.state.exists():
        raise SystemExit(f"{arguments.state} exists; --state wants a new folder.")
    with tempfile.TemporaryDirectory(prefix="hashes-") as scratch:
        state = (arguments.state or Path(scratch)).resolve()
        started = time.monotonic()
        for universe, sizes in UNIVERSES.items():
            chosen = [f"{arguments.state_key}={state / universe}", *sizes, *arguments.set]
            for workload in WORKLOADS:
                _run_workload(project, workload, state / f"{universe}-{workload}.log", universe, chosen)
        print(f"All workloads took {(time.monotonic() - started) / 60:.1f} minutes.")
        arguments.state = state
        return read(arguments)


def read(arguments: argparse.Namespace) -> int:
    """Write the hashes of all tables in a state folder that `run --state` kept."""
    found = {universe: hashes(arguments.state / universe) for universe in UNIVERSES}
    arguments.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for universe, tables in found.items():
        rows = sum(table["rows"] for table in tables.values())
        empty = ", ".join(label for label, table in tables.items() if not table["rows"])
        print(f"{universe}: {len(tables)} tables, {rows:,} rows; without rows: {empty or 'none'}")
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Print each table that differs or is missing; return 1 if there is one."""
    one, other = (json.loads(path.read_text(encoding="utf-8")) for path in (arguments.one, arguments.other))
    lines: list[str] = []
    count = 0
    for universe in sorted(one.keys() | other.keys()):
        left, right = one.get(universe, {}), other.get(universe, {})
        count += len(left)
        for label in sorted(left.keys() | right.keys()):
            if label not in left or label not in right:
                lacks = arguments.other if label in left else arguments.one
                lines.append(f"{universe} {label}: missing in {lacks}")
            elif left[label] != right[label]:
                lines.append(f"{universe} {label}: {_difference(left[label], right[label])}")
    print("\n".join(lines) or f"{count} tables of {len(one)} universes are equal")
    return 1 if lines or not count else 0


def hashes(state: Path) -> dict[str, dict[str, Any]]:
    """Return rows, hash and hashes of columns of each Delta table below a folder, by layer.table."""
    logs = sorted(state.rglob("_delta_log"))
    tables = {f"{log.parent.parent.name}.{log.parent.name}": log.parent for log in logs}
    runs = DeltaTable(tables[RUNS]).to_pyarrow_table(columns=["run_id", "workload"]).to_pylist()
    names = {str(row["run_id"]): str(row["workload"]) for row in runs}
    return {
        label: table_hash(label, DeltaTable(folder).to_pyarrow_table(), names)
        for label, folder in tables.items()
    }


def table_hash(label: str, table: pa.Table, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the number of rows, the hash of the table, and that of each column in one order of rows.

    Rows are sorted by all columns in the order of the table, the key first: a difference in another column
    leaves each row where it is. `names` is the workload of each run id, which takes the place of the id.
    """
    kept = [name for name in table.column_names if not {name, f"{label}.{name}"} & EXCLUDED.keys()]
    rows = pa.table({name: _comparable(table[name], names) for name in kept})
    rows = rows.sort_by([(name, "ascending") for name in kept]) if rows.num_rows else rows
    columns = {name: _column_hash(rows[name], table.schema.field(name).type) for name in kept}
    whole = hashlib.sha256(json.dumps([rows.num_rows, columns], sort_keys=True).encode()).hexdigest()
    return {"rows": rows.num_rows, "hash": whole, "columns": columns}


def _run_workload(project: Path, workload: str, log: Path, universe: str, settings: Sequence[str]) -> None:
    """Run one workload with its output in a file; stop with the end of the file if it fails."""
    folders = [project / "src", project / "engine"]
    path = os.pathsep.join(str(folder) for folder in folders if folder.is_dir())
    command = [sys.executable, "-m", "portfolio", "run", workload]
    command += [part for setting in settings for part in ("--set", setting)]
    print(f"{universe}: {workload} ...", end=" ", flush=True)
    started = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(command, cwd=project, env=environment, stdout=file, stderr=subprocess.STDOUT)
    print(f"{time.monotonic() - started:.0f} s", flush=True)
    if done.returncode:
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]))
        raise SystemExit(f"{workload} ended with exit code {done.returncode}.")


def _difference(left: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    one, other = left["columns"], right["columns"]
    found = {
        "columns differ": [name for name in one if name in other and one[name] != other[name]],
        "columns only in the first": [name for name in one if name not in other],
        "columns only in the second": [name for name in other if name not in one],
    }
    parts = [f"{words}: {', '.join(columns)}" for words, columns in found.items() if columns]
    return "; ".join([f"{left['rows']} and {right['rows']} rows", *parts])


def _comparable(column: pa.ChunkedArray, names: Mapping[str, str]) -> pa.Array:
    """Return a column as int64 or text with the same equality and a total order: floats by their bits."""
    array = column.combine_chunks()
    kind = array.type
    if pa.types.is_float64(kind):
        return array.view(pa.int64())
    if pa.types.is_date32(kind):
        array, kind = array.view(pa.int32()), pa.int32()
    if pa.types.is_boolean(kind) or pa.types.is_signed_integer(kind) or pa.types.is_timestamp(kind):
        return array.cast(pa.int64())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        text = array.cast(pa.large_string())
        ids = pa.array(list(names), pa.large_string())
        workloads = pa.array(list(names.values()), pa.large_string())
        return pc.coalesce(workloads.take(pc.index_in(text, ids)), text)
    values = array.to_pylist()
    return pa.array([None if value is None else _text(value) for value in values], pa.large_string())


def _text(value: Any) -> str:
    """Return a nested, binary or decimal value as text, floats by their bits."""
    if isinstance(value, float):
        return struct.pack(">d", value).hex()
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{name!r}:{_text(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_text(inner) for inner in value)}]"
    return repr(value)


def _column_hash(column: pa.ChunkedArray, kind: pa.DataType) -> str:
    """Return the SHA-256 of a column's type, which values are missing, and the values."""
    family = "text" if "string" in str(kind) and not pa.types.is_nested(kind) else str(kind)
    digest = hashlib.sha256(f"{family}\0".encode())
    digest.update(column.is_valid().to_numpy().tobytes())
    if pa.types.is_int64(column.type):
        digest.update(column.fill_null(0).to_numpy().astype("<i8").tobytes())
    else:
        texts = [text.encode() for text in column.fill_null("").to_pylist()]
        digest.update(json.dumps([len(text) for text in texts]).encode())
        digest.update(b"".join(texts))
    return digest.hexdigest()


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    ran = commands.add_parser("run", help="run all workloads of a project and write the hashes")
    ran.add_argument("project", type=Path)
    ran.add_argument("output", type=Path)
    ran.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="for every run")
    ran.add_argument("--state", type=Path, help="new folder in which to keep the tables; default: none")
    ran.add_argument("--state-key", default="paths.state", help="setting for the state folder")
    ran.set_defaults(do=run)
    for name, do, paths, words in (
        ("read", read, ("state", "output"), "write the hashes of tables that `run --state` kept"),
        ("compare", compare, ("one", "other"), "name the tables and columns that differ"),
    ):
        command = commands.add_parser(name, help=words)
        for path in paths:
            command.add_argument(path, type=Path)
        command.set_defaults(do=do)
    arguments = parser.parse_args()
    return int(arguments.do(arguments))


if __name__ == "__main__":
    sys.exit(main())
