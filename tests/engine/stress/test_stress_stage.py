"""The stage on real Spark and Delta: everything is committed, constraints hold, and twice is once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.stages.stress.stage import StressSummary, read_definitions, stress
from acceleray.tables import (
    REVERSE_STRESS,
    REVERSE_STRESS_SHOCKS,
    STRESS_ASSUMPTIONS,
    STRESS_LOSSES,
    STRESS_RETURNS,
    STRESS_SCENARIOS,
)
from stress.invented import AS_OF, book, model, returns

TABLES = (
    STRESS_SCENARIOS,
    STRESS_ASSUMPTIONS,
    STRESS_RETURNS,
    STRESS_LOSSES,
    REVERSE_STRESS,
    REVERSE_STRESS_SHOCKS,
)
TEXT = """
replays:
  - {id: crash, title: Crash, first: 2019-03-04, last: 2019-06-28}
  - {id: later, title: Later, first: 2020-03-04, last: 2024-06-28}
hypothetical:
  - {id: fall, title: Fall, shocks: {equity: "-30 %"}}
supervisory:
  - id: fed
    title: Fed
    origin: Board
    variables:
      - {variable: Houses, published: "-30 %", not_mapped: None held.}
reverse: {losses: ["10 %", "20 %"]}
"""
IMPOSSIBLE = "{between: [equity, credit], correlation: 0.99}"


def horizon() -> Any:
    reverse = SimpleNamespace(
        targets=(0.1, 0.2),
        reaching=np.array([[3, 0], [4, 1]]),
        inside=np.array([[9, 0], [8, 7]]),
        loss=np.array([[0.11, np.nan], [0.1, 0.25]]),
        factor_distance=np.array([[4.0, np.nan], [4.5, 6.0]]),
        reference_returns=np.array([[-0.1, -0.15, -0.08], [np.nan] * 3]),
    )
    volatility = np.array([0.04, 0.05])
    return SimpleNamespace(method="filtered_historical", horizon_d=10, volatility=volatility, reverse=reverse)


def run_stage(run: Run, text: str) -> StressSummary:
    conf = run.settings.project_dir / "conf"
    (conf / "stress.yml").write_text(text, encoding="utf-8")
    fits = [SimpleNamespace(next_sigma=sigma) for sigma in (0.01, 0.02, 0.015)]
    calibration: Any = SimpleNamespace(returns=returns(), fits=fits, usable=np.array([0, 1, 2]))
    dependence: Any = SimpleNamespace(correlation=np.eye(3))
    without_search: Any = SimpleNamespace(reverse=None)
    horizons = (horizon(), without_search)
    definitions = read_definitions(run.settings)
    return stress(run, calibration, book(), model(), dependence, definitions, horizons)


def test_all_tables_are_committed_and_a_second_run_changes_nothing(make_run: Callable[..., Run]) -> None:
    run = make_run()
    run.identify("load", AS_OF)
    found = run_stage(run, TEXT)
    rows = {table.name: run.rows(table) for table in TABLES}
    counts = {name: table.num_rows for name, table in rows.items()}
    # Two scenarios ran: three and two instruments; linear and simulated, two targets, two portfolios.
    assert counts == {
        "stress_scenarios": 4,
        "stress_assumptions": 4 + 4 + 1,
        "stress_returns": 5,
        "stress_losses": 4,
        "reverse_stress": 8,
        "reverse_stress_shocks": 2 * 3 + 3,
    }
    never = [row for row in rows["reverse_stress"].to_pylist() if row["reaching"] == 0]
    assert [(row["loss_pct_nav"], row["averaged"]) for row in never] == [(None, 0)]
    assert found.portfolio_id == "REFERENCE"
    assert [title for title, _ in found.not_run] == ["Later", "Fed"]
    run.touches.clear()
    run_stage(run, TEXT)
    assert [touch.table.name for touch in run.touches if touch.changed] == []


def test_impossible_correlations_stop_the_stage_before_anything_is_committed(
    make_run: Callable[..., Run],
) -> None:
    run = make_run()
    run.identify("load", AS_OF)
    odd = f'  - {{id: odd, title: Odd, shocks: {{equity: "-1 %"}}, correlations: [{IMPOSSIBLE}]}}\n'
    text = TEXT.replace("supervisory:", odd + "supervisory:")
    with pytest.raises(PortfolioError, match=r"odd, correlations: .* the smallest eigenvalue is -0"):
        run_stage(run, text)
    assert not run.touches
