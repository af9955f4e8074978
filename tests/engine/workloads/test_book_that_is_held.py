"""A desk's own portfolios, two evenings in a row: backtested as held, reported, and met by their P&L."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from workloads.in_process import project, rows, run_recipe
from workloads.running import Ran

pytestmark = [pytest.mark.ray, pytest.mark.nightly]
YESTERDAY, TODAY = date(2022, 12, 27), date(2022, 12, 28)
POSITIONS = """Holdings of the desk
portfolio_id,instrument_id,weight
LONG,AAPL,0.6
LONG,JPM,0.3
PAIRS,XOM,0.5
PAIRS,WMT,-0.5
"""
PORTFOLIOS = """portfolio_id,name,base_currency,nav,parent_id
DESK,The desk,USD,,
LONG,Long only,USD,3000000,DESK
PAIRS,Pairs,USD,1000000,DESK
"""
SMALL = (
    "factors.source=sample",
    "calibration.window_d=900",
    "calibration.first_fit_d=900",
    "calibration.refit_every_d=90",
    "simulation.residual_window_d=900",
    "stress.scenarios=20000",
    "backtest.null_records=250",
    "book.source=csv",
)
PRICED = {"DESK": ("LONG", "PAIRS"), "LONG": ("LONG",), "PAIRS": ("PAIRS",)}
NAV = {"LONG": 3e6, "PAIRS": 1e6}


@pytest.fixture(scope="module")
def evenings(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> tuple[Path, list[Ran]]:
    home = tmp_path_factory.mktemp("evenings")
    project(home)
    (home / "positions.csv").write_text(POSITIONS)
    (home / "portfolios.csv").write_text(PORTFOLIOS)
    settings = (
        *SMALL,
        f"book.path={home / 'positions.csv'}",
        f"book.portfolios_path={home / 'portfolios.csv'}",
    )
    ran = [
        run_recipe("risk_stress_testing", home, spark, *settings, f"as_of={day}")
        for day in (YESTERDAY, TODAY, TODAY)
    ]
    assert [each.code for each in ran] == [0, 0, 0], ran[0].error + ran[1].error
    return home, ran


def test_every_portfolio_is_judged_and_the_book_has_one_verdict(evenings: Any, spark: Any) -> None:
    _, ran = evenings
    assert "3 of 3 portfolios pass alone; none rejected of 3 portfolios tested together" in ran[0].out
    found = rows(spark, ran[0], "gold.backtest_verdicts")
    of = {(row["portfolio_id"], row["model"]) for row in found}
    assert {name for name, _ in of} == {"DESK", "LONG", "PAIRS"}
    assert sum(name == "DESK" for name, _ in of) == 4
    assert {row["covered_pct_gross"] for row in found} == {100.0}


def test_a_line_that_is_not_part_of_the_table_stands_at_the_top_of_the_report(evenings: Any) -> None:
    _, ran = evenings
    for each in ran:
        text = each.report.read_text(encoding="utf-8")
        said = "<li>Skipped, above or below the table: line 1 of positions.csv.</li>"
        assert text.index(said) < text.index("<h1>")


def test_tonight_the_day_is_joined_to_what_was_reported_yesterday(evenings: Any, spark: Any) -> None:
    _, ran = evenings
    joined = rows(spark, ran[-1], "gold.realised_pnl")
    returns = {
        row["instrument_id"]: row["return_1d"]
        for row in rows(spark, ran[-1], "gold.returns")
        if row["date"] == TODAY
    }
    own = {
        "LONG": 0.6 * returns["AAPL"] + 0.3 * returns["JPM"],
        "PAIRS": 0.5 * (returns["XOM"] - returns["WMT"]),
    }
    # One row for each portfolio and method, however often the run of today is repeated.
    assert len(joined) == 6
    for row in joined:
        by_hand = sum(NAV[part] * own[part] for part in PRICED[row["portfolio_id"]])
        assert row["hypothetical_pnl"] == pytest.approx(by_hand, rel=1e-9)
        assert (row["date"], row["forecast_as_of"], row["covered_pct_gross"]) == (TODAY, YESTERDAY, 100.0)
    reported = rows(spark, ran[-1], "gold.risk_reported")
    assert {row["revision"] for row in reported} == {1}
    assert {row["as_of"] for row in reported} == {YESTERDAY, TODAY}
    record = rows(spark, ran[-1], "gold.live_record")
    assert [(row["as_of"], row["days"], row["basel_zone"]) for row in record] == [(TODAY, 1, None)] * 6
