"""Models and rollback as a person types them; what follows is tested with `acceleray.stages.train.stage`."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from acceleray.advice import TO_TRAIN
from acceleray.settings import Settings, load
from acceleray.tables import MODEL_DECISIONS
from governance.deciding import PROMOTED, decided

Portfolio = Callable[..., tuple[int, list[str], list[str]]]

_folders = itertools.count(1)


@pytest.fixture
def lake(project: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the tables of the project, whose commands use the Spark session that tests share."""
    from acceleray.engines.delta.lake import Lake
    from acceleray.engines.spark import session as engine

    @contextmanager
    def shared(settings: Settings) -> Iterator[Any]:
        yield spark

    monkeypatch.setattr(engine, "spark_session", shared)
    number = next(_folders)
    names = {layer: f"{layer}_models_{os.getpid()}_{number}" for layer in ("bronze", "silver", "gold")}
    base = project / "conf" / "base.yml"
    base.write_text(f"{base.read_text()}catalog: {names}\n")
    return Lake(spark, load(project))


def add(lake: Any, *rows: dict[str, Any]) -> None:
    for row in rows:
        table = pa.Table.from_pylist([row], schema=MODEL_DECISIONS.arrow_schema)
        lake.commit(MODEL_DECISIONS, table, row["run_id"])


def test_models_lists_every_version_with_its_last_decision_and_marks_champions(
    lake: Any, portfolio: Portfolio
) -> None:
    add(lake, *PROMOTED, decided(7, 3, "withdrawn", 2015, reason="upside down"))
    add(lake, decided(8, 1, "promoted", 2019, source="simulated:500x2520", model_name="other"))
    code, out, _ = portfolio("models")
    assert code == 0
    assert out[0].split()[:4] == ["source", "version", "decision", "champion"]
    assert [line.split()[:5] for line in out[1:]] == [
        ["csv:x", "3", "withdrawn", "no", "2015-12-31"],
        ["csv:x", "2", "refused", "no", "2012-12-31"],
        ["csv:x", "1", "promoted", "yes", "2010-12-31"],
        ["simulated:500x2520", "1", "promoted", "yes", "2019-12-31"],
    ]
    assert out[1].endswith("upside down")


def test_models_of_a_project_without_any_says_what_to_run(lake: Any, portfolio: Portfolio) -> None:
    assert portfolio("models") == (
        1,
        [],
        [f"No model has been trained yet; train one: {TO_TRAIN}."],
    )


def test_rollback_without_a_champion_is_one_plain_line_and_ends_its_mlflow_run(
    lake: Any, project: Path, portfolio: Portfolio
) -> None:
    code, out, err = portfolio("rollback", "--reason", "why not")
    assert (code, out) == (2, [])
    assert err == ["Error: There is no champion of sample that could be rolled back."]
    assert {path.name for path in (project / "var").iterdir()} <= {".lock", "mlflow", "warehouse", "logs"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("rollback",), "Error: Missing option '--reason'. See portfolio --help."),
        (("rollback", "--reason", "  "), "Error: --reason needs words"),
        (
            ("rollback", "--reason", "x", "--from", "June"),
            "Error: --from needs a date like 2020-06-30, not 'June'.",
        ),
        (("rollback", "--reason", "x", "--to", "0"), "Error: Invalid value for '--to'"),
    ],
)
def test_what_is_missing_or_wrong_is_one_plain_line(
    portfolio: Portfolio, arguments: tuple[str, ...], line: str
) -> None:
    code, out, err = portfolio(*arguments)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith(line)


def test_a_rollback_waits_for_nobody(portfolio: Portfolio, project: Path) -> None:
    from acceleray.engines.processes.lock import run_lock

    with run_lock(project / "var"):
        code, out, err = portfolio("rollback", "--reason", "x")
    assert (code, out, len(err)) == (2, [], 1)
    assert "is active in" in err[0]
