"""The model documents of small runs: left by the run and its MLflow run, written again by the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acceleray.cli import main
from acceleray.runtime.run import Run
from acceleray.tables import ALL, BACKTEST_VERDICTS
from acceleray.testing import SmallProject, small_project
from one_ray import OneRay
from portfolio import PROJECT
from rendered import TEMPLATE, project

pytestmark = [pytest.mark.ray, pytest.mark.nightly]
# An out-of-sample record of more than a year, so that the verdict is one.
JUDGED = ("calibration.window_d=500", "calibration.first_fit_d=550", "backtest.minimum_history_d=500")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, spark: Any, one_ray: OneRay) -> Iterator[SmallProject]:
    home, notebooks = tmp_path_factory.mktemp("small"), TEMPLATE / "notebooks"
    started = (spark, one_ray.fan_out())
    with small_project(PROJECT, project(), home, notebooks, started) as found:
        yield found
    # Whole runs of the next modules start a Ray of their own in this process.
    one_ray.stop()


@pytest.fixture(scope="module")
def risk(small: SmallProject) -> Run:
    return small.recipe("risk_stress_testing", *JUDGED)


@pytest.fixture(scope="module")
def signal(small: SmallProject) -> Run:
    return small.recipe("distributed_training")


def written(run: Run, kind: str) -> dict[str, str]:
    """Return the documents that a run left, by ending, each the same as is kept with its MLflow run."""
    name = f"model-document-{kind}-{run.identity.run_id}"
    kept = {item.path for item in run.tracker.client.list_artifacts(run.tracker.run_id)}
    found = {}
    for ending in ("html", "md"):
        path = run.settings.state_dir / "reports" / f"{name}.{ending}"
        assert path.name in kept
        found[ending] = path.read_text(encoding="utf-8")
    return found


def test_a_risk_model_has_a_document_with_the_numbers_of_its_tables(small: SmallProject, risk: Run) -> None:
    text = written(risk, "risk")["md"]
    rows = small.rows(risk, BACKTEST_VERDICTS).to_pylist()
    (verdict,) = [row for row in rows if row["decision"] != "benchmark"]
    said = "Promoted" if verdict["decision"] == "promoted" else "Not promoted"
    assert text.splitlines()[2].startswith(f"**{said}: ")
    line = next(
        each for each in text.splitlines() if each.endswith("| `gold.backtest_verdicts.exceptions` |")
    )
    assert line.split(" | ")[1] == str(verdict["exceptions"])
    assert "has no rows of this run" not in text


def test_a_signal_model_has_one_too(signal: Run) -> None:
    text = written(signal, "signal")["md"]
    assert re.match(r"\*\*(Promoted|Not promoted): ", text.splitlines()[2])
    assert "gold.signal_validation.rank_ic" in text


def test_the_command_writes_the_same_from_the_tables(
    small: SmallProject, risk: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    left = written(risk, "risk")
    chosen = [part for setting in small.chosen for part in ("--set", setting)]
    place = ("--project", str(small.folder), "--output", str(risk.settings.state_dir / "again"))
    assert main(PROJECT, ["model-document", "risk", "--run", risk.identity.run_id, *place, *chosen]) == 0
    paths = [line.removeprefix("Model document: ") for line in capsys.readouterr().out.splitlines()]
    assert [Path(path).read_text(encoding="utf-8") for path in paths] == [left["html"], left["md"]]


def test_whatever_a_document_names_is_declared(risk: Run, signal: Run) -> None:
    known = {f"{table.label}.{column.name}" for table in ALL for column in table.columns}
    for text in (written(risk, "risk")["md"], written(signal, "signal")["md"]):
        named = set(re.findall(r"`((?:gold|silver)\.\w+\.\w+)", text))
        assert len(named) > 60
        assert named <= known
