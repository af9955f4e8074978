"""Volumes of instruments from a separate source, and their daily average."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import as_date, column
from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.desk import Liquidity
from acceleray.stages.ingest.delta_table import newest
from acceleray.stages.ingest.other_series import messages_of, path_of, read_series
from acceleray.stages.ingest.quality import PLAIN_NUMBER
from acceleray.stages.ingest.reading import fields
from acceleray.stages.ingest.reading.opening import first_header


@dataclass(frozen=True)
class Volumes:
    """Units traded per day.

    Attributes:
        origin: how messages name the source.
        of: by instrument its days (ascending) and volumes.
        digest: SHA-256 of all of them.
        notices: lines on rows and cells of the source that are not used.
    """

    origin: str
    of: Mapping[str, tuple[NDArray[np.datetime64], NDArray[np.float64]]]
    digest: str
    notices: tuple[str, ...] = ()

    @property
    def last_date(self) -> date:
        """Return the last day with any volume."""
        return as_date(max(days[-1] for days, _ in self.of.values()))

    def until(self, day: date) -> Volumes | None:
        """Return the volumes up to a day; None if there are none."""
        last, kept = np.datetime64(day, "D"), {}
        for name, (days, values) in self.of.items():
            count = int(np.searchsorted(days, last, side="right"))
            if count:
                kept[name] = (days[:count], values[:count])
        return replace(self, of=kept) if kept else None


@dataclass(frozen=True)
class AverageVolumes:
    """The volume of an average day by instrument, over so many risk days up to the last one."""

    of: Mapping[str, float]
    days: int
    last_date: date


def receive_volumes(spark: SparkSession, settings: Settings) -> Volumes | None:
    """Return the volumes that `liquidity.source` names; None if it names none.

    Raises:
        PortfolioError: they cannot be read as prices are, or one of them is negative.
    """
    of = settings.liquidity
    if of.source == "none":
        return None
    read = read_series(spark, settings, of, "liquidity", "volumes", _named(spark, settings))
    found, digest = {}, hashlib.sha256()
    bad, first_bad = 0, ""
    for name in sorted(read.cells):
        rows = read.cells[name].sort_by("date")
        numbers = pc.fill_null(pc.match_substring_regex(rows["number_text"], PLAIN_NUMBER), False)
        if len(others := rows.filter(pc.invert(numbers))):
            one = others.slice(0, 1).to_pylist()[0]
            first_bad = first_bad or f"'{one['price_text']}' of {name} on {one['date']}"
            bad += len(others)
        rows = rows.filter(numbers)
        if not len(rows):
            continue
        days = column(rows, "date").astype("datetime64[D]")
        volumes = np.asarray(rows["number_text"].cast(pa.float64()).to_numpy(), dtype=np.float64)
        if np.any(volumes < 0.0):
            row = int(np.argmax(volumes < 0.0))
            raise PortfolioError(
                f"{read.title} has a volume of {volumes[row]:,.10g} for {name} on {days[row]}; correct it."
            )
        found[name] = (days, volumes)
        for part in (name.encode(), days.tobytes(), volumes.tobytes()):
            digest.update(len(part).to_bytes(8, "little") + part)
    if not found:
        raise PortfolioError(f"{read.title} has no volume that is a number; correct liquidity.source.")
    notices = [f"{read.origin}: {read.left_out}"] if read.left_out else []
    if bad:
        notices.append(
            f"{read.origin}: {counted(bad, 'cell')} not used as no volume can be read, the first {first_bad}"
        )
    return Volumes(read.origin, found, digest.hexdigest(), tuple(notices))


def average_volumes(volumes: Volumes, risk_days: NDArray[np.datetime64], of: Liquidity) -> AverageVolumes:
    """Return the volumes of an average day up to the last of some risk days (days,), ascending.

    Of risk days that no volume of the source covers nothing is known; on others an instrument without a
    volume has not traded.
    """
    last = np.datetime64(volumes.last_date, "D")
    first = min(days[0] for days, _ in volumes.of.values())
    window = risk_days[(risk_days >= first) & (risk_days <= last)][-of.window_d :]
    average = np.median if of.average == "median" else np.mean
    found = {}
    for name, (days, values) in volumes.of.items():
        on = np.zeros(window.size)
        if window.size:
            kept = np.isin(days, window)
            on[np.searchsorted(window, days[kept])] = values[kept]
            found[name] = float(average(on))
    return AverageVolumes(found, window.size, as_date(window[-1]) if window.size else volumes.last_date)


def _named(spark: SparkSession, settings: Settings) -> str:
    """Return the column of volumes, empty where every other column is an instrument.

    Raises:
        PortfolioError: the columns are those of prices, and none is of volumes.
    """
    of = settings.liquidity
    if of.columns.price:
        return of.columns.price
    with messages_of("liquidity", "volumes"):
        if of.source == "csv":
            header = first_header(path_of(settings, of, "liquidity", "volumes"))
        else:
            header = tuple(newest(spark, settings, of.table, "liquidity.table").columns)
    named = [name for name in header if fields.plain_name(name) in fields.VOLUME]
    if named:
        return named[0]
    prices = [name for name in header if any(map(fields.is_field, fields.pair(name) or (name,)))]
    if prices:
        raise PortfolioError(
            f"liquidity.source has the column '{prices[0]}' and none of volumes; name one volume, or set"
            " liquidity.columns.price to it."
        )
    return ""
