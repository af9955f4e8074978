"""The stage on real Delta: the run before is found, taken up again, and only what changed has a part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from acceleray.runtime.run import Run
from acceleray.stages.calibrate.fits import fit_table
from acceleray.stages.change.stage import explain_change
from acceleray.stages.simulate.stage import simulate
from acceleray.tables import BOOK_LINES, CALIBRATION, RISK_CHANGE, RUNS
from change.two_days import NAMES, Inputs, inputs, returns
from simulate.serial import SerialFanOut

OVERRIDES = (
    "calibration.window_d=500",
    "simulation.residual_window_d=250",
    "simulation.scenarios=5000",
    "simulation.horizons_d=[1, 10]",
)
DAYS = (date(2022, 12, 27), date(2022, 12, 28))


def explained(make_run: Callable[..., Run], as_of: date, made_of: Inputs, workload: str = "stress") -> Run:
    """Simulate, commit what the next run needs, explain the change and record the run."""
    run = make_run(*OVERRIDES)
    fan_out: Any = SerialFanOut()
    run.fan_out, run.workload = fan_out, workload
    run.identify("load", as_of)
    fits = fit_table(made_of.calibration.fits).append_column("instrument_id", pa.array(NAMES))
    for name in ("filled_share", "previous_fitted_on", "volatility_drift"):
        fits = fits.append_column(name, pa.nulls(len(NAMES), CALIBRATION.arrow_schema.field(name).type))
    run.commit(CALIBRATION, fits)
    horizons = simulate(run, made_of.calibration, made_of.book)
    explain_change(run, made_of.calibration, made_of.book, horizons)
    ended = {"workload": workload, "source": run.source, "load_id": "load", "code_version": "c", "seed": 1}
    ended |= {"settings_json": "{}", "mlflow_run_id": "m", "finished_at": datetime(2023, 1, 1, tzinfo=UTC)}
    run.commit(RUNS, pa.Table.from_pylist([ended | {"model_uri": ""}]))
    return run


def test_a_position_that_changed_is_all_of_the_change(make_run: Callable[..., Run]) -> None:
    panel = returns()
    first = explained(make_run, DAYS[0], inputs(panel, [0.5, 0.5, 0.0]))
    assert first.rows(RISK_CHANGE).num_rows == 0
    assert first.rows(BOOK_LINES).num_rows == 2
    # A run of another workload in between is not the run before.
    explained(make_run, DAYS[0], inputs(panel, [0.1, 0.1, 0.1]), workload="end_to_end")
    run = explained(make_run, DAYS[1], inputs(panel, [1.0, 0.5, 0.0]))
    found = run.rows(RISK_CHANGE).to_pylist()
    assert len(found) == 4
    for row in found:
        assert (row["run_id_before"], row["as_of_before"]) == (first.identity.run_id, DAYS[0])
        assert row["positions_pct_nav"] == row["change_pct_nav"] > 0.1
        others = ("instruments", "market", "parameters", "remainder")
        assert [row[f"{name}_pct_nav"] for name in others] == [0.0] * 4
        assert row["reason"] == ""
