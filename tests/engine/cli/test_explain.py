"""`portfolio explain` without Spark: what was taken, what was made, and why."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from acceleray.engines.delta.reader import Reader
from acceleray.tables import KEPT_WORK, RUN_WORK, RUNS
from cli.test_limits import add

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
NEW = "no result for these inputs"


@pytest.fixture
def explain(project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """Return `portfolio explain` where Spark cannot be started, after two runs."""

    def refuse(reader: Reader) -> None:
        raise AssertionError("Spark was about to be started")

    monkeypatch.setattr(Reader, "_started", refuse)
    for day, run_id, works in (
        (27, "monday", [("fit", "monday", NEW, 620)]),
        (28, "tuesday", [("fit", "monday", "", 600), ("fit", "tuesday", NEW, 20)]),
    ):
        of_run = {"run_id": run_id, "as_of": date(2022, 12, day)}
        names = ("kind", "made_by", "reason", "results")
        rows = [of_run | {"stage": "calibrate"} | dict(zip(names, work, strict=True)) for work in works]
        add(project, RUN_WORK, *rows)
        finished = datetime(2023, 1, day, tzinfo=UTC)
        add(project, RUNS, of_run | {"workload": "end_to_end_pipeline", "finished_at": finished})
    return lambda *arguments: portfolio("explain", *arguments)


def test_the_newest_run_is_explained_and_what_it_took_names_its_run(explain: Portfolio) -> None:
    code, out, error = explain()
    assert code == 0
    assert out[0] == "Run tuesday  end_to_end_pipeline  as of 2022-12-28"
    assert [" ".join(line.split()) for line in out[2:]] == [
        "calibrate 600 scheduled fit taken from run monday",
        f"calibrate 20 scheduled fit made {NEW}",
    ]
    assert error == ["600 results reused from earlier runs, 20 made"]


def test_another_run_is_explained_when_it_is_named(explain: Portfolio) -> None:
    code, out, error = explain("monday")
    assert (code, len(out)) == (0, 3)
    assert error == ["0 results reused from earlier runs, 620 made"]
    code, _, error = explain("sunday")
    assert code != 0
    assert "No run sunday has finished" in error[0]


def test_one_result_is_no_plural(explain: Portfolio, project: Path) -> None:
    of_run = {"run_id": "wednesday", "as_of": date(2022, 12, 29)}
    work = {"kind": "fit", "made_by": "monday", "reason": "", "results": 1, "stage": "calibrate"}
    add(project, RUN_WORK, of_run | work)
    finished = datetime(2023, 1, 29, tzinfo=UTC)
    add(project, RUNS, of_run | {"workload": "end_to_end_pipeline", "finished_at": finished})
    assert explain()[2] == ["1 result reused from earlier runs, 0 made"]


def test_before_the_first_run_there_is_nothing_to_explain(portfolio: Portfolio) -> None:
    code, out, error = portfolio("explain")
    assert (code, out) == (1, [])
    assert "No run has finished yet" in error[0]


def test_kept_work_is_shown_without_its_bytes(project: Path, portfolio: Portfolio) -> None:
    add(project, KEPT_WORK, {"kind": "fit", "work_key": "0123", "payload": "AAAABBBB"})
    code, out, _ = portfolio("show", "gold.kept_work")
    assert code == 0
    assert "0123" in out[1]
    assert "payload_sha256" in out[0]
    assert "AAAABBBB" not in " ".join(out)
