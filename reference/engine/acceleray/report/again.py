"""The pages of a finished run, written again from the tables that keep it: nothing is computed again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from acceleray.errors import PortfolioError
from acceleray.extend import Section
from acceleray.report import workbook
from acceleray.report.desk import overview
from acceleray.report.formats import in_units_of
from acceleray.report.model_document.run_rows import Kept, reads
from acceleray.report.page import Page
from acceleray.report.rows import Reads
from acceleray.settings import Settings
from acceleray.tables import RUNS, Table

PAGES = {
    "portfolio_model_calibration": "calibration",
    "end_to_end_pipeline": "end_to_end",
    "risk_stress_testing": "stress",
    "investment_signal_prioritization": "signals",
    "hyperparameter_tuning": "tuning",
}
"""By workload the room of its page; the pages of other workloads need more than tables keep."""
DESKS = ("risk_stress_testing", "end_to_end_pipeline")


def run_of(kept: Kept, run_id: str | None, workloads: Sequence[str] = DESKS) -> dict[str, Any]:
    """Return the row in gold.runs of a run, or of the newest of some workloads.

    Raises:
        PortfolioError: there is none.
    """
    runs = kept.rows(RUNS).to_pylist()
    if run_id is not None:
        found = [run for run in runs if run["run_id"] == run_id]
        if not found:
            raise PortfolioError(
                f"No finished run is called {run_id}; `portfolio show gold.runs` lists them."
            )
        return found[0]
    found = [run for run in runs if run["workload"] in workloads]
    if not found:
        raise PortfolioError(
            "No finished run has a report of the book; `portfolio run end_to_end_pipeline` makes one."
        )
    return max(found, key=lambda run: (run["as_of"], run["finished_at"], run["run_id"]))


def write_page(
    kept: Kept, run: dict[str, Any], settings: Settings, folder: Path, own: Sequence[Section] = ()
) -> Path:
    """Write the page of a run, and those of its portfolios, to a folder; return the path of the first.

    Raises:
        PortfolioError: its workload has a page that needs more than the tables keep.
    """
    workload = run["workload"]
    if workload not in PAGES:
        raise PortfolioError(
            f"The report of {workload} cannot be written from its tables; run the workload again."
        )
    module = _module(workload)
    page: Page = module.PAGE
    path = folder / f"{workload}-{run['as_of']}-{run['run_id']}.html"
    return page.write(rows_of(kept, run), settings, path, own)


def write_workbook(kept: Kept, run: dict[str, Any], settings: Settings, path: Path) -> Path:
    """Write the tables of a run to an XLSX file and return its path.

    Raises:
        PortfolioError: the file cannot be written.
    """
    read = rows_of(kept, run)
    with in_units_of(settings.market_data.unit):
        return workbook.write(read, overview.gather(read, settings), path)


def other_settings(run: dict[str, Any], settings: Settings) -> list[str]:
    """Return the settings in which a run differs from those of now: these would give other numbers."""
    then, now = json.loads(run["settings_json"]), json.loads(json.dumps(settings.numbers(), default=str))
    return sorted(_differing(then, now))


def rows_of(kept: Kept, run: dict[str, Any]) -> Reads:
    """Return what gives the rows of a run; each table is read once."""
    read, tables = reads(kept, run["run_id"], run["source"]), {}

    def once(table: Table, per: Sequence[str] = (), **among: Sequence[Any]) -> pa.Table:
        if per:
            return read(table, per, **among)
        key = (table.label, *table.column_names)
        if key not in tables:
            tables[key] = read(table)
        rows = tables[key]
        for name, values in among.items():
            few = pa.array(list(values), rows.schema.field(name).type)
            rows = rows.filter(pc.is_in(rows[name], value_set=few))
        return rows

    return once


def _module(workload: str) -> Any:
    return import_module(f"acceleray.report.{PAGES[workload]}.page")


def _differing(then: Any, now: Any, name: str = "") -> list[str]:
    if not (isinstance(then, dict) and isinstance(now, dict)):
        return [] if then == now else [name]
    found: list[str] = []
    for key in {*then, *now}:
        found += _differing(then.get(key), now.get(key), f"{name}.{key}".lstrip("."))
    return found
