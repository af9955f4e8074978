"""The stage on real Spark and Delta: what is decided about a model is stored with its reason."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.runtime.run import Run
from acceleray.stages.backtest.stage import HEADLINE, MODELS, BookVerdict, backtest
from acceleray.stages.book.book import Book
from acceleray.stages.calibrate.schedule import fit_schedule
from acceleray.tables import BACKTEST_FORECASTS, BACKTEST_HORIZONS, BACKTEST_VERDICTS, BACKTEST_WINDOWS

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


REFERENCE = Book.plain(("REFERENCE",), ("A", "B"), np.zeros((1, 2)), 1.0, "USD", origins=("reference",))


def after_backtest(run: Run, values: np.ndarray, book: Book = REFERENCE) -> BookVerdict:
    """Return the verdict of a backtest of portfolios of two instruments."""
    fan_out: Any = Serial()
    run.fan_out = fan_out
    run.identify("load", date(2022, 3, 10))
    returns = Panel(np.arange("2020-01-01", DAYS, dtype="datetime64[D]"), ("A", "B"), values)
    fit_schedule(run, returns)
    calibration: Any = SimpleNamespace(returns=returns, apart=(), arithmetic=np.zeros(2, dtype=bool))
    return backtest(run, calibration, book)


def stored(run: Run, values: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the rows of gold.backtest_verdicts by model, after a backtest of the reference portfolio."""
    after_backtest(run, values)
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


def test_every_portfolio_that_is_held_has_rows_and_a_verdict(
    make_run: Callable[..., Run], calm: np.ndarray
) -> None:
    weights = np.array([[0.6, 0.3], [0.6, 0.3], [-0.4, 0.3], [0.5, 0.5]])
    made = Book.plain(
        ("DESK", "LONG", "SHORT", "SIM-1"), ("A", "B"), weights, 1.0, "USD", origins=("reported",) * 4
    )
    book = replace(
        made, origins=("reported", "reported", "reported", "simulated"), parents=("", "DESK", "", "")
    )
    run = make_run(*SMALL)
    found = after_backtest(run, calm, book)
    assert list(found.portfolios) == ["DESK", "LONG", "SHORT"]
    assert dict(found.left_out) == {"SIM-1": "simulated as a benchmark load"}
    assert found.reason.startswith("3 of 3 portfolios pass alone; none rejected of 3 portfolios")
    rows = run.rows(BACKTEST_VERDICTS).to_pylist()
    assert sorted((row["portfolio_id"], row["model"]) for row in rows) == sorted(
        [("DESK", model) for model in MODELS] + [("LONG", HEADLINE), ("SHORT", HEADLINE)]
    )
    own = {row["portfolio_id"]: row for row in rows if row["model"] == HEADLINE}
    assert [own[name]["headline"] for name in found.portfolios] == [True, False, False]
    assert own["DESK"]["reason"] == found.reason
    # The same positions have the same record, whichever portfolio has them; the headline is told apart.
    assert {**own["LONG"], "portfolio_id": "DESK", "headline": True, "reason": found.reason} == own["DESK"]
    kept = run.rows(BACKTEST_FORECASTS).to_pandas().set_index(["portfolio_id", "model", "date"])
    short = kept.loc["SHORT"].loc[HEADLINE]
    np.testing.assert_allclose(short["loss_pct_nav"], -100.0 * calm[FIRST:] @ weights[2], rtol=1e-12)
    assert (short["covered_pct_gross"] == 100.0).all()
    assert own["SHORT"]["exceptions"] == short["exception"].sum()
    horizons = run.rows(BACKTEST_HORIZONS).to_pylist()
    long_tested = {row["portfolio_id"] for row in horizons if row["windows"]}
    assert long_tested == {"DESK", "SHORT"}
    assert {row["portfolio_id"] for row in horizons} == set(found.portfolios)
