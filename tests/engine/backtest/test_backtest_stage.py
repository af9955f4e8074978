"""The stage on real Spark and Delta: what is decided about a model is stored with its reason."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.runtime.run import Run
from acceleray.stages.backtest.stage import HEADLINE, MODELS, backtest
from acceleray.stages.calibrate.schedule import fit_schedule
from acceleray.tables import BACKTEST_VERDICTS, BACKTEST_WINDOWS

FIRST, DAYS = 500, 800
SMALL = (
    "calibration.minimum_history_d=300",
    f"calibration.first_fit_d={FIRST}",
    f"calibration.refit_every_d={DAYS - FIRST}",
    "simulation.residual_window_d=400",
    "backtest.historical_window_d=250",
    "backtest.windows_d=[200]",
    "backtest.null_records=250",
)


class Serial:
    """Stands where Ray would, one task after the other."""

    def map(
        self,
        function: Callable[..., Any],
        tasks: Sequence[Any],
        shared: Sequence[Any],
        done: Callable[[int], None],
        batch: int = 1,
        **fixed: Any,
    ) -> Iterator[Any]:
        return (function(task, *shared, **fixed) for task in tasks)


def stored(run: Run, values: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the rows of gold.backtest_verdicts by model, after a backtest of two instruments."""
    fan_out: Any = Serial()
    run.fan_out = fan_out
    run.identify("load", date(2022, 3, 10))
    returns = Panel(np.arange("2020-01-01", DAYS, dtype="datetime64[D]"), ("A", "B"), values)
    fit_schedule(run, returns)
    calibration: Any = SimpleNamespace(returns=returns)
    backtest(run, calibration)
    return {row["model"]: row for row in run.rows(BACKTEST_VERDICTS).to_pylist()}


@pytest.fixture(scope="module")
def calm() -> np.ndarray:
    return 0.01 * np.random.default_rng(4).standard_t(8, (DAYS, 2))


@pytest.mark.nightly
def test_a_model_that_failed_is_stored_as_not_promoted_with_the_reason(
    make_run: Callable[..., Run], calm: np.ndarray
) -> None:
    crashes = np.arange(FIRST + 10, DAYS, 15)
    values = calm.copy()
    # Each worse than all before it, so that no past holds it.
    values[crashes] = -0.05 * 1.1 ** np.arange(len(crashes))[:, np.newaxis]
    rows = stored(make_run(*SMALL), values)
    assert set(rows) == set(MODELS)
    failed = rows[HEADLINE]
    assert (failed["decision"], failed["passed"], failed["days"]) == ("not promoted", False, DAYS - FIRST)
    assert failed["exceptions"] >= len(crashes)
    assert f"{failed['exceptions']} exceptions" in failed["reason"]
    assert "more than the 3.0 expected" in failed["reason"]
    assert {row["decision"] for model, row in rows.items() if model != HEADLINE} == {"benchmark"}


@pytest.mark.nightly
def test_the_same_model_on_calm_days_is_stored_as_promoted(
    make_run: Callable[..., Run], calm: np.ndarray
) -> None:
    run = make_run(*SMALL)
    row = stored(run, calm)[HEADLINE]
    assert (row["decision"], row["passed"], row["days"]) == ("promoted", True, DAYS - FIRST)
    assert (row["window_d"], row["basel_zone_500"]) == (400, "green")
    windows = run.rows(BACKTEST_WINDOWS).to_pylist()
    assert sorted((each["model"], each["window_d"]) for each in windows) == sorted(
        (model, window) for model in MODELS if model != "ewma_normal" for window in (200, 400)
    )
    judged = next(each for each in windows if each["model"] == HEADLINE and each["window_d"] == 400)
    assert (judged["exceptions"], judged["kupiec_p"]) == (row["exceptions"], row["kupiec_p"])
