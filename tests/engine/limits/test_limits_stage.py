"""The stage on real Spark and Delta: rows are committed, yesterday's use is found, and twice is once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.stages.limits.stage import Utilisation, compare_with_limits, read_limits
from acceleray.tables import LIMIT_UTILISATION, PORTFOLIOS, POSITIONS, RISK_MEASURES, RUNS
from limits.test_limits_utilisation import rows

TEXT = """
limits:
  - {id: var, measure: value_at_risk, portfolio: "*", limit: 4 %, owner: Desk, valid_from: 2020-01-01}
  - {id: gross, measure: gross_exposure, portfolio: LONG, limit: 80 %, owner: Desk, valid_from: 2020-01-01}
  - {id: later, measure: net_exposure, portfolio: LONG, limit: 80 %, owner: Desk, valid_from: 2023-01-01}
  - id: crash
    measure: stress_loss
    scenario: worst
    portfolio: LONG
    limit: 9 %
    owner: Desk
    valid_from: 2020-01-01
"""
DAYS = (date(2022, 12, 23), date(2022, 12, 27), date(2022, 12, 28))


def compared(
    run: Run, as_of: date, value_at_risk: float, workload: str = "stress", text: str = TEXT
) -> Utilisation:
    """Compare a run with one portfolio and one value at risk, in % of NAV, and record it."""
    (run.settings.project_dir / "conf" / "limits.yml").write_text(text, encoding="utf-8")
    run.workload = workload
    limits = read_limits(run.settings)
    run.identify("load", as_of, (limits.digest,))
    keys = {"run_id": run.identity.run_id, "as_of": as_of}

    def commit(table: Any, **values: Any) -> None:
        run.commit(table, rows(table, keys | values))

    commit(PORTFOLIOS, portfolio_id="LONG", nav=1e6, currency="USD")
    commit(POSITIONS, portfolio_id="LONG", instrument_id="A", weight=0.9)
    commit(
        RISK_MEASURES,
        portfolio_id="LONG",
        measure="value_at_risk",
        method="filtered_historical",
        horizon_d=1,
        confidence=0.99,
        value_pct_nav=value_at_risk,
    )
    found = compare_with_limits(run, limits)
    # Of two runs of one day the later counts; here the larger value at risk is that of the later one.
    finished_at = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=value_at_risk)
    commit(RUNS, workload=workload, source=run.source, finished_at=finished_at)
    return found


def test_use_is_committed_with_that_of_the_run_before(make_run: Callable[..., Run]) -> None:
    compared(make_run(), DAYS[0], 1.0)
    compared(make_run(), DAYS[1], 2.0)
    # Another workload, a later day and a run that was killed are no run before.
    compared(make_run(), DAYS[1], 3.0, workload="end_to_end")
    run = make_run()
    found = compared(run, DAYS[2], 3.2)
    assert (dict(found.counts), found.line()) == (
        {"amber": 1, "red": 1, "not evaluated": 1},
        "1 red, 1 amber, 1 not evaluated",
    )
    known = {row["limit_id"]: row for row in run.rows(LIMIT_UTILISATION).to_pylist()}
    # The limit that does not count yet has no row.
    assert sorted(known) == ["crash", "gross", "var"]
    assert (known["var"]["utilisation_pct"], known["var"]["state"]) == (80.0, "amber")
    assert (known["var"]["as_of_before"], known["var"]["utilisation_before_pct"]) == (DAYS[1], 50.0)
    assert (known["gross"]["utilisation_pct"], known["gross"]["state"]) == (112.5, "red")
    assert known["crash"]["reason"] == "this workload has no rows in gold.stress_losses"
    run.touches.clear()
    compared(run, DAYS[2], 3.2)
    assert [touch.table.name for touch in run.touches if touch.changed] == []


def test_an_unknown_portfolio_is_refused_and_nothing_is_committed(make_run: Callable[..., Run]) -> None:
    run, text = make_run(), TEXT.replace("portfolio: LONG", "portfolio: LOGN")
    with pytest.raises(PortfolioError, match=r"limits.yml, gross, portfolio: no portfolio 'LOGN' in the"):
        compared(run, DAYS[0], 1.0, text=text)
    assert not [touch for touch in run.touches if touch.table is LIMIT_UTILISATION]
