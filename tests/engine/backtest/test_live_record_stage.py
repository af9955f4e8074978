"""The live record on real Spark and Delta: kept once, restated with a reason, and never rewritten."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.errors import PortfolioError
from acceleray.runtime.evidence import record
from acceleray.runtime.run import Run
from acceleray.stages.backtest.live.stage import keep_live_record
from acceleray.stages.book.book import Book
from acceleray.tables import LIVE_RECORD, REALISED_PNL, RISK_MEASURES, RISK_REPORTED

DAYS = np.array(["2024-05-02", "2024-05-03", "2024-05-06"], dtype="datetime64[D]")
RETURNS = np.array([[0.0, 0.0], [0.01, 0.02], [-0.10, 0.03]])
BOOK = Book.plain(
    ("DESK", "SHORT"), ("A", "B"), np.array([[0.6, 0.3], [-0.5, 0.2]]), 1e6, "EUR", origins=("reported",) * 2
)


def ran(run: Run, days: int, var: float, load: str = "load") -> list[dict[str, Any]]:
    """Return the live record after a run on the first so many days, with a value at risk in % of NAV."""
    as_of = DAYS[days - 1].astype(date)
    run.source = "csv:test"
    run.workload = "risk_stress_testing"
    tracker: Any = run.tracker
    tracker.run_id = "mlflow"
    run.identify(load, as_of)
    rows = [
        {
            "method": "filtered_historical",
            "portfolio_id": name,
            "measure": measure,
            "confidence": confidence,
            "horizon_d": 1,
            "value": var * 1e4,
            "value_pct_nav": var,
            "standard_error": 0.0,
            "error_of": "window",
            "currency": "EUR",
        }
        for name in BOOK.portfolios
        for measure, confidence in (("value_at_risk", 0.99), ("expected_shortfall", 0.975))
    ]
    run.commit(RISK_MEASURES, pa.Table.from_pylist(rows))
    found = keep_live_record(run, Panel(DAYS[:days], ("A", "B"), RETURNS[:days]), BOOK)
    record(run)
    return found


def every(run: Run, table: Any) -> list[dict[str, Any]]:
    key = [name for name in table.key if name != "run_id"]
    rows = run.lake.rows(table).to_pylist()
    return sorted(rows, key=lambda row: [row["as_of"], *(row[name] for name in key)])


def test_a_forecast_is_kept_as_reported_and_meets_the_pnl_of_the_day_after(
    new_project: Callable[[], Callable[..., Run]],
) -> None:
    make_run = new_project()
    assert ran(make_run(), 2, 2.0) == []
    first = every(make_run(), RISK_REPORTED)
    assert [(row["portfolio_id"], row["measure"], row["revision"]) for row in first] == [
        ("DESK", "expected_shortfall", 1),
        ("DESK", "value_at_risk", 1),
        ("SHORT", "expected_shortfall", 1),
        ("SHORT", "value_at_risk", 1),
    ]
    assert {row["reason"] for row in first} == {""}
    # The same run again adds nothing: not a row, not a version.
    run = make_run()
    version = run.lake.version(RISK_REPORTED)
    ran(run, 2, 2.0)
    assert run.lake.version(RISK_REPORTED) == version
    assert every(run, RISK_REPORTED) == first
    # The next day: 0.6 x -10 % + 0.3 x 3 % of a million lost, and 5.6 % earned by the short.
    run = make_run()
    found = ran(run, 3, 2.0)
    assert [(row["portfolio_id"], row["days"], row["exceptions"]) for row in found] == [
        ("DESK", 1, 1),
        ("SHORT", 1, 0),
    ]
    joined = every(run, REALISED_PNL)
    assert [row["hypothetical_pnl"] for row in joined] == pytest.approx([-51_000.0, 56_000.0])
    assert {row["date"] for row in joined} == {date(2024, 5, 6)}
    assert {row["forecast_run_id"] for row in joined} == {first[0]["run_id"]}
    assert {row["reported_late"] for row in joined} == {True}
    assert run.rows(LIVE_RECORD).num_rows == 2


def test_other_numbers_are_added_with_a_reason_and_nothing_is_rewritten(
    new_project: Callable[[], Callable[..., Run]],
) -> None:
    make_run = new_project()
    ran(make_run(), 2, 2.0)
    before = every(make_run(), RISK_REPORTED)
    run = make_run()
    ran(run, 2, 2.5, load="other prices")
    after = every(run, RISK_REPORTED)
    assert [row for row in after if row["revision"] == 1] == before
    restated = [row for row in after if row["revision"] == 2]
    assert len(restated) == len(before)
    assert {row["reason"] for row in restated} == {
        f"restated: 2 % of NAV in run {before[0]['run_id']}; changed: prices"
    }
    # Delta itself refuses to change a row.
    with pytest.raises(Exception, match="DELTA_CANNOT_MODIFY_APPEND_ONLY"):
        run.lake.spark.sql(f"DELETE FROM {run.lake.identifier(RISK_REPORTED)}")
    with pytest.raises(RuntimeError, match="append only"):
        run.commit(RISK_REPORTED, pa.Table.from_pylist(before))


def test_actual_pnl_is_joined_when_it_is_booked(
    new_project: Callable[[], Callable[..., Run]], tmp_path: Any
) -> None:
    make_run = new_project()
    ran(make_run(), 2, 2.0)
    ran(make_run(), 3, 2.0)
    path = tmp_path / "pnl.csv"
    booked = "portfolio_id,date,pnl,currency\nDESK,2024-05-06,-12000,EUR\nOTHER,2024-05-06,1,USD\n"
    # Of the first three days no forecast was reported; the last one is after the as-of date.
    early = "DESK,2024-05-02,1,EUR\nSHORT,2024-05-02,2,EUR\nDESK,2024-05-03,3,EUR\nDESK,2024-04-30,4,EUR\n"
    path.write_text(booked + early + "SHORT,2024-05-06,,EUR\nDESK,2024-05-07,5,EUR\n")
    run = make_run("pnl.source=csv", f"pnl.path={path}")
    found = ran(run, 3, 2.0)
    assert run.notices.lines == (
        "actual P&L of OTHER is not used: the book has no such portfolio",
        f"pnl.path {path}: a row without portfolio, date or amount is not used: SHORT on 2024-05-06",
        "actual P&L of DESK, SHORT on 3 days, the first 2024-04-30 and the last 2024-05-03, is not used: no"
        " forecast was reported for those days",
    )
    assert [(row["portfolio_id"], row["pnl"], row["exceptions"]) for row in found] == [
        ("DESK", "hypothetical", 1),
        ("DESK", "actual", 0),
        ("SHORT", "hypothetical", 0),
    ]
    rows = [row for row in every(run, REALISED_PNL) if row["portfolio_id"] == "DESK"]
    assert [(row["revision"], row["actual_pnl"], row["actual_exception"]) for row in rows] == [
        (1, None, None),
        (2, -12_000.0, False),
    ]
    path.write_text("portfolio_id,date,pnl,currency\nDESK,2024-05-06,-12000,USD\n")
    with pytest.raises(PortfolioError, match="gives the P&L of DESK on 2024-05-06 in USD"):
        ran(make_run("pnl.source=csv", f"pnl.path={path}"), 3, 2.0)
