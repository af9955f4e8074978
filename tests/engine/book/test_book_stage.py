"""The stage on real Delta: what is received is refused early, and positions, prices and volumes meet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.errors import PortfolioError
from acceleray.runtime.run import Run
from acceleray.stages.book.stage import accept_book, build_book, examine_book, receive_book
from acceleray.stages.ingest.stage import ingest
from acceleray.tables import PORTFOLIO_LIQUIDITY, POSITION_LIQUIDITY, POSITIONS, PRICES_RECEIVED, RUN_NOTICES

PRICES = (
    "date,AAA,BBB,EURUSD\n2024-01-02,10,20,1.25\n2024-01-03,11,21,1.25\n2024-01-04,12,20,1.25\n"
    "2024-01-05,10,,1.25\n"
)
POSITIONS_FILE = "portfolio_id,instrument_id,quantity,weight\nP,AAA,100,\nP,BBB,,0.1\nP,CASH.USD,350,\n"
PORTFOLIOS = "portfolio_id,base_currency,nav,parent_id\nP,EUR,1200,DESK\nDESK,USD,,\n"
INSTRUMENTS = "instrument_id,currency,sector\nAAA,USD,Energy\nBBB,EUR,Health\n"
VOLUMES = "date,AAA,BBB\n2024-01-04,20,1000\n2024-01-05,30,\n"


@pytest.fixture
def desk(make_run: Callable[..., Run], tmp_path: Path) -> Callable[..., Run]:
    """Return a function from overrides to a run of one desk's files."""
    for name, text in (
        ("prices.csv", PRICES),
        ("positions.csv", POSITIONS_FILE),
        ("portfolios.csv", PORTFOLIOS),
        ("instruments.csv", INSTRUMENTS),
        ("volumes.csv", VOLUMES),
    ):
        (tmp_path / name).write_text(text)

    def run(*more: str) -> Run:
        own = (
            *("market_data.source=csv", f"market_data.path={tmp_path / 'prices.csv'}", "book.source=csv"),
            *("market_data.minimum_history_d=2", "market_data.calendar=weekdays"),
            *(f"book.{key}={tmp_path / name}" for key, name in FILES.items()),
        )
        return make_run(*own, *more)

    return run


FILES = {
    "path": "positions.csv",
    "portfolios_path": "portfolios.csv",
    "instruments_path": "instruments.csv",
}


def built(run: Run) -> None:
    """Take a run through ingest and book, as if every instrument had a model."""
    received = receive_book(run)
    loaded = ingest(run, examine_book(run, received))
    run.identify(loaded.load_id, loaded.as_of, received.identity)
    holdings = accept_book(run, received)
    dates = np.arange("2024-01-02", "2024-01-06", dtype="datetime64[D]")
    returns = Panel(dates, ("AAA", "BBB", "EURUSD"), np.zeros((4, 3)))
    build_book(run, returns, np.arange(3), holdings)


def test_positions_meet_prices_and_volumes(desk: Callable[..., Run], tmp_path: Path) -> None:
    run = desk("liquidity.source=csv", f"liquidity.path={tmp_path / 'volumes.csv'}", "liquidity.window_d=2")
    built(run)
    by = {(row["portfolio_id"], row["instrument_id"]): row for row in run.rows(POSITIONS).to_pylist()}
    one, other = by["P", "AAA"], by["P", "BBB"]
    assert (one["quantity"], one["price"], one["fx_rate"]) == (100.0, 10.0, 0.8)
    assert one["market_value"] == pytest.approx(800.0)
    assert (one["price_date"], other["price_date"]) == (date(2024, 1, 5), date(2024, 1, 4))
    assert other["quantity"] is None
    assert by["DESK", "AAA"]["fx_rate"] == 1.0
    assert by["P", "CASH.USD"]["quantity"] == pytest.approx(350.0)
    days = {
        (row["portfolio_id"], row["instrument_id"]): row for row in run.rows(POSITION_LIQUIDITY).to_pylist()
    }
    # A fifth of 25 a day; BBB: 120 euros at 20 are 6 units of a fifth of 500, which traded on one day of two.
    assert days["P", "AAA"]["days_to_liquidate"] == pytest.approx(20.0)
    assert days["P", "BBB"]["days_to_liquidate"] == pytest.approx(0.06)
    whole = {row["portfolio_id"]: row for row in run.rows(PORTFOLIO_LIQUIDITY).to_pylist()}
    assert (whole["P"]["slowest"], whole["P"]["volume_days"]) == ("AAA", 2)
    assert whole["P"]["liquidated_10d_pct_nav"] == pytest.approx(100.0 * (400.0 + 120.0) / 1200.0)
    assert whole["DESK"]["days_to_liquidate"] == pytest.approx(20.0)


def test_an_accepted_book_is_given_up_and_keeps_its_identity(desk: Callable[..., Run]) -> None:
    run = desk()
    received = receive_book(run)
    known = received.identity
    loaded = ingest(run, examine_book(run, received))
    run.identify(loaded.load_id, loaded.as_of, known)
    assert accept_book(run, received) is not None
    assert received.received is None
    assert not received.examined
    assert received.identity == known
    # It would be taken for a simulated book.
    with pytest.raises(PortfolioError, match="call receive_book again"):
        accept_book(run, received)


