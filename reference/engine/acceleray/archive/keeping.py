"""A run into an archive: all that it read and wrote, and the code that did it; whole, or not at all."""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceleray.archive.documents import keep_documents
from acceleray.archive.manifest import SUMS, declared, seal, verified, write
from acceleray.archive.project_copy import copy_project, libraries, python_version
from acceleray.archive.rows import GoneError, Rows, rows_at
from acceleray.archive.selection import wanted_of
from acceleray.archive.sources import keep_sources, refuse_undelivered
from acceleray.engines.delta.reader import Reader, reader, records
from acceleray.engines.processes.lock import run_lock
from acceleray.engines.ray.processors import processor
from acceleray.errors import PortfolioError
from acceleray.governance.kept_models import model_bytes, named
from acceleray.runtime.code_identity import engine_version
from acceleray.runtime.inputs import Input
from acceleray.runtime.progress import Reporter
from acceleray.runtime.project import Project
from acceleray.settings import Settings
from acceleray.tables import CONTRACT_VERSION, RUN_INPUTS, RUN_TABLES, RUNS, Table
from acceleray.tables.contract import literal
from acceleray.whole_files import REFUSALS

TABLES = "tables"
MODEL = "model/model.ubj"


@dataclass(frozen=True)
class Archived:
    """An archive: its folder, its seal, whether it was made now, and the tables in it."""

    folder: Path
    seal: str
    new: bool
    tables: int


