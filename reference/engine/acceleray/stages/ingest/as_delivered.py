"""Deliveries of a project's own price source, kept as they were: a second query may answer otherwise.

Files and tables of others stay where they are for a while, with a hash or a version. A function has neither,
so a run writes its answer into the state folder, and `portfolio archive` takes it from there.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from acceleray.engines.delta.upkeep import retention_h
from acceleray.engines.handoff.stage import new_stage, spark_path, spark_pattern
from acceleray.errors import PortfolioError
from acceleray.runtime.inputs import DELIVERED, Input, file_digest
from acceleray.settings import Settings
from acceleray.settings.topology import shares_stage
from acceleray.whole_files import put_in_place

FOLDER = "delivered"
# Under which a column's name stands beside it: Parquet takes no two that differ in the case of letters only.
_NAME = "delivered"


def keep_delivered(prices: DataFrame, settings: Settings, source: str) -> Input | None:
    """Write rows into one file of the state folder, and return it as an input of the run.

    Files of earlier runs are removed when table versions of that age would be; see `retention_h`.

    Args:
        prices: as delivered, the same at every look.
        settings: of the run.
        source: the name of the source.

    Returns:
        The input, or None where Spark cannot write it: it sees no file of this machine, or Parquet has no
        such type. Then the run cannot be archived, which `portfolio archive` says.
    """
    if not shares_stage(settings):
        return None
    with new_stage(settings) as stage:
        try:
            _by_position(prices).coalesce(1).write.parquet(spark_path(settings, stage / FOLDER))
        except PySparkException:
            return None
        [part] = (stage / FOLDER).glob("*.parquet")
        digest, size = file_digest(part), part.stat().st_size
        target = settings.state_dir / FOLDER / f"{source}-{digest[:16]}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        put_in_place(part, target)
    _forget(target.parent, retention_h(settings))
    return Input("file", DELIVERED, target.name, str(target), None, size, digest)


def as_delivered(spark: SparkSession, settings: Settings) -> DataFrame:
    """Return the rows of `market_data.delivered`, with the columns that they were delivered with.

    Raises:
        PortfolioError: there is no such file.
    """
    path = settings.project_dir / Path(settings.market_data.delivered).expanduser()
    if not path.is_file():
        raise PortfolioError(
            f"market_data.delivered is {path}, and there is no such file; leave it empty to ask the source."
        )
    rows = spark.read.parquet(spark_pattern(settings, path))
    return rows.toDF(*[field.metadata.get(_NAME, field.name) for field in rows.schema.fields])


def _by_position(prices: DataFrame) -> DataFrame:
    at = [f"c{number}" for number in range(len(prices.columns))]
    named = zip(at, prices.columns, strict=True)
    return prices.toDF(*at).select(*[F.col(one).alias(one, metadata={_NAME: name}) for one, name in named])


def _forget(folder: Path, hours: int) -> None:
    oldest = time.time() - hours * 3600
    for file in folder.glob("*.parquet"):
        # Somebody else may remove it at the same moment.
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < oldest:
                file.unlink()
