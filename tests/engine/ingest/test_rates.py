"""Which series of a source are rates, how they are named, and that a rate has one source."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.ingest.grouped import Here, cells_of
from acceleray.stages.ingest.rates import _rates_of, _refuse_both
from acceleray.stages.ingest.received import Received


def cells(name: str) -> pa.Table:
    return cells_of(name, pa.array([date(2024, 1, 2)]), pa.array(["1.1"]))


def settings(**fx: Any) -> Settings:
    return Settings.model_validate({"project": {"name": "P", "customer": "C"}, "fx": fx})


def test_a_column_of_a_central_bank_is_what_one_of_its_currency_costs() -> None:
    found, left_out = _rates_of({name: cells(name) for name in ("USD", "GOLD")}, settings(base="EUR"))
    assert list(found) == ["EURUSD"]
    assert found["EURUSD"]["instrument_id"].to_pylist() == ["EURUSD"]
    assert left_out == ["GOLD"]


@pytest.mark.parametrize("announced", [(), ("A", "EURUSD")])
def test_a_rate_that_the_prices_have_too_is_refused(announced: tuple[str, ...]) -> None:
    prices = Received("prices.csv", None, Here((cells("A"), cells("EURUSD"))), announced)
    _refuse_both(prices, "rates.csv", {"GBPUSD": cells("GBPUSD")})
    with pytest.raises(PortfolioError, match=r"EURUSD is in prices.csv and in rates.csv"):
        _refuse_both(prices, "rates.csv", {"EURUSD": cells("EURUSD")})
