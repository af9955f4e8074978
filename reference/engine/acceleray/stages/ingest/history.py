"""A delivered history against the one that is held: re-adjusted by a constant, or changed."""

from __future__ import annotations

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from acceleray.quant.price_findings.finding import Finding, counted, plain
from acceleray.runtime.run import Run
from acceleray.stages.ingest.corrections import Corrections
from acceleray.tables import PRICE_FINDINGS, PRICES

KINDS_OF_HISTORY = ("readjusted", "history_changed")


def history_findings(run: Run, judged: DataFrame, load_id: str, corrections: Corrections) -> list[Finding]:
    """Return what changed in prices that the source delivered before; nothing is invalidated by it.

    Prices are equal to those held if they differ by less than a step in the last decimal of the delivered
    text. Those that differ are a re-adjustment if one factor explains all of them, to the same precision.

    Instruments that the corrections file changes are left out: what differs in them is its doing. A run that
    finds its own load returns what was found when it was new.
    """
    if not run.lake.exists(PRICES):
        return []
    held = run.lake.read(PRICES, run.source)
    newest = held.select("load_id").limit(1).collect()
    if not newest:
        return []
    if newest[0]["load_id"] == load_id:
        return _remembered(run, load_id)
    # Rows of a release that kept one price have no other.
    before = held.select("instrument_id", "date", F.coalesce("adjusted_price", "price").alias("held"))
    # The last decimal that was written; of 1,234.50 and of 1e-5 it is the second and the fifth.
    decimals = F.length(F.regexp_extract("price_text", r"[.,]([0-9]+)\s*$", 1))
    step = F.when(F.col("price_text").rlike("[eE]"), 0.0).otherwise(F.pow(F.lit(10.0), -decimals))
    known = judged.where("price IS NOT NULL")
    if named := sorted({one.instrument for one in corrections.changing}):
        known = known.where(~F.col("instrument_id").isin(*named))
    now = known.select("instrument_id", "date", F.col("adjusted_price").alias("given"), step.alias("step"))
    ratio = F.col("given") / F.col("held")
    # Both were rounded; and the last bits of a computed price are no change.
    slack = (F.col("step") / F.least("given", "held") + 1e-9) * ratio
    levels = run.settings.market_data.arithmetic
    for name, level in levels.items():
        # A change in place of a ratio, in the same unit as returns: held prices may be zero.
        its = F.col("instrument_id") == name
        ratio = F.when(its, 1.0 + (F.col("given") - F.col("held")) / level).otherwise(ratio)
        slack = F.when(its, F.col("step") / level + 1e-9).otherwise(slack)
    both = now.join(before, ["instrument_id", "date"]).select(
        "instrument_id", "date", ratio.alias("ratio"), slack.alias("slack")
    )
    differs = both.where(F.abs(F.col("ratio") - 1.0) > F.col("slack"))
    rows = differs.groupBy("instrument_id").agg(
        F.count("*").alias("number"),
        F.min("date").alias("first"),
        F.max("date").alias("last"),
        F.max(F.col("ratio") - F.col("slack")).alias("above"),
        F.min(F.col("ratio") + F.col("slack")).alias("below"),
        F.median("ratio").alias("usual"),
    )
    found = rows.orderBy("instrument_id").collect()
    return [_finding(row.asDict(), levels.get(row["instrument_id"])) for row in found]


def _finding(row: dict[str, object], level: float | None) -> Finding:
    name, number, usual = str(row["instrument_id"]), int(row["number"]), float(row["usual"])  # type: ignore[call-overload, arg-type]
    first, last = np.datetime64(row["first"], "D"), np.datetime64(row["last"], "D")  # type: ignore[call-overload]
    span = f"{counted(number, 'held price')}, {first} to {last},"
    # One price alone is always explained by one factor.
    if number > 1 and float(row["above"]) <= float(row["below"]):  # type: ignore[arg-type]
        how = f"times {plain(usual)}" if level is None else f"plus {plain((usual - 1.0) * level)}"
        text = f"{span} came again {how}: the source adjusted its history"
        return Finding("readjusted", "info", name, first, last, number, usual, text)
    middle = f"{plain(usual)} times the held ones"
    if level is not None:
        middle = f"the held ones plus {plain((usual - 1.0) * level)}"
    text = f"{span} came again with other values, {middle} in the middle"
    advice = "ask the source why; results of earlier runs were computed from the held ones"
    return Finding("history_changed", "warning", name, first, last, number, usual, text, advice)


def _remembered(run: Run, load_id: str) -> list[Finding]:
    if not run.lake.exists(PRICE_FINDINGS):
        return []
    kept = run.lake.read(PRICE_FINDINGS, run.source).where(
        F.col("kind").isin(*KINDS_OF_HISTORY) & (F.col("load_id") == load_id)
    )
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
        for row in kept.orderBy("instrument_id", "kind", "first_date").collect()
    ]