def archive(
    of: Project, settings: Settings, run_id: str, reporter: Reporter, folder: Path | None = None
) -> Archived:
    """Archive a finished run, and return where; one that is archived is checked and left as it is.

    Args:
        of: the project as it is now, whose code must be the run's.
        settings: of the project; the caller's, whose `archive.path` counts.
        run_id: of the run.
        reporter: told what is going on.
        folder: that archives lie in; as the settings say if it is None.

    Raises:
        PortfolioError: there is no such run, its code or a file it read has changed, Delta does not hold what
            it read or wrote any more, or there is an archive that is damaged.
    """
    target = (folder or settings.archive_dir).resolve() / run_id
    if target.exists():
        with reporter.stage("Check the existing archive"):
            content, sealed = verified(target)
        return Archived(target, sealed, False, len(content["tables"]))
    with run_lock(settings.machine_dir), reader(settings) as tables:
        run, inputs, touches = _evidence(of, tables, run_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        work = target.parent / f".{run_id}.{os.getpid()}.part"
        for left in target.parent.glob(f".{run_id}.*.part"):
            # Of an archive that was stopped half-way: the lock says that nobody is at it.
            shutil.rmtree(left)
        try:
            sealed, kept = _keep(of, settings, run, inputs, touches, work, reporter)
            _put_in_place(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Archived(target, sealed, True, kept)


def _put_in_place(work: Path, target: Path) -> None:
    """Move a finished folder to its place; where a file system refuses to rename it, copy it."""
    try:
        work.rename(target)
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        try:
            # Without its hashes a folder is no archive: they come last.
            shutil.copytree(work, target, ignore=shutil.ignore_patterns(SUMS))
            shutil.copyfile(work / SUMS, target / SUMS)
            verified(target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise


def _evidence(
    of: Project, tables: Reader, run_id: str
) -> tuple[dict[str, Any], list[Input], list[dict[str, Any]]]:
    """Return the row of a run in gold.runs, its inputs, and the table versions it touched."""

    def rows(table: Table) -> list[dict[str, Any]]:
        mine = f"run_id = {literal(run_id)}"
        return records(tables.rows(table, where=mine)) if tables.exists(table) else []

    if not (found := rows(RUNS)):
        raise PortfolioError(f"No finished run is called {run_id}; `portfolio show gold.runs` lists them.")
    run = found[0]
    if run["workload"] not in of.workload_names():
        raise PortfolioError(
            f"Run {run_id} is a {run['workload']}, which is not a workload; archive a run of a workload."
        )
    if (here := of.code_version()) != run["code_version"]:
        raise PortfolioError(
            f"Run {run_id} was made by code {run['code_version']} and the code here is {here}; check out the "
            "commit of the run, or run the workload again and archive that run."
        )
    names = list(Input.__dataclass_fields__)
    inputs = [Input(**{name: row[name] for name in names}) for row in rows(RUN_INPUTS)]
    return run, inputs, rows(RUN_TABLES)


def _keep(
    of: Project,
    settings: Settings,
    run: dict[str, Any],
    inputs: list[Input],
    touches: list[dict[str, Any]],
    work: Path,
    reporter: Reporter,
) -> tuple[str, int]:
    """Write an archive into an empty folder; return its seal and the number of its tables."""
    numbers = json.loads(run["settings_json"])
    refuse_undelivered(inputs, numbers["market_data"]["source"])
    (work / TABLES).mkdir(parents=True)
    with reporter.stage("Copy engine, src, conf and input files"):
        copy_project(of, settings.project_dir, work / "project")
        sources = keep_sources(inputs, settings, work)
        documents = keep_documents(settings, run["run_id"], work)
    with reporter.stage("Copy the table versions it read and wrote"):
        tables = _tables(of, settings, run, inputs, touches, work, reporter)
    model = None
    if run["model_uri"] and (model := named(run["model_uri"])):
        with reporter.stage("Copy the signal model"):
            (work / MODEL).parent.mkdir()
            (work / MODEL).write_bytes(model_bytes(settings, *model))
    with reporter.stage("Hash every file"):
        chosen = settings.model_dump(mode="json", exclude={"project_dir", "as_of", "anew"})
        content = {
            "run": {key: value if isinstance(value, int | str) else str(value) for key, value in run.items()},
            "numbers": numbers,
            "settings": chosen,
            "engine_version": engine_version(),
            "contract_version": CONTRACT_VERSION,
            "python": python_version(),
            "machine": platform.machine(),
            "system": platform.system(),
            "processor": processor(),
            "libraries": libraries(),
            "tables": tables,
            "sources": sources,
            "model": None if model is None else {"name": model[0], "version": model[1], "file": MODEL},
            "documents": documents,
        }
        write(work, content)
        return seal(work), len(tables)


def _tables(
    of: Project,
    settings: Settings,
    run: dict[str, Any],
    inputs: list[Input],
    touches: list[dict[str, Any]],
    work: Path,
    reporter: Reporter,
) -> list[dict[str, Any]]:
    declarations = {table.label: table for table in of.all_tables()}
    wanted = wanted_of(declarations, run, inputs, touches)
    done, kept = reporter.counter(len(wanted), "table versions kept"), []
    with rows_at(settings) as rows:
        for number, (role, table, scope, version, fingerprint) in enumerate(wanted):
            version = rows.newest(table) if version is None else version
            name = f"{TABLES}/{role}/{table.label}.parquet"
            if (work / name).exists():
                name = f"{TABLES}/{role}/{table.label}-{number}.parquet"
            (work / name).parent.mkdir(exist_ok=True)
            try:
                content, version = _kept(rows, table, scope, version, fingerprint, work / name)
            except GoneError as error:
                raise PortfolioError(
                    f"{error}, so run {run['run_id']} cannot be archived; run the workload again with "
                    f"--as-of {run['as_of']} and archive that run soon: versions stay for "
                    "maintenance.vacuum_after_h hours; archive.auto: true archives each run at its end."
                ) from None
            kept.append(
                {
                    "role": role,
                    "table": declared(table),
                    "scope": scope,
                    "version": version,
                    "rows": content.rows,
                    "fingerprint": content.fingerprint,
                    "file": name,
                }
            )
            done(number + 1)
    return kept


def _kept(
    rows: Rows, table: Table, scope: str, version: int, fingerprint: str, path: Path
) -> tuple[Any, int]:
    """Keep rows of a version; where that is gone and the newest holds the very same, those."""
    try:
        content = rows.keep(table, scope, version, path)
    except GoneError:
        newest = rows.newest(table)
        if not fingerprint or newest == version:
            raise
        content = rows.keep(table, scope, newest, path)
        if content.fingerprint != fingerprint:
            raise
        return content, newest
    if fingerprint and content.fingerprint != fingerprint:
        raise PortfolioError(
            f"Version {version} of {table.label} does not contain the rows that the run wrote: fingerprint "
            f"{content.fingerprint}, recorded {fingerprint}; its files were changed."
        )
    return content, version
