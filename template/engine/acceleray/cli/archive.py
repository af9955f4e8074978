"""`portfolio archive` and `portfolio reproduce`: archive a run for years, and reproduce it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acceleray.cli import text
from acceleray.cli.options import Environment, Overrides, Profile, ProjectFolder
from acceleray.cli.project import find_project
from acceleray.errors import PortfolioError
from acceleray.runtime.project import Project
from acceleray.settings import Settings, load

if TYPE_CHECKING:
    from acceleray.archive.reproducing import Reproduced

RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="`portfolio show gold.runs` lists them.")]


def archive(
    context: typer.Context,
    run_id: RunId,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Folder of archives; archive.path otherwise.")
    ] = None,
    pack: Annotated[
        Path | None, typer.Option("--pack", metavar="FILE.zip", help="Write the evidence pack as well.")
    ] = None,
    overrides: Overrides = None,
    profile: Profile = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Keep what a run read and wrote, and the code that did it, for longer than Delta keeps versions.

    \b
    portfolio archive 0123456789abcdef
    portfolio archive 0123456789abcdef --to /mnt/vault --pack evidence.zip

    \b
    An archive holds  the rows that the run wrote and read, by table, as Parquet
                      files it was given: prices, positions, factors, limits
                      engine, src, conf and locks as they are, which must be the run's
                      the signal model, the report and the model documents
                      SHA256SUMS, to be checked by sha256sum -c SHA256SUMS

    It is written whole or not at all; archiving twice changes nothing. The seal that is printed is the
    SHA-256 of SHA256SUMS: kept elsewhere, it shows later that nothing was changed. Archive soon: versions
    stay for maintenance.vacuum_after_h hours. archive.auto: true archives each run at its end.
    """
    settings = load(find_project(project), environment, overrides or (), profile=profile)
    context.obj.state_dir = settings.state_dir
    if pack is not None:
        from acceleray.cli.reading import refuse_unwritable

        refuse_unwritable(pack)
    text.tell(archived(context.obj.project, settings, run_id, to, pack))
    return 0


def archived(
    of: Project, settings: Settings, run_id: str, to: Path | None = None, pack: Path | None = None
) -> list[str]:
    """Archive a run and return the lines that say where it is, and how it is repeated.

    Raises:
        PortfolioError: as `acceleray.archive.keeping.archive` does, or the pack cannot be written.
    """
    from acceleray.archive.keeping import archive as keep
    from acceleray.archive.manifest import verified
    from acceleray.archive.pack import write_pack
    from acceleray.runtime.progress import Reporter

    done = keep(of, settings, run_id, Reporter(), to)
    there = "" if done.new else ", unchanged"
    lines = [f"Archive: {done.folder} ({done.tables} tables{there})", f"Seal: {done.seal}"]
    if pack is None:
        lines.append(f"Evidence pack: portfolio archive {run_id} --pack evidence-{run_id}.zip")
    else:
        content, sealed = verified(done.folder)
        lines.append(f"Evidence pack: {write_pack(done.folder, content, sealed, pack)}")
    return [*lines, f"Reproduce it: portfolio reproduce {run_id} --from {done.folder}"]


def reproduce(
    context: typer.Context,
    run_id: RunId,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="The archive, or its parent folder."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the reproduced run, even if all tables are equal.")
    ] = False,
    overrides: Overrides = None,
    environment: Environment = "local",
    project: ProjectFolder = None,
) -> int:
    """Run an archived run again, from its archive alone, and compare every table bit for bit.

    \b
    portfolio reproduce 0123456789abcdef
    portfolio reproduce 0123456789abcdef --from /mnt/vault --set ray.workers=4

    The archived engine, src and conf run on this machine, in an environment with the versions of the archived
    lock: this one if it has them, else one that is made. Nothing is taken from other runs but what the run
    had: rows of earlier runs, its champion. Columns that say when a row was written do not count, nor do
    run_id and the Delta versions. On another type of processor numbers are compared to 1e-10.

    \b
    Ends with  0  every table is equal
               1  a table differs: its line names the first key; the reproduced run is kept for inspection
               2  bad input, a damaged archive, or the archived code could not run
    """
    settings = load(find_project(project), environment)
    context.obj.state_dir = settings.state_dir
    from acceleray.archive.manifest import SUMS
    from acceleray.archive.reproducing import reproduce as again
    from acceleray.runtime.progress import Reporter

    given = (source or settings.archive_dir).resolve()
    folder = given if (given / SUMS).is_file() else given / run_id
    if not folder.is_dir():
        raise PortfolioError(
            f"There is no archive of run {run_id} in {given}; name its folder with --from DIR."
        )
    text.tell(_lines(found := again(folder, run_id, settings, Reporter(), overrides or (), keep)))
    print(_verdict(found), file=sys.stderr)
    return 0 if found.equal else 1


def _lines(found: Reproduced) -> list[str]:
    rows = [
        ("different" if each.difference else "equal", each.table.label, each.rows, each.difference)
        for each in found.tables
    ]
    lines = text.grid(("result", "table", "rows", "what differs"), rows)
    if found.processor:
        lines.append(f"Compared to 1e-10: the original run was made on another processor, {found.processor}.")
    if found.run_id != found.run_id_now:
        what = " and ".join(found.decided)
        lines.append(f"Other {what} than then: the reproduced run is {found.run_id_now}.")
    if found.folder is not None:
        lines.append(f"The reproduced run: {found.folder}")
    return lines


def _verdict(found: Reproduced) -> str:
    differ = sum(bool(each.difference) for each in found.tables)
    if differ:
        return f"{differ} of {len(found.tables)} tables differ from run {found.run_id}."
    return f"All {len(found.tables)} tables are equal to those of run {found.run_id}."
