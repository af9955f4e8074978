"""Oil on 2020-04-20 through ingest, returns and features, declared and not, with real Spark and Delta."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.stages.features.stage import build_features
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import FEATURES, PRICE_FINDINGS, PRICE_SERIES, PRICES, PRICES_QUARANTINED, RETURNS
from quant.test_price_findings_jumps import prices

DAYS = np.busday_offset(np.datetime64("2019-01-01"), np.arange(400), roll="forward")
CRASH = np.datetime64("2020-04-20")
FALL = -37.63 - 18.27


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = {name: column[: DAYS.size] for name, column in prices(3).items()}
    oil = 60.0 + np.cumsum(np.random.default_rng(4).standard_normal(DAYS.size))
    at = int(np.searchsorted(DAYS, CRASH))
    oil[at - 1 : at + 2] = 18.27, -37.63, 10.01
    columns["WTI"] = oil
    lines = [",".join(["date", *columns])]
    lines += [
        ",".join([str(day), *(f"{column[row]:.2f}" for column in columns.values())])
        for row, day in enumerate(DAYS)
    ]
    found = tmp_path_factory.mktemp("oil") / "oil.csv"
    found.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return found


def heard(run: Run) -> str:
    """Ingest and build features; return what was said."""
    said = io.StringIO()
    run.reporter = Reporter(Console(file=said, width=500))
    with run.stage("ingest", "Ingest"):
        loaded = ingest(run)
    run.identify(loaded.load_id, loaded.as_of)
    with run.stage("features", "Features"):
        build_features(run)
    return said.getvalue()


def test_oil_below_zero_is_a_price_and_its_whole_change_a_loss(
    make_run: Callable[..., Run], path: Path
) -> None:
    run = make_run(
        "market_data.source=csv", f"market_data.path={path}", "market_data.arithmetic={WTI: 100, TYPO: 1}"
    )
    said = heard(run)
    own = "instrument_id = 'WTI'"
    (price,) = run.lake.rows(PRICES, run.source, where=f"{own} AND date = DATE'2020-04-20'").to_pylist()
    assert (price["price"], price["adjusted_price"]) == (-37.63, -37.63)
    (fall,) = run.lake.rows(RETURNS, run.source, where=f"{own} AND date = DATE'2020-04-20'").to_pylist()
    assert fall["return_1d"] == pytest.approx(FALL / 100.0, rel=1e-12)
    assert run.lake.rows(PRICES_QUARANTINED, run.source).num_rows == 0
    levels = {row["instrument_id"]: row["return_level"] for row in run.rows(PRICE_SERIES).to_pylist()}
    assert levels == {"A0": None, "A1": None, "A2": None, "WTI": 100.0}
    kinds = {row["kind"] for row in run.lake.rows(PRICE_FINDINGS, run.source, where=own).to_pylist()}
    assert kinds == {"arithmetic"}
    assert "WTI: changes are arithmetic, 100 is a return of 1: 1 price at or below zero" in said
    assert "TYPO: market_data.arithmetic names it, and it has no prices" in said
    # Nothing ranks it, and that is said.
    assert "WTI has no features: its prices change arithmetically" in said
    features = run.lake.rows(FEATURES, run.source, columns=("instrument_id",))
    assert set(features["instrument_id"].to_pylist()) == {"A0", "A1", "A2"}


@pytest.mark.nightly
def test_an_undeclared_negative_price_stays_quarantined_and_named(
    make_run: Callable[..., Run], path: Path
) -> None:
    run = make_run("market_data.source=csv", f"market_data.path={path}")
    said = heard(run)
    (row,) = run.lake.rows(PRICES_QUARANTINED, run.source).to_pylist()
    assert (row["instrument_id"], row["price_text"], row["reason"]) == ("WTI", "-37.63", "negative")
    assert "WTI: 1 price at or below zero, first on 2020-04-20: '-37.63' (negative)" in said
