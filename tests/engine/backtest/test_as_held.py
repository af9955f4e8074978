"""Positions with a history: each day's own, from the day after their date on."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import GjrFit, GjrParameters
from acceleray.settings import Risk
from acceleray.settings.book import Book as BookSettings
from acceleray.stages.backtest.as_held import as_held, forecast_held, held_then, positions_of, rows, told
from acceleray.stages.backtest.blocks import Block
from acceleray.stages.book.dated import Dated, dated, positions_on
from acceleray.stages.book.holdings import Holdings
from acceleray.stages.book.lines import Lines
from book.invented import INSTRUMENTS, MARKET, instruments, positions

DAYS, FIRST, SPANS = 440, 400, [(400, 420), (420, 440)]
DATES = np.arange("2023-01-01", DAYS, dtype="datetime64[D]")
PARAMETERS = GjrParameters(mu=5e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.9, nu=6.0)
FIT = GjrFit("calibrated", "", DAYS, PARAMETERS, PARAMETERS, 0.0, True, "", 1e-4, 1e-2)
LINES = Lines(("A", "B"))
NAMES = ("DESK", "NEW")


def day(row: int) -> date:
    return DATES[row].astype(date)


DATED = (
    Dated(day(300), ("DESK",), LINES, np.array([[1.0, 0.0]])),
    Dated(day(409), ("DESK",), LINES, np.array([[0.0, -0.5]])),
    Dated(day(429), ("NEW", "DESK"), LINES, np.array([[0.5, 0.5], [0.3, 0.3]])),
)


@pytest.fixture(scope="module")
def returns() -> Panel:
    generator = np.random.default_rng(5)
    values = 0.008 * (generator.standard_t(6, (DAYS, 2)) + generator.standard_t(6, (DAYS, 1)))
    return Panel(DATES, ("A", "B"), values)


def test_positions_earn_from_the_day_after_their_date_until_the_next_ones_do(returns: Panel) -> None:
    stretches = held_then(DATED, SPANS, returns)
    assert [(each.block, each.dated, each.first, each.last) for each in stretches] == [
        (0, 0, 400, 410),
        (0, 1, 410, 420),
        (1, 1, 420, 430),
        (1, 2, 430, 440),
    ]
    # Of days before the first date nothing is known.
    later = held_then(DATED[1:], SPANS, returns)
    assert [(each.first, each.last) for each in later] == [(410, 420), (420, 430), (430, 440)]
    assert held_then((), SPANS, returns) == ()


def test_each_day_loses_what_was_held_then(returns: Panel) -> None:
    stretches = held_then(DATED, SPANS, returns)
    terms: dict[str, Any] = {"windows": (300,), "risk": Risk(), "seed": 1}
    results = [
        forecast_held(
            (Block(each.first, each.last, (FIT, FIT)), positions_of(DATED[each.dated], NAMES, 0.9)),
            returns.values,
            returns.spans,
            **terms,
        )
        for each in stretches
    ]
    desk, new = as_held(NAMES, results, stretches, returns)
    a, b = returns.values[FIRST:].T
    by_hand = np.concatenate([-a[:10], 0.5 * b[10:30], -0.3 * (a + b)[30:]])
    np.testing.assert_allclose(desk.losses, by_hand, rtol=1e-12)
    assert (desk.days[0], desk.days[-1], len(desk.days)) == (day(400), day(439), 40)
    # A portfolio that there was not before has days from its first positions on.
    assert (new.portfolio_id, new.days[0], len(new.days)) == ("NEW", day(430), 10)
    table = rows([desk, new], Risk())
    kept = table.to_pylist()
    hits = desk.losses > desk.forecasts[0, 0, 0]
    assert (kept[0]["days"], kept[0]["exceptions"], kept[0]["basel_zone"]) == (40, hits.sum(), None)
    assert told(table).startswith(f"as held since {day(400)}, 2 portfolios: ")
    once = pa.Table.from_pylist([kept[1] | {"exceptions": 1, "days": 1}])
    assert told(once).startswith(f"as held since {day(430)}, 1 portfolio: NEW has 1 exception in 1 day, ")
    assert rows([], Risk()).num_rows == 0


def test_of_each_portfolio_the_last_positions_not_after_a_date_are_held() -> None:
    held = [
        ("P", "A", date(2024, 1, 2)),
        ("P", "B", date(2024, 1, 2)),
        ("P", "A", date(2024, 3, 1)),
        ("Q", "A", date(2024, 2, 1)),
        ("R", "B", None),
    ]
    names = ("portfolio_id", "instrument_id", "held_on")
    table = pa.table({name: [row[place] for row in held] for place, name in enumerate(names)})

    def on(*when: int) -> list[tuple[str, str]]:
        found = positions_on(table, date(*when)).to_pylist()
        return [(row["portfolio_id"], row["instrument_id"]) for row in found]

    assert on(2024, 2, 1) == [("P", "A"), ("P", "B"), ("Q", "A"), ("R", "B")]
    assert on(2024, 1, 31) == [("P", "A"), ("P", "B"), ("R", "B")]
    assert on(2024, 3, 1) == [("P", "A"), ("Q", "A"), ("R", "B")]
    assert on(2024, 1, 1) == [("R", "B")]


def test_the_nav_of_a_whole_today_is_not_that_of_its_parts_then() -> None:
    known = pa.table(
        {
            "portfolio_id": ["ALL", "P"],
            "base_currency": ["USD", "USD"],
            "nav": pa.array([9_000_000.0, None]),
            "parent_id": ["", "ALL"],
        }
    )
    then = positions({"portfolio_id": "P", "instrument_id": "AAA", "quantity": 100.0})
    found = dated(
        Holdings(then, then.slice(0, 0), known, instruments(), then.slice(0, 0), ()),
        MARKET,
        BookSettings(),
        day(300),
    )
    assert found.weights[:, INSTRUMENTS.index("AAA")].tolist() == [1.0, 1.0]
