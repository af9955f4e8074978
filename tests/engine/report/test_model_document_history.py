"""The document of a risk model among runs: which it is of, what changed since, what a run lacks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from acceleray import tables as t
from acceleray.errors import PortfolioError
from acceleray.report.model_document.context import context, models
from acceleray.settings import Settings
from report.conftest import Page
from report.invented_history import History, history
from report.invented_rows import Rows

pytestmark = pytest.mark.usefixtures("no_drawing")


def test_the_change_log_names_settings_and_numbers_that_moved_since_the_run_before(
    runs: History, written: Callable[..., tuple[Page, str]]
) -> None:
    (now,) = [row for row in runs[t.RUNS] if row["run_id"] == "r-2"]
    settings = json.loads(now["settings_json"])
    settings["simulation"]["residual_window_d"] = 500
    now |= {"settings_json": json.dumps(settings), "load_id": "ef" * 32}
    for row in runs[t.BACKTEST_VERDICTS]:
        if row["run_id"] == "r-2":
            row["exceptions"] = 19
    page, _ = written(runs)
    assert page.row("simulation.residual_window_d")[1:3] == ["2,000", "500"]
    assert page.row("load id")[1:3] == ["ab" * 32, "ef" * 32]
    assert page.row("exceptions")[2] == "19"
    first, _ = written(runs, run_id="r-1")
    assert "It is the first model of its kind from this price source." in first.text
    # A document looks back only: what came after a run is not in its change log.
    assert "r-2" not in first.text


def test_models_of_another_price_source_are_not_compared_with(
    runs: History, written: Callable[..., tuple[Page, str]]
) -> None:
    runs[t.RUNS][0]["source"] = "sample"
    page, _ = written(runs)
    assert "It is the first model of its kind from this price source." in page.text


def test_findings_of_a_later_load_are_said_to_be_that(
    runs: History, written: Callable[..., tuple[Page, str]]
) -> None:
    finding = {
        "source": "csv:prices.csv",
        "instrument_id": "AAA",
        "kind": "split",
        "first_date": date(2020, 8, 31),
        "last_date": date(2020, 8, 31),
        "severity": "warning",
        "count": 1,
        "value": -0.75,
        "text": "fell by 75 % | *overnight*",
        "advice": "adjust",
        "load_id": "ab" * 32,
    }
    runs[t.PRICE_FINDINGS].append(finding)
    page, text = written(runs)
    assert page.row("warning", "split", "AAA")[-2] == "fell by 75 % | *overnight*"
    assert "fell by 75 % \\| \\*overnight\\*" in text
    assert "later load" not in page.text
    finding["load_id"] = "00" * 32
    page, _ = written(runs)
    assert "These findings are of a later load of the same source." in page.text


def test_a_run_that_backtested_only_says_what_it_lacks(
    run_rows: Callable[..., Rows], written: Callable[..., tuple[Page, str]]
) -> None:
    rows = run_rows()
    for table in t.ALL:
        if table not in (t.BACKTEST_VERDICTS, t.BACKTEST_FORECASTS, t.RUNS):
            rows.tables[table.label] = []
    page, _ = written(history(rows), run_id="r-1")
    assert "gold.calibration_history has no scheduled fit of this run." in page.text
    assert "This workload ran no stress scenario" in page.text


def test_a_run_without_such_a_model_is_one_plain_line(runs: History, page_settings: Settings) -> None:
    with pytest.raises(PortfolioError, match="Run x made no risk model; the latest that did is r-2"):
        context(runs, "risk", "x", page_settings)
    with pytest.raises(PortfolioError, match="no other run has; train one first"):
        context(runs, "signal", "x", page_settings)


def test_the_latest_model_comes_first_and_a_rollback_makes_none(runs: History) -> None:
    assert [each.run["run_id"] for each in models(runs, "risk")] == ["r-2", "r-1"]
    runs[t.RUNS][1]["workload"] = "rollback"
    assert [each.run["run_id"] for each in models(runs, "risk")] == ["r-1"]
