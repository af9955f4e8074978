"""A delivered history against the one that is held: re-adjusted by a constant, or changed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import functions as F

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import column
from acceleray.quant.price_findings.finding import Finding, plain
from acceleray.runtime.run import Run
from acceleray.stages.ingest.corrections import Corrections
from acceleray.stages.ingest.grouped import Here
from acceleray.stages.ingest.moved import Moved
from acceleray.stages.ingest.quality import Judged
from acceleray.tables import PRICE_FINDINGS, PRICES

KINDS_OF_HISTORY = ("readjusted", "history_changed")

_BOTH = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("date", pa.date32()),
        ("price_text", pa.string()),
        ("given", pa.float64()),
        ("held", pa.float64()),
    ]
)
_MEASURED = pa.schema(
    [
        ("instrument_id", pa.string()),
        ("number", pa.int64()),
        ("first", pa.date32()),
        ("last", pa.date32()),
        ("above", pa.float64()),
        ("below", pa.float64()),
        ("usual", pa.float64()),
    ]
)
_MEASURED_SQL = (
    "instrument_id string, number long, first date, last date, above double, below double, usual double"
)
# The last decimal that was written; of 1,234.50 and of 1e-5 it is the second and the fifth.
_DECIMALS = r"[.,](?P<decimals>[0-9]+)\s*$"


def history_findings(
    run: Run, judged: Judged, moved: Moved | None, load_id: str, corrections: Corrections
) -> list[Finding]:
    """Return what changed in prices that the source delivered before; nothing is invalidated by it.

    Prices are equal to those held if they differ by less than a step in the last decimal of the delivered
    text. Those that differ are a re-adjustment if one factor explains all of them, to the same precision.

    Instruments that the corrections file changes are left out: what differs in them is its doing. A run that
    finds the very prices that are held returns what was found when they were new.

    Args:
        run: the run, whose tables still hold the prices from before.
        judged: what is given.
        moved: the prices that differ from those held; None where Spark compares.
        load_id: of what is given.
        corrections: lines of the corrections file.
    """
    if not run.lake.exists(PRICES):
        return []
    levels, done = run.settings.market_data.arithmetic, {one.instrument for one in corrections.changing}
    if moved is None:
        same, measured = _by_spark(run, judged, levels)
    else:
        same, measured = moved.same, _each(_differing(moved), levels)
    if same:
        return _remembered(run, load_id)
    rows = sorted(measured.to_pylist(), key=lambda row: row["instrument_id"])
    return [
        _finding(row, levels.get(row["instrument_id"])) for row in rows if row["instrument_id"] not in done
    ]


def measure(its: pa.Table, level: float | None) -> pa.Table:
    """Return one row on how an instrument's prices differ from those held, none if they do not.

    Args:
        its: date, price_text, and the adjusted prices `given` and `held` of one instrument, by date.
        level: that of arithmetic changes, or None.
    """
    given, held = column(its, "given"), column(its, "held")
    step = _step(its["price_text"])
    if level is None:
        ratio = given / held
        # Both were rounded; and the last bits of a computed price are no change.
        slack = (step / np.minimum(given, held) + 1e-9) * ratio
    else:
        # A change in place of a ratio, in the same unit as returns: held prices may be zero.
        ratio, slack = 1.0 + (given - held) / level, step / level + 1e-9
    differs = np.abs(ratio - 1.0) > slack
    if not differs.any():
        return _MEASURED.empty_table()
    days, ratio, slack = its["date"].to_numpy()[differs], ratio[differs], slack[differs]
    row = {
        "instrument_id": its["instrument_id"][0].as_py(),
        "number": days.size,
        "first": days[0].item(),
        "last": days[-1].item(),
        "above": np.max(ratio - slack),
        "below": np.min(ratio + slack),
        "usual": np.median(ratio),
    }
    return pa.Table.from_pylist([row], _MEASURED)


def _step(texts: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a step in the last decimal of each text, 0 where it has an exponent, shape (texts,)."""
    decimals = pc.struct_field(pc.extract_regex(texts, _DECIMALS), "decimals")
    length = pc.fill_null(pc.utf8_length(decimals), 0).to_numpy().astype(np.float64)
    return np.where(pc.match_substring_regex(texts, "[eE]").to_numpy(), 0.0, np.power(10.0, -length))


