"""Parents, groups, benchmarks and portfolios without one position: what each row of weights must say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.stages.book.detail_weights import columns_with, weights_with
from acceleray.stages.book.details import (
    ACTIVE,
    GROUP,
    WITHOUT,
    active_weights,
    details_of,
    looked_into,
    with_benchmarks,
)
from acceleray.stages.book.exposures import OF_VALUE, exposures_of
from acceleray.stages.book.hierarchy import Portfolios, placed, without_empty
from acceleray.stages.book.rows import left_out
from book.invented import INSTRUMENTS, MARKET, instruments, portfolios, positions, valued, weighed

DESK = portfolios(
    {"portfolio_id": "B", "parent_id": "ALL", "base_currency": "EUR"},
    {"portfolio_id": "A", "parent_id": "ALL", "benchmark_id": "INDEX"},
    {"portfolio_id": "ALL", "base_currency": "USD"},
    {"portfolio_id": "ALONE"},
)
HELD = positions(
    {"portfolio_id": "A", "instrument_id": "AAA", "quantity": 100.0},
    {"portfolio_id": "A", "instrument_id": "BBB", "quantity": -50.0},
    {"portfolio_id": "ALONE", "instrument_id": "AAA", "quantity": 10.0},
    {"portfolio_id": "B", "instrument_id": "AAA", "quantity": 60.0},
    {"portfolio_id": "B", "instrument_id": "SAP", "quantity": 20.0},
)
SECTOR = {"sector": np.array(["tech", "food", "tech", "tech", ""], dtype=object)}


def test_wholes_come_first_then_those_that_stand_alone_then_benchmarks() -> None:
    parents = {"Z": "", "part": "Z", "alone": "", "bench": "", "grandpart": "part"}
    assert placed(parents, {"bench"}) == ("Z", "part", "grandpart", "alone", "bench")
    assert DESK.ids == ("ALL", "A", "B", "ALONE")
    assert DESK.parents == (-1, 0, 0, -1)


def test_a_whole_holds_what_its_parts_hold_in_its_own_currency() -> None:
    found, columns, weights = weighed(HELD, DESK)
    # A: 5000 - 1000; B: 3000 dollars and 1600 euro, in dollars 2000.
    np.testing.assert_allclose(found.nav, [9000.0, 4000.0, 4000.0, 500.0], rtol=1e-15)
    assert weights[0, INSTRUMENTS.index("AAA")] == pytest.approx(8000.0 / 9000.0)
    assert weights[0, INSTRUMENTS.index("SAP")] == pytest.approx(2000.0 / 9000.0)
    returns = np.array([0.02, -0.1, 0.04, 0.0, 0.01, 0.0])
    gain = 8000.0 * 0.02 + 1000.0 * 0.1 + 2000.0 * (1.01 * 1.04 - 1.0)
    assert columns.lines.of(returns) @ weights[0] == pytest.approx(gain / 9000.0, rel=1e-13)


def test_a_nav_given_for_a_whole_is_that_of_its_parts_and_of_what_it_holds() -> None:
    def of(nav: float) -> Portfolios:
        return portfolios(
            {"portfolio_id": "ALL", "nav": nav},
            {"portfolio_id": "MID", "parent_id": "ALL", "base_currency": "EUR", "nav": 4000.0},
            {"portfolio_id": "P", "parent_id": "MID"},
        )

    book = positions(
        {"portfolio_id": "ALL", "instrument_id": "BBB", "quantity": 50.0},
        {"portfolio_id": "P", "instrument_id": "AAA", "quantity": 96.0},
    )
    # P: 4800 dollars; MID: 4000 euro are 5000 dollars; ALL holds another 1000 and lacks 100 of its NAV.
    found, _, weights = weighed(book, of(6100.0))
    np.testing.assert_allclose(found.nav, [6100.0, 4000.0, 4800.0], rtol=1e-15)
    np.testing.assert_allclose(found.cash, [300.0, 160.0, 0.0], atol=1e-11)
    assert weights[0, INSTRUMENTS.index("AAA")] == pytest.approx(4800.0 / 6100.0)
    with pytest.raises(
        PortfolioError, match=r"Portfolio ALL: positions and parts add up to 6,000\.00 and its"
    ):
        valued(book, of(9000.0))


def rows_of(of: Portfolios = DESK):
    found = with_benchmarks(exposures_of(valued(HELD, of), MARKET), of, instruments(), MARKET)
    rows = details_of(found, of, SECTOR)
    weights, of_rows, _ = weights_with(found, rows, columns_with(found, rows, of, MARKET), len(of))
    return [row.detail for row in rows], np.concatenate((weights, of_rows))


def test_groups_of_every_grouping_add_up_to_the_portfolio() -> None:
    details, weights = rows_of()
    seen = set()
    for portfolio in range(4):
        for by in ("sector", "portfolio"):
            rows = [
                4 + place
                for place, each in enumerate(details)
                if (each.kind, each.portfolio, each.by) == (GROUP, portfolio, by)
            ]
            if rows:
                seen.add(by)
                np.testing.assert_allclose(weights[rows].sum(axis=0), weights[portfolio], atol=1e-15)
    assert seen == {"sector", "portfolio"}
    names = {each.name for each in details if each.kind == GROUP and each.portfolio == 2}
    assert names == {"tech", "not given"}


def test_without_a_position_everything_else_stays() -> None:
    details, weights = rows_of()
    place = next(
        n for n, each in enumerate(details) if (each.kind, each.portfolio, each.name) == (WITHOUT, 0, "AAA")
    )
    left = weights[0].copy()
    left[0] = 0.0
    # Its currency goes with it.
    own = weights[4 + place]
    assert own[0] == 0.0
    np.testing.assert_allclose(own[:6], left[:6], atol=1e-15)


def test_an_index_as_benchmark_is_one_unit_of_it() -> None:
    details, weights = rows_of()
    place = next(n for n, each in enumerate(details) if each.kind == ACTIVE)
    at = INSTRUMENTS.index("INDEX")
    assert weights[4 + place, at] == -1.0
    np.testing.assert_array_equal(np.delete(weights[4 + place], at), np.delete(weights[1], at))


def test_an_index_in_another_currency_as_benchmark_moves_with_its_rate() -> None:
    of = portfolios({"portfolio_id": "P", "base_currency": "EUR", "benchmark_id": "IDX"})
    held = positions({"portfolio_id": "P", "instrument_id": "SAP", "quantity": 10.0})
    known = instruments({"instrument_id": "IDX", "type": "index", "currency": "USD", "series": "INDEX"})
    found = with_benchmarks(exposures_of(valued(held, of, known), MARKET), of, known, MARKET)
    rows = [row for row in details_of(found, of, {}) if row.detail.kind == ACTIVE]
    columns = columns_with(found, rows, of, MARKET)
    _, active, _ = weights_with(found, rows, columns, 1)
    # SAP by 1 %, less the index by 5 % in dollars, of which a euro buys 4 % more.
    returns = np.array([0.0, 0.0, 0.04, 0.05, 0.01, 0.0])
    assert (active @ columns.lines.of(returns))[0] == pytest.approx(0.01 - (1.05 / 1.04 - 1.0), rel=1e-13)


def test_a_portfolio_has_no_risk_against_itself_whatever_its_size() -> None:
    twins = portfolios({"portfolio_id": "P", "benchmark_id": "Q"}, {"portfolio_id": "Q"})
    same = [("AAA", 30.0), ("BBB", 7.0), ("SAP", 11.0)]
    held = positions(
        *({"portfolio_id": "P", "instrument_id": name, "quantity": 3.0 * count} for name, count in same),
        *({"portfolio_id": "Q", "instrument_id": name, "quantity": count} for name, count in same),
    )
    _, _, weights = weighed(held, twins)
    assert not active_weights(weights[0], weights[1]).any()
    other = weights[1].copy()
    other[0] += 1e-6
    assert active_weights(weights[0], other)[0] == pytest.approx(-1e-6)


def test_a_benchmark_that_is_nothing_is_refused() -> None:
    of = portfolios(
        {"portfolio_id": "ALONE", "benchmark_id": "NOWHERE"}, {"portfolio_id": "A"}, {"portfolio_id": "B"}
    )
    found = exposures_of(valued(HELD, of), MARKET)
    with pytest.raises(PortfolioError, match="The benchmark NOWHERE of portfolio ALONE is neither"):
        with_benchmarks(found, of, instruments(), MARKET)


def test_values_are_in_no_line() -> None:
    found, columns, _ = weighed(HELD, DESK)
    assert (columns.of[found.kind == OF_VALUE] == -1).all()


def test_of_many_portfolios_only_wholes_are_looked_into() -> None:
    parents = {f"P{number:03d}": "ALL" for number in range(150)} | {"ALL": ""}
    many = portfolios(
        *({"portfolio_id": name, "parent_id": above or None} for name, above in parents.items())
    )
    assert looked_into(many) == [0]
    assert looked_into(DESK) == [0, 1, 2, 3]


def test_the_size_of_a_position_is_its_exposure_and_of_a_forward_that_to_the_currency_bought() -> None:
    known = instruments(
        {"instrument_id": "EURUSD", "type": "forward", "currency": "USD"},
        {"instrument_id": "CASH.USD", "type": "cash", "currency": "USD"},
    )
    held = [("SAP", 10.0), ("EURUSD", -400.0), ("CASH.USD", 250.0)]
    rows = positions(*({"portfolio_id": "P", "instrument_id": name, "quantity": n} for name, n in held))
    for base, rate in (("EUR", 1.0), ("USD", 1.25), ("JPY", 150.0)):
        of = portfolios({"portfolio_id": "P", "base_currency": base})
        found = exposures_of(valued(rows, of, known), MARKET)
        details = [row.detail for row in details_of(found, of, {})]
        sizes = {row.name: row.size for row in details if row.kind == WITHOUT}
        nav = 1000.0 * rate
        expected = {"SAP": 800.0 * rate / nav, "EURUSD": -400.0 * rate / nav, "CASH.USD": 200.0 * rate / nav}
        assert sizes == pytest.approx(expected, rel=1e-12), base


def test_a_portfolio_of_nothing_is_left_out_and_said_and_its_whole_stays() -> None:
    rows = [
        {"portfolio_id": "ALL", "parent_id": None, "nav": None},
        {"portfolio_id": "A", "parent_id": "ALL", "nav": None},
        {"portfolio_id": "EMPTY", "parent_id": "ALL", "nav": None},
        {"portfolio_id": "CASH ONLY", "parent_id": None, "nav": 5.0},
    ]
    schema = pa.schema([("portfolio_id", pa.string()), ("parent_id", pa.string()), ("nav", pa.float64())])
    kept, lines = without_empty(pa.Table.from_pylist(rows, schema=schema), ["A"])
    assert kept["portfolio_id"].to_pylist() == ["ALL", "A", "CASH ONLY"]
    assert lines == ["EMPTY: no position and no NAV, so excluded"]
    assert without_empty(kept, ["A"]) == (kept, [])


def test_what_is_not_in_the_risk_has_a_line_for_each_of_some_portfolios_and_one_for_the_rest() -> None:
    known = instruments({"instrument_id": "CALL", "type": "option", "currency": "USD"})
    names = [f"P{number}" for number in range(7)]
    held = positions(
        *({"portfolio_id": name, "instrument_id": "CALL", "market_value": 100.0} for name in names),
        *({"portfolio_id": name, "instrument_id": "AAA", "quantity": 18.0} for name in names),
    )
    of = portfolios(*({"portfolio_id": name} for name in names))
    lines = left_out(exposures_of(valued(held, of, known), MARKET), of)
    assert lines[0] == "P0: 10.00 % of NAV is not in its risk, it is not modelled: CALL"
    assert lines[5:] == ["2 more portfolios are affected as well: see gold.portfolios"]
    six = held.slice(0, 6)
    of = portfolios(*({"portfolio_id": name} for name in names[:6]))
    lines = left_out(exposures_of(valued(pa.concat_tables([six, held.slice(7, 6)]), of, known), MARKET), of)
    assert lines[5:] == ["1 more portfolio is affected as well: see gold.portfolios"]
