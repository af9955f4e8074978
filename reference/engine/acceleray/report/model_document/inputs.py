"""The section on data: which prices in which versions, what was found in them, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from acceleray.quant.price_findings.finding import SEVERITIES
from acceleray.report import lineage
from acceleray.report.formats import plural
from acceleray.report.model_document.cells import Row, fact, facts, grid, shown, source
from acceleray.report.model_document.context import Context
from acceleray.report.model_document.tree import Fact, Grid, Judgement, Part, Section, Words
from acceleray.report.rows import narrowed
from acceleray.tables import (
    CALIBRATION,
    PRICE_FINDINGS,
    PRICE_SERIES,
    PRICES_QUARANTINED,
    RUN_NOTICES,
    RUN_TABLES,
    RUNS,
)

SHOWN_FINDINGS = 30
_SHORT_HASH = 12


def section(told: Context) -> Section:
    """Return the section."""
    parts: list[Part] = [
        facts(_facts(told)),
        Words("Every table of this run, in the Delta version that each stage read or wrote."),
        _versions(told),
        *_findings(told),
        *_quarantined(told),
        *_notices(told),
    ]
    if told.kind == "risk":
        parts += _without_model(told)
    parts.append(
        Judgement(
            "why these data are appropriate and representative for the use above, who owns the source, and"
            " what was done about each finding of severity error or warning."
        )
    )
    return Section("data", "Data", tuple(parts))


def _facts(told: Context) -> list[Fact]:
    run = told.made.run
    rows = [
        fact("Price source", run, RUNS, "source"),
        fact("Received content, SHA-256", run, RUNS, "load_id"),
        fact("Last price date the run could see", run, RUNS, "as_of"),
    ]
    series = told.read(PRICE_SERIES).to_pylist()
    loaded = {row["load_id"] for row in series}
    if series and loaded != {run["load_id"]}:
        # Rows of a source are replaced by a later load; their numbers would not be this run's.
        said = "not shown: the source has been loaded again since, and these rows are of that load"
        return [*rows, Fact("Coverage of the prices", said, source(PRICE_SERIES, "load_id"))]
    if series:
        rows += [
            Fact(
                "Instruments with a price",
                shown(len(series)),
                f"{source(PRICE_SERIES, 'instrument_id')}, counted",
            ),
            Fact(
                "First price",
                shown(min(row["first_date"] for row in series)),
                source(PRICE_SERIES, "first_date"),
            ),
            Fact(
                "Last price",
                shown(max(row["last_date"] for row in series)),
                source(PRICE_SERIES, "last_date"),
            ),
            Fact(
                "Accepted prices",
                shown(sum(row["prices"] for row in series)),
                f"{source(PRICE_SERIES, 'prices')}, summed",
            ),
            Fact(
                "Received prices that were not accepted",
                shown(sum(row["quarantined"] for row in series)),
                f"{source(PRICE_SERIES, 'quarantined')}, summed",
            ),
        ]
    return rows


def _versions(told: Context) -> Part:
    found = lineage.gather(told.read, {}, str(told.made.run["run_id"]), told.settings, "")
    names = ("stage", "direction", "table_name", "version", "row_count", "fingerprint")
    return grid(
        RUN_TABLES,
        found.tables,
        columns=names,
        shorten={"fingerprint": lambda text: text[:_SHORT_HASH]},
    )


def _findings(told: Context) -> list[Part]:
    rows = told.read(PRICE_FINDINGS).to_pylist()
    if not rows:
        return [Words(f"Nothing was found in the prices that needs an explanation ({PRICE_FINDINGS.label}).")]
    load, found_in = told.made.run["load_id"], {row["load_id"] for row in rows}
    parts: list[Part] = []
    if found_in != {load}:
        parts.append(Words("These findings are of a later load of the same source."))
    rows.sort(key=lambda r: (SEVERITIES.index(r["severity"]), r["kind"], r["instrument_id"], r["first_date"]))
    counts = Counter(row["severity"] for row in rows)
    said = ", ".join(f"{counts[one]} of severity {one}" for one in SEVERITIES if counts[one])
    more = f"; the first {SHOWN_FINDINGS} are shown" if len(rows) > SHOWN_FINDINGS else ""
    names = ("severity", "kind", "instrument_id", "first_date", "last_date", "count", "text", "advice")
    caption = f"Findings about the prices: {said}{more}."
    return [*parts, grid(PRICE_FINDINGS, rows[:SHOWN_FINDINGS], caption, names)]


def _quarantined(told: Context) -> list[Part]:
    rows = told.read(narrowed(PRICES_QUARANTINED, "reason"), per=("reason",)).to_pylist()
    if not rows:
        return [Words(f"No received price was kept out ({PRICES_QUARANTINED.label}).")]
    lines = sorted(rows, key=lambda row: (-row["rows"], row["reason"]))
    listed = "; ".join(f"{plural(row['rows'], 'price')}: {row['reason']}" for row in lines)
    return [Words(f"Kept out ({source(PRICES_QUARANTINED, 'reason')}, counted): {listed}.")]


def _notices(told: Context) -> list[Part]:
    rows = sorted(told.read(RUN_NOTICES).to_pylist(), key=lambda row: row["place"])
    if not rows:
        return [Words(f"Nothing else was left out or taken otherwise than given ({RUN_NOTICES.label}).")]
    caption = "Left out of the numbers, or taken otherwise than given."
    return [grid(RUN_NOTICES, rows, caption, ("stage", "text"))]


def _without_model(told: Context) -> list[Part]:
    names = ("instrument_id", "status", "reason", "observations", "filled_share", "next_sigma")
    rows: Sequence[Row] = told.read(narrowed(CALIBRATION, *names)).to_pylist()
    odd = [row for row in rows if row["status"] != "calibrated" or (row["filled_share"] or 0.0) > 0.0]
    if not odd:
        return [Words(f"Every instrument has a separate model and no filled residual ({CALIBRATION.label}).")]
    odd.sort(key=lambda row: (row["status"], -(row["filled_share"] or 0.0), row["instrument_id"]))
    caption = (
        f"Instruments without a separate model, or with residuals filled by proxy: {len(odd)} of"
        f" {len(rows)}{f'; the first {SHOWN_FINDINGS} are shown' if len(odd) > SHOWN_FINDINGS else ''}."
    )
    found = grid(CALIBRATION, odd[:SHOWN_FINDINGS], caption, names)
    assert isinstance(found, Grid)
    return [found]