def _differing(moved: Moved) -> pa.Table:
    given, held = moved.both()
    # Rows of a release that kept one price have no other.
    before = pc.coalesce(held["adjusted_price"], held["price"])
    columns = [given["instrument_id"], given["date"], given["price_text"], given["adjusted_price"], before]
    return pa.table(columns, schema=_BOTH)


def _each(both: pa.Table, levels: Mapping[str, float]) -> pa.Table:
    """Return `measure` of each instrument."""
    series = Here.of(both).tables if len(both) else ()
    found = [measure(its.sort_by("date"), levels.get(its["instrument_id"][0].as_py())) for its in series]
    return pa.concat_tables([_MEASURED.empty_table(), *found])


def _by_spark(run: Run, judged: Judged, levels: Mapping[str, float]) -> tuple[bool, pa.Table]:
    """Return whether the very prices given are held, and `measure` of each instrument."""
    assert judged.rows is not None
    held = F.coalesce("adjusted_price", "price").alias("held")
    before = run.lake.read(PRICES, run.source).select(
        "instrument_id", "date", F.col("price").alias("closed"), held
    )
    now = judged.rows.where("price IS NOT NULL")
    joined = now.join(before, ["instrument_id", "date"], "full")
    rest = "price IS NULL OR closed IS NULL OR price != closed OR adjusted_price != held"
    if not joined.where(rest).limit(1).count():
        return True, _MEASURED.empty_table()

    def measured(its: pa.Table) -> pa.Table:
        return measure(its.sort_by("date"), levels.get(its["instrument_id"][0].as_py()))

    given = F.col("adjusted_price").alias("given")
    differs = joined.where("adjusted_price != held").select(
        "instrument_id", "date", "price_text", given, "held"
    )
    rows = differs.groupBy("instrument_id").applyInArrow(measured, _MEASURED_SQL)
    return False, rows.toArrow().cast(_MEASURED)


def _finding(row: dict[str, object], level: float | None) -> Finding:
    name, number, usual = str(row["instrument_id"]), int(row["number"]), float(row["usual"])  # type: ignore[call-overload, arg-type]
    first, last = np.datetime64(row["first"], "D"), np.datetime64(row["last"], "D")  # type: ignore[call-overload]
    span = f"{counted(number, 'stored price')}, {first} to {last},"
    # One price alone is always explained by one factor.
    if number > 1 and float(row["above"]) <= float(row["below"]):  # type: ignore[arg-type]
        how = f"times {plain(usual)}" if level is None else f"plus {plain((usual - 1.0) * level)}"
        text = f"{span} were delivered again {how}: the source adjusted its history"
        return Finding("readjusted", "info", name, first, last, number, usual, text)
    middle = f"{plain(usual)} times the stored ones"
    if level is not None:
        middle = f"the stored ones plus {plain((usual - 1.0) * level)}"
    text = f"{span} were delivered again with other values, median {middle}"
    advice = "ask the source why; earlier runs used the stored prices"
    return Finding("history_changed", "warning", name, first, last, number, usual, text, advice)


def _remembered(run: Run, load_id: str) -> list[Finding]:
    if not run.lake.exists(PRICE_FINDINGS):
        return []
    kept = run.rows(PRICE_FINDINGS, kind=KINDS_OF_HISTORY, load_id=[load_id])
    order = [(name, "ascending") for name in ("instrument_id", "kind", "first_date")]
    return [
        Finding(
            row["kind"],
            row["severity"],
            row["instrument_id"],
            np.datetime64(row["first_date"], "D"),
            np.datetime64(row["last_date"], "D"),
            row["count"],
            row["value"],
            row["text"],
            row["advice"],
        )
        for row in kept.sort_by(order).to_pylist()
    ]
