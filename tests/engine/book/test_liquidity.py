"""Days to liquidate by hand, volumes as files have them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.settings.desk import Liquidity
from acceleray.stages.book.liquidity import portfolio_liquidity, position_liquidity
from acceleray.stages.book.rows import typed
from acceleray.stages.book.volumes import AverageVolumes, Volumes, average_volumes, receive_volumes
from acceleray.tables import POSITIONS

OF = Liquidity(participation=0.1)
DAYS = np.arange("2022-12-19", "2022-12-24", dtype="datetime64[D]")


def position(instrument: str, quantity: float | None, exposure: float, **more: Any) -> dict[str, Any]:
    plain = {"portfolio_id": "P", "status": "priced", "price": 10.0, "fx_rate": 2.0, "currency": "USD"}
    held = {"instrument_id": instrument, "quantity": quantity, "exposure": exposure, "market_value": exposure}
    return plain | held | more


def liquidity(*held: dict[str, Any], volumes: dict[str, float]) -> tuple[dict[str, Any], dict[str, Any]]:
    names = {name: [row.get(name) for row in held] for name in held[0]}
    average = AverageVolumes(volumes, 60, date(2022, 12, 23))
    found = position_liquidity(typed(POSITIONS, names, len(held)), {"B": "B US"}, average, OF)
    whole = portfolio_liquidity(found, {"P": 1000.0, "EMPTY": 1.0}, average, OF)
    return {row["instrument_id"]: row for row in found.to_pylist()}, whole.to_pylist()[0]


def test_days_are_units_over_a_share_of_the_volume_and_portfolios_sell_all_at_once() -> None:
    found, whole = liquidity(
        position("A", 40.0, 800.0),
        # Five units: 100 / (10 x 2), and a series of another name.
        position("B", None, -100.0),
        position("CASH.USD", 500.0, 0.0, status="cash"),
        position("EURUSD", -50.0, -50.0, status="currency"),
        volumes={"A": 20.0, "B US": 100.0},
    )
    # 40 / (0.1 x 20) and 5 / (0.1 x 100).
    assert {name: row["days_to_liquidate"] for name, row in found.items()} == {"A": 20.0, "B": 0.5}
    assert (whole["days_to_liquidate"], whole["slowest"]) == (20.0, "A")
    assert (whole["gross_pct_nav"], whole["unknown_pct_nav"]) == pytest.approx((90.0, 0.0))
    sold = [whole[f"liquidated_{days}d_pct_nav"] for days in (1, 5, 10)]
    assert sold == pytest.approx([80.0 / 20 + 10, 80.0 / 4 + 10, 80.0 / 2 + 10])


def test_what_has_no_volume_units_or_trades_is_not_known_and_says_why() -> None:
    found, whole = liquidity(
        position("A", 40.0, 100.0),
        position("B", 4.0, 200.0),
        position("C", None, 0.0, price=None, status="unpriced", market_value=300.0),
        volumes={"A": 0.0, "C": 5.0},
    )
    assert {name: row["reason"] for name, row in found.items()} == {
        "A": "its average volume over 60 days is zero",
        "B": "it has no volumes",
        "C": "its units are unknown",
    }
    assert whole["days_to_liquidate"] is None
    assert whole["slowest"] is None
    assert (whole["gross_pct_nav"], whole["unknown_pct_nav"]) == pytest.approx((60.0, 60.0))
    assert whole["liquidated_10d_pct_nav"] == 0.0


def test_a_day_without_a_trade_counts_as_zero_and_days_that_nothing_covers_do_not_count() -> None:
    volumes = Volumes(
        "here",
        {"A": (DAYS[1:4], np.array([10.0, 30.0, 50.0])), "B": (DAYS[[3]], np.array([8.0]))},
        "",
    )
    found = average_volumes(volumes, DAYS, Liquidity(window_d=3))
    assert (found.of, found.days, found.last_date) == ({"A": 30.0, "B": 0.0}, 3, date(2022, 12, 22))
    mean = average_volumes(volumes, DAYS, Liquidity(window_d=2, average="mean"))
    assert (mean.of, mean.days) == ({"A": 40.0, "B": 4.0}, 2)
    assert volumes.until(date(2022, 12, 20)).of.keys() == {"A"}
    assert volumes.until(date(2022, 12, 19)) is None


@pytest.fixture
def received(settings: Callable[..., Settings], tmp_path: Path) -> Callable[..., Volumes]:
    def read(content: str, *more: str) -> Volumes:
        (tmp_path / "volumes.csv").write_text(content)
        no_spark: Any = None
        own = ("liquidity.source=csv", f"liquidity.path={tmp_path / 'volumes.csv'}", *more)
        found = receive_volumes(no_spark, settings(*own))
        assert found is not None
        return found

    return read


WIDE = "date,A,B\n2022-12-19,100,7\n2022-12-20,200,\n"
LONG = "date,ticker,close,volume\n2022-12-20,A,9.5,200\n2022-12-19,A,9,100\n2022-12-19,B,3,7\n"


def test_wide_files_long_price_files_and_files_of_one_instrument_are_read(received: Any) -> None:
    wide, long = received(WIDE), received(LONG)
    assert wide.digest == long.digest
    assert wide.of["A"][1].tolist() == [100.0, 200.0]
    assert wide.of["B"][0].tolist() == [date(2022, 12, 19)]
    one = received("Date,Open,High,Low,Close,Volume\n2022-12-19,1,2,1,2,1500\n2022-12-20,1,2,1,2,1600\n")
    assert one.of["volumes"][1].tolist() == [1500.0, 1600.0]
    own = received("date,ticker,close,Stueck\n2022-12-19,A,9,100\n", "liquidity.columns={price: Stueck}")
    assert own.of["A"][1].tolist() == [100.0]


def test_cells_and_rows_that_are_no_volumes_are_named(received: Any) -> None:
    assert received(WIDE).notices == ()
    (line,) = received("date,A,B\n2022-12-19,100,7\n2022-12-20,many,x\n").notices
    assert line.endswith(
        "volumes.csv: 2 cells not used as no volume can be read, the first 'many' of A on 2022-12-20"
    )
    days = [f"2022-12-{day} 00:00:00-05:00" for day in (14, 15, 16, 19)]
    live = "2022-12-20 15:59:58-05:00"
    (line,) = received("date,A\n" + "".join(f"{day},100\n" for day in (*days, live))).notices
    assert line.endswith(f"volumes.csv: line 6 left out: '{live}' is a live price, not a close")


REFUSED = {
    "prices": ("Date,Open,High,Low,Close\n2022-12-19,1,2,1,2\n", "has the column 'Open' and none of volumes"),
    "negative": ("date,A\n2022-12-19,-5\n", "has a volume of -5 for A on 2022-12-19"),
    "no number": ("date,A\n2022-12-19,many\n", "has no volume that is a number"),
    "no date": ("name,A\nx,5\n", "has no column named date"),
    "a date twice": ("date,A\n2022-12-19,5\n2022-12-19,6\n", "has 2022-12-19 again"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_volumes_are_refused_in_one_line(case: str, received: Any) -> None:
    content, expected = REFUSED[case]
    with pytest.raises(PortfolioError, match=expected) as refused:
        received(content)
    assert "\n" not in str(refused.value)
    assert "market_data" not in str(refused.value)


def test_a_source_without_a_path_asks_for_one(settings: Callable[..., Settings]) -> None:
    no_spark: Any = None
    with pytest.raises(PortfolioError, match=r"set liquidity.path to a file of volumes"):
        receive_volumes(no_spark, settings("liquidity.source=csv"))
    assert receive_volumes(no_spark, settings()) is None
