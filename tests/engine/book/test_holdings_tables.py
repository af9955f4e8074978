"""Holdings in their tables: bronze as received, silver with the reason of what was left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa

from acceleray.stages.book.holdings import accept, commit_holdings, receive_holdings
from acceleray.stages.ingest.delta_table import newest
from acceleray.tables import (
    HOLDINGS,
    HOLDINGS_QUARANTINED,
    HOLDINGS_RECEIVED,
    INSTRUMENTS_KNOWN,
    PORTFOLIOS_KNOWN,
)
from book.desk import AS_OF, PRICED

if TYPE_CHECKING:
    from acceleray.runtime.run import Run

POSITIONS = "portfolio_id,instrument_id,quantity\nA,AAPL,100\nA,MSFT,x\nA,AAPL,25\n"
PORTFOLIOS = "portfolio_id,base_currency,nav\nA,USD,10000\n"
INSTRUMENTS = "instrument_id,isin,currency\nAAPL,US0378331005,USD\n"


def test_a_position_leads_back_to_the_line_it_came_from(make_run: Callable[..., Run]) -> None:
    paths = ("book.path=p.csv", "book.portfolios_path=f.csv", "book.instruments_path=i.csv")
    run = make_run("book.source=csv", *paths)
    folder = run.settings.project_dir
    for name, text in (("p.csv", POSITIONS), ("f.csv", PORTFOLIOS), ("i.csv", INSTRUMENTS)):
        (folder / name).write_text(text, encoding="utf-8")
    received = receive_holdings(run.settings)
    run.identify("load", AS_OF, (received.digest,))
    commit_holdings(run, received, accept(received, run.settings, AS_OF, PRICED))

    held = run.rows(HOLDINGS).sort_by("position_id").to_pylist()
    assert [(row["position_id"], row["quantity"], row["line"]) for row in held] == [
        ("A/AAPL/1", 25.0, 4),
        ("A/AAPL/2", 100.0, 2),
    ]
    bronze = run.rows(HOLDINGS_RECEIVED).to_pylist()
    (line,) = (row for row in bronze if (row["content"], row["line"]) == ("positions", held[0]["line"]))
    assert json.loads(line["cells"]) == {"portfolio_id": "A", "instrument_id": "AAPL", "quantity": "25"}
    assert line["cells"] == held[0]["cells"]
    assert sorted(row["content"] for row in bronze) == ["instruments", "portfolios", *["positions"] * 3]
    (kept_out,) = run.rows(HOLDINGS_QUARANTINED).to_pylist()
    assert (kept_out["line"], kept_out["reason"]) == (3, "has 'x' for quantity, which is not a number")
    (portfolio,) = run.rows(PORTFOLIOS_KNOWN).to_pylist()
    assert (portfolio["portfolio_id"], portfolio["nav"], portfolio["parent_id"]) == ("A", 10_000.0, None)
    (instrument,) = run.rows(INSTRUMENTS_KNOWN).to_pylist()
    assert (instrument["isin"], instrument["priced"], instrument["type"]) == ("US0378331005", True, "equity")


def test_the_same_lines_in_another_order_change_no_table(make_run: Callable[..., Run]) -> None:
    run = make_run("book.source=csv", "book.path=p.csv")
    lines = [
        "portfolio_id,instrument_id,quantity,book",
        "A,AAPL,100,x",
        "B,MSFT,x,",
        "A,AAPL,25,",
        "B,SAP,7,y",
    ]
    for order in (lines, [lines[0], *lines[:0:-1]]):
        (run.settings.project_dir / "p.csv").write_text("\n".join(order), encoding="utf-8")
        received = receive_holdings(run.settings)
        run.identify("load", AS_OF, (received.digest,))
        commit_holdings(run, received, accept(received, run.settings, AS_OF, PRICED))
    written = [touch for touch in run.touches if touch.direction == "wrote"]
    assert [touch.changed for touch in written] == [True] * 5 + [False] * 5


def test_a_view_in_the_same_columns_is_read_as_a_file_is(make_run: Callable[..., Run]) -> None:
    run = make_run("book.source=table", "book.table=desk_positions")
    table = pa.table({"portfolio": ["A", "A"], "ticker": ["MSFT", "AAPL"], "shares": [1.003, -2.0]})
    run.lake.spark.createDataFrame(table.to_pandas()).createOrReplaceTempView("desk_positions")

    def read(name: str, setting: str) -> pa.Table:
        return newest(run.lake.spark, run.settings, name, setting).toArrow()

    found = accept(receive_holdings(run.settings, read), run.settings, AS_OF, PRICED)
    assert found.positions["quantity"].to_pylist() == [-2.0, 1.003]
