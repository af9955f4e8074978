"""The run before: the newest earlier one of the same workload and price source, and what it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import rejected
from acceleray.runtime.run import Run
from acceleray.stages.calibrate.fits import fits_of
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.change.measured import Asked
from acceleray.stages.simulate.scenario_inputs import FILTERED_HISTORICAL
from acceleray.tables import BOOK_LINES, CALIBRATION, RISK_MEASURES, RUNS, Table
from acceleray.tables.contract import literal


@dataclass(frozen=True)
class RunBefore:
    """Reported risk of an earlier run, and its inputs.

    Attributes:
        run_id: of the run.
        as_of: its as-of date.
        reported: by portfolio id and measure, in % of NAV.
        lines: rows of gold.book_lines; none of an older release.
        fits: rows of gold.calibration.
    """

    run_id: str
    as_of: date
    reported: Mapping[tuple[str, Asked], float]
    lines: pa.Table
    fits: pa.Table


def run_before(run: Run) -> RunBefore | None:
    """Return the newest earlier run, of several of one date the one that ended last, or None."""
    if not run.lake.exists(RUNS):
        return None
    of_same = f"workload = {literal(run.workload)} AND source = {literal(run.source)}"
    where = f"{of_same} AND as_of < DATE'{run.as_of}'"
    found = run.lake.rows(RUNS, where=where, columns=("run_id", "as_of", "finished_at")).to_pylist()
    if not found:
        return None
    newest = max(found, key=lambda row: (row["as_of"], row["finished_at"], row["run_id"]))
    run_id = newest["run_id"]
    return RunBefore(
        run_id,
        newest["as_of"],
        reported_of(_rows(run, RISK_MEASURES, run_id)),
        _rows(run, BOOK_LINES, run_id),
        _rows(run, CALIBRATION, run_id),
    )


def reported_of(rows: pa.Table) -> dict[tuple[str, Asked], float]:
    """Return the measures of filtered historical simulation among rows of gold.risk_measures."""
    return {
        (row["portfolio_id"], Asked(row["measure"], row["confidence"], row["horizon_d"])): row[
            "value_pct_nav"
        ]
        for row in rows.to_pylist()
        if row["method"] == FILTERED_HISTORICAL
    }


def calibration_of(before: pa.Table, as_of: date, today: Calibration) -> Calibration:
    """Return the calibration of an earlier date on today's instruments, its returns cut at that date.

    An instrument that had no row then has no model.
    """
    fits = dict(zip(before.column("instrument_id").to_pylist(), fits_of(before), strict=True))
    none = rejected("the previous run did not have it", 0)
    return replace(
        today,
        returns=until(today.returns, as_of),
        fits=tuple(fits.get(name, none) for name in today.returns.instruments),
    )


def until(returns: Panel, last: date) -> Panel:
    """Return the rows of a panel up to a date."""
    count = int(np.searchsorted(returns.dates, np.datetime64(last), side="right"))
    span_d = None if returns.span_d is None else returns.span_d[:count]
    return replace(returns, dates=returns.dates[:count], values=returns.values[:count], span_d=span_d)


def _rows(run: Run, table: Table, run_id: str) -> pa.Table:
    if not run.lake.exists(table):
        return table.arrow_schema.empty_table()
    return run.lake.rows(table, run_id).sort_by([(name, "ascending") for name in table.key])
