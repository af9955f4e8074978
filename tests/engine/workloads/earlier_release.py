"""A project of an earlier release, taken from git: its declarations, and runs of its own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from acceleray.tables.stored import CONTRACT_PROPERTY, Stored
from releases import released
from rendered import ROOT
from workloads.running import Ran, environment

_DECLARED = """
import json
from portfolio.tables import ALL, CONTRACT_VERSION
tables = {
    t.label: {"scope": t.scope, "key": t.key, "columns": [(c.name, c.type, c.nullable) for c in t.columns]}
    for t in ALL
}
print(json.dumps([CONTRACT_VERSION, tables]))
"""


@dataclass(frozen=True)
class Declared:
    """A table as a release declared it."""

    scope: str
    key: tuple[str, ...]
    columns: tuple[tuple[str, str, bool], ...]
    contract: int

    @property
    def stored(self) -> Stored:
        """Return what Delta knows of such a table; 0.2.0 recorded neither its scope nor its key."""
        columns = {name: (kind, nullable) for name, kind, nullable in self.columns}
        return Stored(columns, {CONTRACT_PROPERTY: str(self.contract)})


class Release:
    """An earlier release, unpacked."""

    def __init__(self, version: str, folder: Path) -> None:
        """Unpack its rendered project, all seven workloads, into an empty folder."""
        archive = ["git", "archive", "--format=tar", released()[version], "reference"]
        taken = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=taken, check=True)
        self.version, self._source = version, folder / "reference" / "src"

    def declared(self) -> dict[str, Declared]:
        """Return what the release declared, by table."""
        said = subprocess.run(
            [sys.executable, "-c", _DECLARED],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        contract, tables = json.loads(said.stdout)
        return {
            label: Declared(
                one["scope"],
                tuple(one["key"]),
                tuple((name, kind, nullable) for name, kind, nullable in one["columns"]),
                contract,
            )
            for label, one in tables.items()
        }

    def run(self, project: Path, state: Path, *command: str) -> Ran:
        """Run a command of the release on a project's settings and state."""
        done = subprocess.run(
            self._command(project, command),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr, state)

    def killed(self, project: Path, state: Path, left: str, *command: str) -> None:
        """Start a command of the release, and kill it when it has left two files or folders of a pattern."""
        said = state.parent / "killed.txt"
        with (
            said.open("w", encoding="utf-8") as log,
            subprocess.Popen(
                self._command(project, command), env=self._environment(), stdout=log, stderr=subprocess.STDOUT
            ) as process,
        ):
            while process.poll() is None:
                # The last may be half written.
                if len(list(state.glob(left))) > 1:
                    process.kill()
                    return
                time.sleep(0.02)
        raise AssertionError(f"it ended before it was killed: {said.read_text(encoding='utf-8')}")

    def _command(self, project: Path, command: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "portfolio", *command, "--project", str(project)]

    def _environment(self) -> dict[str, str]:
        return environment() | {"PYTHONPATH": str(self._source)}


@dataclass(frozen=True)
class Written:
    """A table as it was left: version, rows, and a digest of them in any order."""

    version: int
    rows: int
    digest: str


def folders(state: Path) -> dict[str, Path]:
    """Return the folder of each table in a state folder, by layer and name such as gold.runs."""
    found = (path.parent for path in (state / "warehouse").glob("*/*/_delta_log"))
    return {f"{folder.parent.name.split('_')[0]}.{folder.name}": folder for folder in found}


def written(
    folder: Path,
    version: int | None = None,
    run_ids: Set[str] = frozenset(),
    columns: Sequence[str] = (),
) -> Written:
    """Return a table at a version, read without the engine: of some runs, and some columns, if given."""
    table = DeltaTable(str(folder), version=version)
    rows = table.to_pyarrow_table()
    if run_ids:
        rows = rows.filter(pc.is_in(rows.column("run_id"), value_set=pa.array(sorted(run_ids))))
    names = sorted(columns or rows.column_names)
    lines = sorted(repr([(name, row[name]) for name in names]) for row in rows.select(names).to_pylist())
    return Written(table.version(), len(lines), sha256("\n".join(lines).encode()).hexdigest())


def columns_at(folder: Path, version: int) -> list[str]:
    """Return the columns that a table had at a version; later ones are NULL in its rows."""
    return list(DeltaTable(str(folder), version=version).to_pyarrow_table().column_names)


def duplicates(folder: Path, key: tuple[str, ...]) -> int:
    """Return how many rows of a table have a key that another row has."""
    rows = DeltaTable(str(folder)).to_pyarrow_table().select(list(key)).to_pylist()
    return len(rows) - len({tuple(row.values()) for row in rows})


def leave_out_the_last_day(prices: Path) -> str:
    """Take the newest day out of a file of prices; return the whole file, to put it back the next morning."""
    whole = prices.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    prices.write_text("".join(lines[:-1]), encoding="utf-8")
    return whole


def unfinished(state: Path) -> list[str]:
    """Return the names of work that a killed run has left."""
    folder = state / "unfinished"
    return sorted(os.listdir(folder)) if folder.is_dir() else []
