"""One look at judged prices: each instrument's series, and how many of them did what on each day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import functions as F

from acceleray.engines.handoff.arrays import column
from acceleray.quant import day_contents
from acceleray.quant.price_findings.market import Market, binned, market_of
from acceleray.quant.risk_calendar import counted
from acceleray.stages.ingest.grouped import Grouped, Here, Look

# Rows of an instrument have its name and no bin, those of a day a bin and no name.
_SCHEMA = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("date", pa.date32()),
        ("bin", pa.int32()),
        ("last_date", pa.date32()),
        ("prices", pa.int64()),
        ("quarantined", pa.int64()),
        ("trades_at_weekends", pa.bool_()),
        ("digest", pa.string()),
        ("moves", pa.int64()),
        ("priced", pa.int64()),
        ("at_weekends", pa.int64()),
        ("content_high", pa.int64()),
        ("content_low", pa.int64()),
    ]
)
_SQL = (
    "instrument_id string, date date, bin int, last_date date, prices long, quarantined long, "
    "trades_at_weekends boolean, digest string, moves long, priced long, at_weekends long, "
    "content_high long, content_low long"
)
# Sums by day and bin. A content is two halves, so that no sum is beyond a long.
_HALF = 32
_SUMMED = ("moves", "priced", "at_weekends", "content_high", "content_low")
# The bin of days without a move, beyond all of `binned`: a first price, or one that has no logarithm.
_NO_MOVE = 20_000
# A day and a bin are one number: bins lie from `_LOWEST` on, and are fewer than `_BINS`.
_LOWEST, _BINS = -10_000, 32_768
# Prices whose days are counted together: some tens of megabytes.
_TOGETHER = 1_000_000


@dataclass(frozen=True)
class Survey:
    """Summary of checked prices before any series is checked.

    Attributes:
        series: one row per instrument, by name: instrument_id, first_date and last_date of accepted prices,
            prices, quarantined, trades_at_weekends, digest.
        days: date, bin, moves, priced and at_weekends: instruments by day and by bin of their log return.
            `moves` is how many have a return, `priced` how many speak for their day and trade on weekdays
            alone, `at_weekends` how many of the others do. `content_high` and `content_low` are sums of the
            two halves of `day_contents.contents_of`.
    """

    series: pa.Table
    days: pa.Table

    @property
    def market(self) -> Market:
        """Return what all instruments did."""
        return market_of(
            column(self.days, "date").astype("datetime64[D]"),
            column(self.days, "bin").astype(np.int64),
            column(self.days, "moves"),
        )

    def by_day(self) -> tuple[NDArray[np.datetime64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the days with a price, ascending, and on each `priced` and `at_weekends` of all bins."""
        days, at = np.unique(column(self.days, "date").astype("datetime64[D]"), return_inverse=True)
        priced, at_weekends = (
            np.bincount(at, weights=column(self.days, name), minlength=days.size).astype(np.int64)
            for name in ("priced", "at_weekends")
        )
        return days, priced, at_weekends

    def contents(self) -> dict[np.datetime64, str]:
        """Return the content of each day with a price, as silver.risk_days has it."""
        days, at = np.unique(column(self.days, "date").astype("datetime64[D]"), return_inverse=True)
        high, low = (column(self.days, name).astype(np.uint64) for name in ("content_high", "content_low"))
        summed = day_contents.sums(at, (high << np.uint64(_HALF)) + low, days.size)
        return dict(zip(days, day_contents.written(summed), strict=True))


def survey(judged: Here | Grouped, arithmetic: Collection[str] = ()) -> Survey:
    """Return what judged prices are in all.

    Args:
        judged: the series of `quality.judge`.
        arithmetic: instruments without logarithms, which move no market.

    Raises:
        RuntimeError: the rows of an instrument are not neighbours.
    """
    look = survey_of(frozenset(arithmetic))
    if isinstance(judged, Here):
        return totals(judged.looked(look, _SCHEMA, _SQL))
    looked = judged.mapped(look, _SQL)
    # The same day and bin in every partition: summed by Spark, however many there are.
    sums = [F.sum(name).alias(name) for name in ("prices", "quarantined", *_SUMMED)]
    most = [F.max(name).alias(name) for name in ("last_date", "trades_at_weekends", "digest")]
    return totals(looked.groupBy("instrument_id", "date", "bin").agg(*most, *sums).toArrow())


