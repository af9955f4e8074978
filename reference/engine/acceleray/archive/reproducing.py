"""A run made again from its archive: its code and inputs, its locked libraries, a lake of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from acceleray.archive.comparing import Compared, compare
from acceleray.archive.environment import python_for
from acceleray.archive.manifest import table_of, verified
from acceleray.archive.restoring import STATE, models_wanted, outputs, restore_project, restore_tables
from acceleray.archive.rows import stored_rows, write_rows
from acceleray.engines.processes.lock import run_lock
from acceleray.engines.ray.processors import processor
from acceleray.errors import PortfolioError
from acceleray.runtime.progress import Reporter
from acceleray.settings import Settings
from acceleray.tables import RUNS

# What decided the run, and in words what differs if these do.
_DECIDED = {"load_id": "prices", "code_version": "code", "settings_json": "settings", "as_of": "as-of date"}


@dataclass(frozen=True)
class Reproduced:
    """A run made again.

    Attributes:
        run_id: of the archived run.
        run_id_now: of the run made again; the same where the same decided it.
        decided: what decided the run then and is another now, in words.
        tables: every table that the run wrote.
        processor: type of processor then, where it is another now; then numbers are compared to a tolerance.
        folder: where the run made again lies, if it is left there.
    """

    run_id: str
    run_id_now: str
    decided: tuple[str, ...]
    tables: tuple[Compared, ...]
    processor: str
    folder: Path | None

    @property
    def equal(self) -> bool:
        """Return whether every table is equal."""
        return not any(each.difference for each in self.tables)


def reproduce(
    archive: Path,
    run_id: str,
    settings: Settings,
    reporter: Reporter,
    overrides: Sequence[str] = (),
    keep: bool = False,
) -> Reproduced:
    """Run an archived run again and compare every table it wrote.

    Args:
        archive: its folder.
        run_id: of the run that it must be of.
        settings: of whoever asks; nothing but the state folder, to work in, and the cache count.
        reporter: told what is going on.
        overrides: settings of size for the run made again, such as `ray.workers=2`.
        keep: leave the run made again where it is; it is left where tables differ.

    Raises:
        PortfolioError: the archive is damaged or of another run, no environment can be made, or the archived
            code stopped.
    """
    with reporter.stage("Check the archive"):
        manifest, _ = verified(archive)
    if (kept := manifest["run"]["run_id"]) != run_id:
        raise PortfolioError(f"{archive} is the archive of run {kept}, not of {run_id}.")
    place = settings.state_dir / "reproduced"
    with run_lock(place):
        work = place / run_id
        shutil.rmtree(work, ignore_errors=True)
        found = _reproduced(archive, manifest, work, settings, reporter, overrides)
        if found.equal and not keep:
            shutil.rmtree(work)
            found = replace(found, folder=None)
    return found


def _reproduced(
    archive: Path,
    manifest: dict[str, Any],
    work: Path,
    settings: Settings,
    reporter: Reporter,
    overrides: Sequence[str],
) -> Reproduced:
    project = work / "project"
    work.mkdir(parents=True)
    with reporter.stage("Restore project and tables"):
        restore_project(archive, manifest, project, settings)
        restore_tables(archive, manifest, project / STATE)
    python = python_for(project, manifest, settings.cache_dir, reporter)
    # That run shows its own stages.
    reporter.say("  Run it again")
    _run(archive, manifest, project, python, overrides)
    exact = manifest["processor"] == processor()
    with reporter.stage("Compare every table"):
        then, now = manifest["run"], _run_now(project, manifest)
        tables = tuple(_compared(archive, manifest, project, now, work, exact))
    decided = [words for name, words in _DECIDED.items() if str(then[name]) != str(now[name])]
    if not decided and then["run_id"] != now["run_id"]:
        decided = ["positions, limits or another input"]
    other = "" if exact else manifest["processor"]
    return Reproduced(then["run_id"], now["run_id"], tuple(decided), tables, other, work)


def _run(
    archive: Path, manifest: dict[str, Any], project: Path, python: Path, overrides: Sequence[str]
) -> None:
    """Run the workload with the archived code, as its own `portfolio run --anew` does."""
    roots = (project / "src", project / "engine")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    wanted = models_wanted(archive, manifest)
    steps = []
    if wanted["versions"]:
        asked = project / "models.json"
        asked.write_text(json.dumps(wanted), encoding="utf-8")
        steps.append(["acceleray.governance.kept_models", str(project), str(asked)])
    sets = [part for one in overrides for part in ("--set", one)]
    steps.append(
        ["portfolio", "run", manifest["run"]["workload"], "--project", str(project), "--anew", *sets]
    )
    for step in steps:
        # Results of that run are no result of this command: both of its outputs are progress here.
        done = subprocess.run([str(python), "-m", *step], cwd=project, env=environment, stdout=2, check=False)
        if done.returncode:
            raise PortfolioError(
                f"The archived code in {project} ended with exit code {done.returncode}; its last lines, "
                "above, say why."
            )


def _run_now(project: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the row in gold.runs of the run made again."""
    folder = _folder(project, manifest, RUNS.layer, RUNS.name)
    rows = DeltaTable(str(folder)).to_pyarrow_table().to_pylist()
    found: dict[str, Any] = max(rows, key=lambda row: row["finished_at"])
    return found


def _compared(
    archive: Path, manifest: dict[str, Any], project: Path, run: dict[str, Any], work: Path, exact: bool
) -> Iterator[Compared]:
    again = work / "again.parquet"
    for entry in outputs(manifest):
        table = table_of(entry["table"])
        folder = _folder(project, manifest, table.layer, table.name)
        now = None
        if (folder / "_delta_log").is_dir():
            scope = run["source"] if table.scope == "source" else run["run_id"]
            write_rows(table, stored_rows(folder, table, scope, None), again)
            now = again
        yield compare(table, archive / entry["file"], now, exact)
    again.unlink(missing_ok=True)


def _folder(project: Path, manifest: dict[str, Any], layer: str, name: str) -> Path:
    return project / STATE / "warehouse" / manifest["settings"]["catalog"][layer] / name
