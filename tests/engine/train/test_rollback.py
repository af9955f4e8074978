"""Rollback: who reigns afterwards, doing it twice, going further back, and undoing it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.governance.champion import champion_as_of, decisions
from acceleray.runtime.run import Run
from acceleray.stages.train import decision as module
from acceleray.stages.train.rollback import Plan, plan, roll_back
from acceleray.tables import MODEL_DECISIONS, RUN_TABLES, RUNS
from governance.deciding import PROMOTED, day, decided

HISTORY = [*PROMOTED, decided(4, 4, "promoted", 2020)]


class Book:
    """Decisions of one source, to which rollbacks are added."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)

    def back(self, to: int | None = None, since: date | None = None) -> Plan:
        made = plan(self.rows, "csv:x", to, since, "it ranks upside down")
        for row in made.changes:
            self.rows.append(decided(100 + len(self.rows), 0, "", 2000) | dict(row))
        return made

    def promote(self, version: int, year: int) -> None:
        self.rows.append(decided(100 + len(self.rows), version, "promoted", year))

    def reigns(self, *years: int) -> list[int | None]:
        found = [champion_as_of(self.rows, day(year)) for year in years]
        return [None if row is None else int(row["model_version"]) for row in found]


def test_the_champion_is_withdrawn_and_the_one_before_reigns_again() -> None:
    book = Book(*HISTORY)
    assert book.reigns(2030) == [4]
    made = book.back()
    assert (made.withdrawn, made.champion["model_version"], made.effective_from) == ((4,), 3, day(2020))
    assert book.reigns(2012, 2016, 2021, 2030) == [1, 3, 3, 3]
    row = book.rows[-1]
    assert (row["decision"], row["reason"], row["rank_ic"]) == ("withdrawn", "it ranks upside down", 0.04)


def test_doing_it_twice_withdraws_one_champion_only() -> None:
    book = Book(*HISTORY)
    book.back()
    again = book.back()
    assert (again.changes, again.champion["model_version"], again.effective_from) == ((), 3, day(2015))
    # After another promotion there is something to roll back again.
    book.promote(5, 2021)
    assert book.back().withdrawn == (5,)
    assert book.reigns(2030) == [3]


def test_naming_a_version_goes_back_as_far_as_asked() -> None:
    book = Book(*HISTORY)
    made = book.back(to=1)
    assert (made.withdrawn, made.champion["model_version"], made.effective_from) == ((3, 4), 1, day(2015))
    assert book.reigns(2012, 2016, 2030) == [1, 1, 1]
    assert book.back(to=1).changes == ()


def test_a_rollback_is_undone_by_naming_the_withdrawn_version() -> None:
    book = Book(*HISTORY)
    book.back()
    made = book.back(to=4)
    assert (made.withdrawn, made.champion["model_version"], made.effective_from) == ((), 4, day(2020))
    assert book.reigns(2016, 2030) == [3, 4]
    # And made once more: the same rollback, but after other decisions.
    assert book.back().withdrawn == (4,)
    assert book.reigns(2030) == [3]


def test_from_a_date_on_leaves_the_dates_before_as_they_were() -> None:
    book = Book(*HISTORY)
    assert book.back(since=day(2022)).effective_from == day(2022)
    assert book.reigns(2020, 2021, 2022) == [4, 4, 3]
    # A date before its own beginning is its own beginning.
    book.promote(5, 2025)
    assert book.back(since=day(2000)).effective_from == day(2025)


@pytest.mark.parametrize(
    ("rows", "to", "line"),
    [
        ([], None, "There is no champion of csv:x that could be rolled back."),
        (HISTORY[1:2], None, "There is no champion of csv:x that could be rolled back."),
        (
            HISTORY[:1],
            None,
            "Version 1 is the only champion of csv:x: none came before it that could be gone back to",
        ),
        (HISTORY, 2, "Version 2 of csv:x was refused by the gate and cannot be champion: because."),
        (HISTORY, 9, "There is no version 9 of csv:x; `portfolio models` lists them."),
    ],
)
def test_where_there_is_nothing_to_go_back_to_there_is_one_plain_line(
    rows: list[dict[str, Any]], to: int | None, line: str
) -> None:
    with pytest.raises(PortfolioError) as caught:
        Book(*rows).back(to)
    assert str(caught.value).startswith(line)


@pytest.mark.nightly
def test_on_real_tables_it_leaves_a_row_that_resolves_and_tells_mlflow(
    make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "mirror_decision", lambda *what: told.append(what))

    def back() -> Run:
        run = make_run("market_data.source=csv", "market_data.path=x.csv")
        run.workload = "rollback"
        tracker: Any = run.tracker
        tracker.client, tracker.run_id = None, "mlflow-1"
        if not run.lake.exists(MODEL_DECISIONS):
            for row in HISTORY:
                table = pa.Table.from_pylist([row], schema=MODEL_DECISIONS.arrow_schema)
                run.lake.commit(MODEL_DECISIONS, table, row["run_id"])
        roll_back(run, None, None, "it ranks upside down")
        return run

    lake = back().lake
    rows = decisions(lake, "csv:x")
    row = rows[-1]
    assert (row["decision"], row["model_version"], row["source"]) == ("withdrawn", 4, "csv:x")
    # MLflow is told: name, version, what was decided, since when, and who is champion.
    assert told[-1][1:] == (row["model_name"], 4, "withdrawn", day(2020), 3)
    runs = {run["run_id"]: run for run in lake.read(RUNS).toArrow().to_pylist()}
    assert (runs[row["run_id"]]["workload"], runs[row["run_id"]]["model_uri"]) == (
        "rollback",
        HISTORY[2]["model_uri"],
    )
    touched = lake.read(RUN_TABLES, row["run_id"]).toArrow().to_pylist()
    assert [(one["direction"], one["table_name"]) for one in touched] == [("wrote", "gold.model_decisions")]
    back()
    assert decisions(lake, "csv:x") == rows
