from __future__ import annotations

from typing import Any

import pytest

from acceleray.report.rows import narrowed
from acceleray.runtime.identity import Identity
from acceleray.runtime.run import Run
from acceleray.settings import Settings
from acceleray.tables import PORTFOLIOS, STRESS_LOSSES, Table
from report.invented_rows import AS_OF


class OneTable:
    """A lake in which only gold.portfolios exists; it remembers which declarations were opened."""

    def __init__(self) -> None:
        self.opened: list[Table] = []

    def exists(self, table: Table) -> bool:
        return table.label == PORTFOLIOS.label

    def version(self, table: Table) -> int:
        self.opened.append(table)
        return 0


@pytest.fixture
def run() -> Run:
    nobody: Any = None
    lake: Any = OneTable()
    made = Run(
        Settings.model_validate({"project": {"name": "p", "customer": "c"}}), lake, nobody, nobody, nobody
    )
    made._identity = Identity("r", "sample", "l", AS_OF, "c")
    return made


def test_a_table_of_another_workload_has_no_rows_and_is_not_created(run: Run) -> None:
    few = narrowed(STRESS_LOSSES, "portfolio_id", "loss")
    rows = run.rows(few, portfolio_id=["DESK"])
    assert (rows.num_rows, rows.column_names) == (0, ["portfolio_id", "loss"])
    lake: Any = run.lake
    assert lake.opened == []


def test_a_table_is_opened_with_all_its_columns_whatever_is_wanted_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Opening lets a table evolve into its declaration: with some columns alone it would be set aside.
    few = narrowed(PORTFOLIOS, "portfolio_id")

    def rows_here(lake: Any, selection: Any, among: Any) -> Any:
        # With some alone, files of all columns would be no files of it, and Spark would have to read them.
        assert selection.table is PORTFOLIOS
        return selection.schema.empty_table()

    monkeypatch.setattr("acceleray.runtime.run.rows_here", rows_here)
    assert run.rows(few).column_names == ["portfolio_id"]
    lake: Any = run.lake
    assert lake.opened == [PORTFOLIOS]
