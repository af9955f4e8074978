"""The inputs of a run from outside as an archive keeps them: files as they are, tables of others as rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from acceleray.engines.delta.log import UnreadableLogError, arrow, open_table
from acceleray.engines.profiles import spark_alone
from acceleray.errors import PortfolioError
from acceleray.runtime.inputs import CONF, DELIVERED, Input, file_digest
from acceleray.settings import Settings
from acceleray.settings.sections import PRICE_SOURCES
from acceleray.settings.topology import in_catalog
from acceleray.tables.contract import quoted

FOLDER = "sources"


def keep_sources(inputs: Iterable[Input], settings: Settings, folder: Path) -> list[dict[str, Any]]:
    """Copy files, and write the rows of tables, into an archive; return what the manifest says of each.

    Files of conf/ are kept with the project, and only looked at here.

    Raises:
        PortfolioError: a file has changed since the run, or a version of a table is gone.
    """
    kept = []
    for each in inputs:
        if each.kind in ("file", "folder"):
            _refuse_changed(each, settings)
            if each.name == CONF:
                continue
            place = folder / FOLDER / each.name / Path(each.path).name
            target = place / each.part if each.kind == "folder" else place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(each.location(settings.project_dir), target)
            kept.append({"setting": each.name, "file": place.relative_to(folder).as_posix(), "table": None})
        elif each.kind == "table":
            place = folder / FOLDER / f"{each.name}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(_rows(each, settings), place, compression="zstd")
            kept.append(
                {"setting": each.name, "file": place.relative_to(folder).as_posix(), "table": each.path}
            )
    # Of a folder one entry stands for all of its files.
    return [each for place, each in enumerate(kept) if each not in kept[:place]]


def refuse_undelivered(inputs: Iterable[Input], source: str) -> None:
    """Refuse a run with prices of a source of the project's own, if what that delivered was not kept.

    Args:
        inputs: of the run.
        source: the run's `market_data.source`.

    Raises:
        PortfolioError: asked again, the source may answer otherwise.
    """
    if source not in PRICE_SOURCES and not any(each.name == DELIVERED for each in inputs):
        raise PortfolioError(
            f"What price source '{source}' delivered to the run was not kept, as Spark could not write it "
            "into the state folder; let paths.state be a place that Spark sees, and run again."
        )


def _refuse_changed(each: Input, settings: Settings) -> None:
    place = each.location(settings.project_dir)
    if not place.is_file():
        raise PortfolioError(
            f"{place} ({each.name}), which the run read, is gone; restore it and archive again."
        )
    if file_digest(place) != each.sha256:
        raise PortfolioError(
            f"{place} ({each.name}) has changed since the run read it; restore that file (SHA-256 "
            f"{each.sha256[:16]}...), or set archive.auto: true, which archives each run at its end."
        )


def _rows(each: Input, settings: Settings) -> pa.Table:
    """Return the rows of a table of others at the version that the run found newest."""
    if each.version is None:
        raise PortfolioError(
            f"{each.name} is {each.path}, a view, which has no versions; name a Delta table instead."
        )
    if in_catalog(settings):
        with ExitStack() as stack:
            spark = stack.enter_context(spark_alone(settings))
            name = ".".join(quoted(part) for part in each.path.split("."))
            return spark.sql(f"SELECT * FROM {name} VERSION AS OF {each.version}").toArrow()
    from deltalake import QueryBuilder

    try:
        opened = open_table(local_folder(settings.state_dir, each.path), each.version)
        found = QueryBuilder().register("stored", opened).execute("SELECT * FROM stored")
        return arrow(found)
    except (FileNotFoundError, UnreadableLogError) as error:
        raise PortfolioError(
            f"Version {each.version} of {each.path} ({each.name}) cannot be read: {error}; set archive.auto: "
            "true, which archives each run at its end."
        ) from None


def local_folder(state: Path, table: str) -> Path:
    """Return where a table of others lies in the warehouse of this machine; see `stages.ingest`."""
    *schema, name = table.split(".")
    warehouse = state / "warehouse"
    found = schema[-1] if schema else "default"
    places = [warehouse / found / name, warehouse / f"{found}.db" / name, warehouse / name]
    return next((place for place in places if (place / "_delta_log").is_dir()), places[0])