def totals(rows: pa.Table) -> Survey:
    """Return a survey out of the rows of `survey_of`.

    Raises:
        RuntimeError: an instrument has more than one row.
    """
    series = rows.filter(pc.is_valid(rows["instrument_id"])).sort_by("instrument_id")
    if len(pc.unique(series["instrument_id"])) < len(series):
        raise RuntimeError("the rows of an instrument are not neighbours")
    names = ("instrument_id", "date", "last_date", "prices", "quarantined", "trades_at_weekends", "digest")
    series = series.select(names).rename_columns({"date": "first_date"})
    days = rows.filter(pc.is_null(rows["instrument_id"])).sort_by(
        [("date", "ascending"), ("bin", "ascending")]
    )
    return Survey(
        series.combine_chunks(),
        days.select(["date", "bin", *_SUMMED]).combine_chunks(),
    )


def survey_of(arithmetic: frozenset[str]) -> Look:
    """Return the function that is called with judged series, all of them or those of a partition."""

    def look(judged: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        tally = _Tally()
        rows = [_series(cells, arithmetic, tally) for cells in judged]
        yield from pa.Table.from_pylist(rows, _SCHEMA).to_batches()
        yield from tally.table().to_batches()

    return look


def _series(cells: pa.Table, arithmetic: frozenset[str], tally: _Tally) -> dict[str, object]:
    """Return the row of one instrument; its days go into the tally."""
    days = column(cells, "date").astype("datetime64[D]")
    prices, adjusted = column(cells, "price"), column(cells, "adjusted_price")
    known = np.isfinite(adjusted)
    order = np.argsort(days[known], kind="stable")
    days, prices, adjusted = days[known][order], prices[known][order], adjusted[known][order]
    name = cells["instrument_id"][0].as_py()
    speaks, trades_at_weekends = counted(days, adjusted)
    bins = np.full(days.size, _NO_MOVE)
    if name not in arithmetic:
        bins[1:] = binned(np.log(adjusted[1:] / adjusted[:-1]))
    tally.add(days, bins, speaks, trades_at_weekends, day_contents.contents_of(name, prices, adjusted))
    return {
        "instrument_id": name,
        "date": _day(days[0]) if days.size else None,
        "last_date": _day(days[-1]) if days.size else None,
        "prices": days.size,
        "quarantined": len(cells) - days.size,
        "trades_at_weekends": trades_at_weekends,
        "digest": pc.max(cells["digest"]).as_py(),
    }


def _day(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


class _Tally:
    """Counts instruments by day and bin; memory grows with days and bins, not with instruments."""

    def __init__(self) -> None:
        self._keys: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._contents: list[NDArray[np.uint64]] = []
        self._held = 0

    def add(
        self,
        days: NDArray[np.datetime64],
        bins: NDArray[np.int64],
        speaks: NDArray[np.bool_],
        at_weekends: bool,
        contents: NDArray[np.uint64],
    ) -> None:
        """Count one instrument's prices, all of shape (prices,)."""
        self._keys.append(days.astype(np.int64) * _BINS + (bins - _LOWEST))
        moved, said = (bins != _NO_MOVE).astype(np.int64), speaks.astype(np.int64)
        none = np.zeros(days.size, np.int64)
        self._counts.append(np.stack((moved, *((none, said) if at_weekends else (said, none)))))
        self._contents.append(contents)
        self._held += days.size
        if self._held > _TOGETHER:
            self._merge()

    def _merge(self) -> None:
        keys, at = np.unique(np.concatenate(self._keys), return_inverse=True)
        counts = np.concatenate(self._counts, axis=1)
        summed = [np.bincount(at, weights=each, minlength=keys.size).astype(np.int64) for each in counts]
        self._contents = [day_contents.sums(at, np.concatenate(self._contents), keys.size)]
        self._keys, self._counts, self._held = [keys], [np.stack(summed)], 0

    def table(self) -> pa.Table:
        """Return what was counted, one row a day and bin."""
        if not self._keys:
            return _SCHEMA.empty_table()
        self._merge()
        keys, counts, contents = self._keys[0], self._counts[0], self._contents[0]
        bins = keys % _BINS + _LOWEST
        found = {
            "date": pa.array((keys // _BINS).astype("datetime64[D]")),
            "bin": pa.array(np.where(bins == _NO_MOVE, 0, bins).astype(np.int32)),
            "moves": counts[0],
            "priced": counts[1],
            "at_weekends": counts[2],
            "content_high": (contents >> np.uint64(_HALF)).astype(np.int64),
            "content_low": (contents & np.uint64(2**_HALF - 1)).astype(np.int64),
        }
        empty = {field.name: pa.nulls(keys.size, field.type) for field in _SCHEMA}
        return pa.table(empty | found, schema=_SCHEMA)
