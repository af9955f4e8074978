"""`portfolio limits` without Spark: the newest run, the worst first, and exit code 3 for a breach."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from acceleray.engines.delta.log import table_folder
from acceleray.settings import load
from acceleray.tables import LIMIT_UTILISATION, RUNS, Table
from cli.test_reading import filled

Portfolio = Callable[..., tuple[int, list[str], list[str]]]
YESTERDAY, TODAY = date(2022, 12, 27), date(2022, 12, 28)
PLAIN = {"measure": "value_at_risk", "unit": "% of NAV", "limit_value": 4.0, "owner": "Desk", "reason": ""}


def add(folder: Path, declared: Table, *rows: dict[str, Any]) -> None:
    place = table_folder(load(folder), declared)
    write_deltalake(str(place), filled(declared, list(rows)), mode="append")


def ran(
    folder: Path, run_id: str, as_of: date, *limits: dict[str, Any], workload: str = "end_to_end"
) -> None:
    """Commit a finished run with its limits; each is a name, a state and what is used of it."""
    of_run = {"run_id": run_id, "as_of": as_of}
    when = datetime(2023, 1, 1, as_of.day % 24, len(run_id), tzinfo=UTC)
    if limits:
        add(folder, LIMIT_UTILISATION, *[PLAIN | of_run | {"horizon_d": 1} | one for one in limits])
    add(folder, RUNS, of_run | {"workload": workload, "finished_at": when})


def one(name: str, state: str, used: float | None, **more: Any) -> dict[str, Any]:
    value = None if used is None else 0.04 * used
    known = {
        "limit_id": name,
        "portfolio_id": "GROWTH",
        "state": state,
        "utilisation_pct": used,
        "value": value,
    }
    return known | {"utilisation_pct": used} | more


@pytest.fixture
def limits(project: Path, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """Return `portfolio limits` where Spark cannot be started."""
    from acceleray.engines.delta.reader import Reader

    def refuse(reader: Reader) -> None:
        raise AssertionError("Spark was about to be started")

    monkeypatch.setattr(Reader, "_started", refuse)
    return lambda *arguments: portfolio("limits", *arguments)


def test_a_breach_ends_with_3_and_the_worst_comes_first(project: Path, limits: Portfolio) -> None:
    rows = [
        one("fine", "green", 50.0),
        one("near", "amber", 80.0, utilisation_before_pct=79.0),
        one("over", "red", 104.0),
        one("far_over", "red", 150.0, portfolio_id="VALUE"),
        one("unseen", "not evaluated", None, reason="this workload has no rows in gold.stress_losses"),
    ]
    ran(project, "now", TODAY, *rows)
    code, out, error = limits()
    assert code == 3
    assert [line.split()[:2] for line in out[1:]] == [
        ["RED", "far_over"],
        ["RED", "over"],
        ["amber", "near"],
        ["not", "evaluated"],
        ["green", "fine"],
    ]
    assert out[4].endswith("this workload has no rows in gold.stress_losses")
    assert error == ["2 red, 1 amber, 1 not evaluated, 1 green, as of 2022-12-28 (end_to_end, run now)"]
    # A breach that is not among the rows shown is a breach.
    code, out, error = limits("--limit", "1")
    assert (code, len(out)) == (3, 2)
    assert error[0].endswith("; 1 shown, --limit N shows more")


def test_without_a_breach_it_ends_with_0_and_the_newest_run_counts(project: Path, limits: Portfolio) -> None:
    ran(project, "then", YESTERDAY, one("over", "red", 104.0))
    ran(project, "now", TODAY, one("over", "amber", 100.0))
    # Neither a run that was killed nor one without limits is the newest.
    killed = {"run_id": "killed", "as_of": date(2023, 1, 2)}
    add(project, LIMIT_UTILISATION, PLAIN | killed | one("over", "red", 200.0))
    ran(project, "tuned", date(2023, 1, 3), workload="hyperparameter_tuning")
    code, out, error = limits()
    assert (code, len(out)) == (0, 2)
    assert error == ["1 amber, as of 2022-12-28 (end_to_end, run now)"]


def test_of_one_day_the_run_that_ended_last_counts_or_that_of_the_workload_asked_for(
    project: Path, limits: Portfolio
) -> None:
    ran(project, "a", TODAY, one("over", "red", 104.0))
    ran(project, "later", TODAY, one("over", "green", 10.0), workload="stress")
    assert limits()[0] == 0
    assert limits("--workload", "end_to_end")[0] == 3


def test_where_nothing_was_compared_it_ends_with_1(project: Path, limits: Portfolio) -> None:
    line = "No run has checked limits yet; write conf/limits.yml and run a workload."
    assert limits() == (1, [], [line])
    ran(project, "tuned", TODAY)
    assert limits() == (1, [], [line])
    assert limits("--workload", "x") == (1, [], [line.replace("No run", "No run of x")])


def test_a_file_has_every_column_and_the_worst_first(project: Path, limits: Portfolio) -> None:
    ran(project, "now", TODAY, one("fine", "green", 50.0), one("over", "red", 104.0))
    code, out, _ = limits("--csv", "limits.csv")
    assert (code, out) == (
        3,
        ["1 red, 1 green, as of 2022-12-28 (end_to_end, run now): written to limits.csv"],
    )
    with open("limits.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["limit_id"] for row in found] == ["over", "fine"]
    assert list(found[0]) == list(LIMIT_UTILISATION.column_names)
    code, _, error = limits("--csv", "nowhere/limits.csv")
    said = "Error: nowhere/limits.csv cannot be written: it is a folder, or its folder does not exist."
    assert (code, error) == (2, [said])


def test_help_says_what_the_exit_codes_mean(portfolio: Portfolio) -> None:
    code, out, _ = portfolio("limits", "--help")
    said = " ".join(" ".join(out).split())
    assert code == 0
    assert "3 at least one limit is breached (red), whether it is among the rows shown or not" in said