def test_other_volumes_are_another_run_and_volumes_of_long_ago_tell_nothing(
    desk: Callable[..., Run], tmp_path: Path
) -> None:
    own = ("liquidity.source=csv", f"liquidity.path={tmp_path / 'volumes.csv'}")
    first = receive_book(desk(*own)).identity
    assert receive_book(desk()).identity != first
    (tmp_path / "volumes.csv").write_text("date,AAA\n2024-01-03,20\n")
    run = desk(*own, "market_data.stale_after_d=1")
    assert receive_book(run).identity != first
    built(run)
    assert not run.lake.exists(PORTFOLIO_LIQUIDITY) or not run.rows(PORTFOLIO_LIQUIDITY).num_rows


def test_rows_columns_and_volumes_that_are_not_used_are_kept_as_notices(
    desk: Callable[..., Run], tmp_path: Path
) -> None:
    run = desk("liquidity.source=csv", f"liquidity.path={tmp_path / 'volumes.csv'}")
    (tmp_path / "volumes.csv").write_text("date,AAA\n2024-01-06,20\n")
    header, *rows = POSITIONS_FILE.splitlines()
    lines = (f"{header},uantity", *(f"{row},1" for row in rows), "P,AAA,x,,1")
    (tmp_path / "positions.csv").write_text("\n".join(("A fund", *lines, "", "All rights reserved")))
    built(run)
    run.notices.commit()
    kept = run.rows(RUN_NOTICES).sort_by("place")
    assert kept["text"].to_pylist() == [
        "skipped, above or below the table: line 1 and line 8 of positions.csv",
        "column 'uantity' of positions.csv is not used; if it is quantity, name it so, or map it in"
        " conf/book.yml",
        "quarantined: line 6 of positions.csv has 'x' for quantity, which is not a number",
        "volumes begin after 2024-01-05: days to liquidate are not evaluated",
    ]
    # What was read is said, and is no notice.
    assert not [line for line in run.notices.lines if line.startswith(("3 positions", "positions as of"))]
    # The same run again, whose file is in order by now, leaves none behind.
    again = desk()
    (tmp_path / "positions.csv").write_text(POSITIONS_FILE)
    built(again)
    again.notices.commit()
    assert again.notices.lines == ()
    assert not again.rows(RUN_NOTICES).num_rows


REFUSED = {
    "no file of P&L": (
        ("pnl.source=csv", "pnl.path=none.csv"),
        "",
        "pnl.source is csv: set pnl.path to a file",
    ),
    "P&L in another currency": (
        (),
        "portfolio_id,date,pnl,currency\nP,2024-01-05,3,USD\n",
        "gives the P&L of P on 2024-01-05 in USD; its base currency is EUR",
    ),
    "P&L without a date": ((), "portfolio_id,pnl,currency\nP,3,EUR\n", "has no column date"),
    "no file of volumes": (
        ("liquidity.source=csv", "liquidity.path=none.csv"),
        "",
        "There is no file .*none.csv; set liquidity.path to a file of volumes",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_comes_with_a_book_is_refused_before_any_work(
    case: str, desk: Callable[..., Run], tmp_path: Path
) -> None:
    more, pnl, expected = REFUSED[case]
    if pnl:
        (tmp_path / "pnl.csv").write_text(pnl)
        more = ("pnl.source=csv", f"pnl.path={tmp_path / 'pnl.csv'}")
    run = desk(*more)
    with pytest.raises(PortfolioError, match=expected) as refused:
        receive_book(run)
    assert "\n" not in str(refused.value)
    assert run.touches == []


UNMEANT = {
    "a quantity and a market value that contradict each other at these prices": (
        {"positions.csv": "portfolio_id,instrument_id,quantity,market_value\nP,AAA,100,1000\nP,BBB,5,900\n"},
        "P holds AAA: quantity x price is 800.00 and market_value 1,000.00, more than",
    ),
    "no rate": (
        {"prices.csv": PRICES.replace("EURUSD", "CCC")},
        "AAA is in USD and its portfolio in EUR: there is no exchange rate between them",
    ),
    "positions of later": (
        {"positions.csv": "as_of,portfolio_id,instrument_id,quantity\n2024-02-01,P,AAA,1\n"},
        "All positions are dated after the as-of date 2024-01-05",
    ),
}


@pytest.mark.parametrize("case", UNMEANT)
def test_a_book_that_cannot_be_meant_is_refused_before_prices_are_committed(
    case: str, desk: Callable[..., Run], tmp_path: Path
) -> None:
    files, expected = UNMEANT[case]
    run = desk()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    received = receive_book(run)
    with pytest.raises(PortfolioError, match=expected):
        ingest(run, examine_book(run, received))
    assert [touch for touch in run.touches if touch.direction == "write"] == []
    assert not run.lake.exists(PRICES_RECEIVED)
