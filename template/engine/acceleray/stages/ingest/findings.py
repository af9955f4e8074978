"""Findings about prices: each instrument is judged where its cells are, all together by the driver."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from acceleray.quant.price_findings.arithmetic import declared_only
from acceleray.quant.price_findings.finding import Finding, Series
from acceleray.quant.price_findings.judging import (
    Digest,
    digest_of,
    judge_panel,
    judge_series,
    lead_lag_grid,
)
from acceleray.quant.price_findings.lead_lag import MOST_INSTRUMENTS
from acceleray.quant.price_findings.market import Market
from acceleray.quant.price_findings.quarantine import announced_only
from acceleray.stages.ingest.grouped import Grouped, Here

_RESULT = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("kind", pa.string()),
        ("severity", pa.string()),
        ("first_date", pa.date32()),
        ("last_date", pa.date32()),
        ("count", pa.int64()),
        ("value", pa.float64()),
        ("text", pa.string()),
        ("advice", pa.string()),
        ("projected", pa.binary()),
        ("moves", pa.binary()),
    ]
)
_TYPES = (
    "instrument_id string, kind string, severity string, first_date date, last_date date, `count` long, "
    "value double, text string, advice string, projected binary, moves binary"
)
# Placeholder for an instrument in checks of panels; not a finding.
_DIGEST = "digest"


@dataclass(frozen=True)
class Wanted:
    """Settings and source properties for the checks.

    Attributes:
        frequency: `market_data.frequency`.
        stale_after_d: `market_data.stale_after_d`.
        announced: instruments as the source orders them, with or without prices.
        arithmetic: `market_data.arithmetic`, levels of returns by instrument.
    """

    frequency: str = "daily"
    stale_after_d: int = 10
    announced: tuple[str, ...] = ()
    arithmetic: Mapping[str, float] = field(default_factory=dict)


def find(judged: Here | Grouped, market: Market, wanted: Wanted) -> list[Finding]:
    """Return every finding about judged cells; without an accepted price only those about quarantined cells.

    Args:
        judged: the series of `quality.judge`.
        market: what all instruments did.
        wanted: what judging needs to know.
    """
    judge = _judge_one(market, wanted)

    def in_turn(series: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        for cells in series:
            yield from judge(cells).to_batches()

    rows = judged.looked(in_turn, _RESULT, _TYPES).to_pylist()
    rows.sort(key=lambda row: (row["instrument_id"], row["kind"], row["first_date"]))
    found = [_finding(row) for row in rows if row["kind"] != _DIGEST]
    present = {row["instrument_id"] for row in rows}
    if not market.days.size:
        return found
    found += [declared_only(name, market.days[0]) for name in wanted.arithmetic if name not in present]
    found += [announced_only(name, market.days[0]) for name in wanted.announced if name not in present]
    order = [name for name in wanted.announced if name in present]
    names = order + sorted(present - set(order))
    digests = [_digest(row) for row in rows if row["kind"] == _DIGEST]
    return found + judge_panel(market, digests, names, wanted.frequency)


def _judge_one(market: Market, wanted: Wanted) -> Callable[[pa.Table], pa.Table]:
    """Return the function that is called with the cells of one instrument."""
    grid = lead_lag_grid(market)
    # A sample by name, so that it does not depend on who computes it.
    most = max(1, int(market.listed.max())) if market.listed.size else 1
    limit = min(1.0, MOST_INSTRUMENTS / most) * 2**32

    def judge(cells: pa.Table) -> pa.Table:
        series = series_of(cells, wanted.arithmetic)
        found = judge_series(series, market, wanted.stale_after_d)
        rows = [_row(one) for one in found]
        looked_at = zlib.crc32(series.instrument.encode()) < limit
        if (digest := digest_of(series, grid, looked_at)) is not None:
            rows.append(
                {
                    "instrument_id": digest.instrument,
                    "kind": _DIGEST,
                    "first_date": digest.first.item(),
                    "last_date": digest.last.item(),
                    "value": digest.last_price,
                    "projected": digest.projected.tobytes(),
                    "moves": digest.moves.tobytes(),
                }
            )
        return pa.Table.from_pylist(rows, _RESULT)

    return judge


def series_of(cells: pa.Table, arithmetic: Mapping[str, float]) -> Series:
    """Return the series of one instrument's judged cells."""
    instrument = cells["instrument_id"][0].as_py()
    level = arithmetic.get(instrument)
    days = cells["date"].to_numpy().astype("datetime64[D]")
    order = np.argsort(days, kind="stable")
    good = pc.is_valid(cells["price"]).to_numpy()[order]
    days = days[order]
    prices, adjusted = (cells[name].to_numpy()[order][good] for name in ("price", "adjusted_price"))
    bad = cells.take(pa.array(order[~good])) if not good.all() else cells.slice(0, 0)
    return Series(
        instrument,
        days[good],
        prices,
        # An adjusted close may be missing where the close is there.
        np.where(np.isfinite(adjusted) & ((adjusted > 0.0) | (level is not None)), adjusted, prices),
        days[~good],
        tuple(text or "" for text in bad["price_text"].to_pylist()),
        tuple(reason or "" for reason in bad["reason"].to_pylist()),
        level,
    )


def _row(one: Finding) -> dict[str, object]:
    return {
        "instrument_id": one.instrument,
        "kind": one.kind,
        "severity": one.severity,
        "first_date": one.first.item(),
        "last_date": one.last.item(),
        "count": one.count,
        "value": one.value,
        "text": one.text,
        "advice": one.advice,
    }


def _finding(row: dict[str, object]) -> Finding:
    first, last = (np.datetime64(row[name], "D") for name in ("first_date", "last_date"))  # type: ignore[call-overload]
    names = ("kind", "severity", "instrument_id")
    kind, severity, instrument = (row[name] for name in names)
    return Finding(
        kind, severity, instrument, first, last, row["count"], row["value"], row["text"], row["advice"]  # type: ignore[arg-type]
    )  # fmt: skip


def _digest(row: dict[str, object]) -> Digest:
    first, last = (np.datetime64(row[name], "D") for name in ("first_date", "last_date"))  # type: ignore[call-overload]
    projected, moves = (row[name] or b"" for name in ("projected", "moves"))
    return Digest(
        str(row["instrument_id"]),
        first,
        last,
        float(row["value"]),  # type: ignore[arg-type]
        np.frombuffer(projected, np.float64),  # type: ignore[call-overload]
        np.frombuffer(moves, np.float32),  # type: ignore[call-overload]
    )


def findings_table(findings: Sequence[Finding], load_id: str) -> pa.Table:
    """Return findings as rows of silver.price_findings; those with the same key are put together."""
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for one in findings:
        row = _row(one) | {"load_id": load_id}
        key = (row["instrument_id"], row["kind"], row["first_date"])
        if key in rows:
            rows[key]["text"] = f"{rows[key]['text']}; {one.text}"
        else:
            rows[key] = row
    fields = [field for field in _RESULT if field.name not in ("projected", "moves")]
    return pa.Table.from_pylist(list(rows.values()), pa.schema([*fields, ("load_id", pa.string())]))
