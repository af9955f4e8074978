"""A session over what a real run has left: its numbers again, and nothing written unless asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import acceleray
import rendered
from acceleray.engines.ray.fanout import FanOut
from acceleray.engines.ray.local import local_ray
from acceleray.runtime.progress import Reporter
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.stages.what_if import keep as keeping
from acceleray.stages.what_if.session import risk_session
from acceleray.tables import RISK_CONTRIBUTIONS, RISK_MEASURES, WHAT_IF
from acceleray.testing import SmallProject, small_project
from one_ray import OneRay
from portfolio import PROJECT

pytestmark = [pytest.mark.ray, pytest.mark.nightly]

POSITIONS = """portfolio_id,instrument_id,quantity
GROWTH,AAPL,2000
GROWTH,JPM,-500
VALUE,XOM,3000
VALUE,WMT,900
"""
PORTFOLIOS = """portfolio_id,name,base_currency,nav,parent_id
DESK,All,USD,,
GROWTH,G,USD,600000,DESK
VALUE,V,USD,700000,DESK
"""
# As many scenarios as are kept here, so that ten days can be compared as well as one.
CHOSEN = ("stress.scenarios=10000", "what_if.scenarios=10000", "book.source=csv")


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory, spark: Any, one_ray: OneRay
) -> Iterator[tuple[Run, Settings, FanOut]]:
    # One with another size of store is started in this process.
    one_ray.stop()
    home, folder = tmp_path_factory.mktemp("asked"), rendered.project()
    files = {"book.path": POSITIONS, "book.portfolios_path": PORTFOLIOS}
    for name, text in files.items():
        (home / f"{name}.csv").write_text(text)
    chosen = (*CHOSEN, *(f"{name}={home / name}.csv" for name in files))
    first = SmallProject(PROJECT, folder, home).settings()
    with (
        local_ray(first) as fan_out,
        small_project(PROJECT, folder, home, rendered.TEMPLATE / "notebooks", (spark, fan_out)) as small,
    ):
        yield small.recipe("risk_stress_testing", *chosen), small.settings(*chosen), fan_out


@pytest.mark.parametrize("portfolio", ["", "GROWTH", "VALUE"])
def test_before_any_trade_every_number_is_that_of_the_run(ran, portfolio):
    run, settings, fan_out = ran
    name = portfolio or "DESK"
    rows = run.rows(RISK_MEASURES, portfolio_id=[name], method=["filtered_historical"]).to_pylist()
    reported = {(row["measure"], row["horizon_d"]): row["value"] for row in rows}
    parts = run.rows(RISK_CONTRIBUTIONS, portfolio_id=[name], method=["filtered_historical"]).to_pylist()
    with risk_session(settings, portfolio, reporter=Reporter(quiet=True), fan_out=fan_out) as risk:
        answer = risk.what_if({"AAPL": 0})
    assert (answer.portfolio_id, answer.run_id) == (name, run.identity.run_id)
    for found in answer.horizons:
        for measure in ("value_at_risk", "expected_shortfall"):
            value = answer.nav * getattr(found.before.measures, measure)
            assert value == pytest.approx(reported[measure, found.horizon_d], rel=1e-12)
        here = answer.contributions(found.horizon_d)
        for row in parts:
            if row["horizon_d"] == found.horizon_d:
                place = 0 if row["measure"] == "value_at_risk" else 1
                assert here[row["instrument_id"]][place] == pytest.approx(row["contribution"], rel=1e-9)


def test_nothing_is_written_unless_asked_and_then_once(ran, spark, monkeypatch):
    run, settings, fan_out = ran
    with risk_session(settings, reporter=Reporter(quiet=True), fan_out=fan_out) as risk:
        answers = [risk.what_if({"AAPL": -100 * number}, hedges=["XOM"]) for number in (1, 2)]

    @contextmanager
    def shared(settings: Settings) -> Iterator[Any]:
        yield spark

    monkeypatch.setattr(keeping, "spark_alone", shared)
    kept = [keeping.keep(settings, risk.base, answers[number]) for number in (0, 1, 0)]
    assert kept[0] == kept[2] != kept[1]
    rows = run.rows(WHAT_IF).to_pylist()
    assert {(row["question_id"], row["instrument_id"]) for row in rows} == {
        (each, name) for each in kept for name in ("", "AAPL")
    }
    assert {row["run_id"] for row in rows} == {run.identity.run_id}


def test_the_folder_of_the_state_is_as_it_was(ran: tuple[Run, Settings, FanOut]) -> None:
    _, settings, fan_out = ran

    def files() -> set[Path]:
        return {path for path in settings.state_dir.rglob("*") if path.is_file()}

    before = files()
    with risk_session(settings, reporter=Reporter(quiet=True), fan_out=fan_out) as risk:
        risk.what_if({"XOM": 10})
    assert files() == before


def test_the_cell_that_what_if_md_shows_runs(
    ran: tuple[Run, Settings, FanOut], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, settings, fan_out = ran
    text = (Path(acceleray.__file__).parents[1] / "docs/what_if.md").read_text(encoding="utf-8")
    (cell,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    here = partial(risk_session, reporter=Reporter(quiet=True), fan_out=fan_out)
    monkeypatch.setattr("acceleray.stages.what_if.session.risk_session", here)
    names: dict[str, Any] = {"settings": settings}
    exec(cell, names)
    assert "AAPL" in capsys.readouterr().out
    assert names["answer"].horizons
