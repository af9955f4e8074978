"""Utilisation by hand: two portfolios, three positions, and every state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from acceleray.stages.limits.amounts import Amount, parse_amount
from acceleray.stages.limits.definitions import Limit, Limits
from acceleray.stages.limits.measures import MEASURES
from acceleray.stages.limits.observed import Facts
from acceleray.stages.limits.on_trades import limits_on_trades
from acceleray.stages.limits.rows import Before, Key, utilised
from acceleray.stages.limits.utilisation import states, utilisation
from acceleray.stages.what_if.facts import Exposed, LimitState
from acceleray.tables import (
    ACTIVE_RISK,
    GROUP_RISK,
    PORTFOLIO_LIQUIDITY,
    PORTFOLIO_SCORES,
    PORTFOLIOS,
    POSITIONS,
    RISK_MEASURES,
    STRESS_LOSSES,
    Table,
)

KEYS = {"run_id": "r", "as_of": date(2022, 12, 28)}
PLAIN: Mapping[str, Any] = {
    "string": "",
    "double": 0.0,
    "long": 0,
    "boolean": False,
    "date": KEYS["as_of"],
    "timestamp": datetime(2022, 12, 29, tzinfo=UTC),
}


def rows(table: Table, *given: Mapping[str, Any]) -> pa.Table:
    """Return rows with something plausible in every column that they leave out."""
    plain = {column.name: None if column.nullable else PLAIN[column.type] for column in table.columns}
    return pa.Table.from_pylist([plain | KEYS | dict(row) for row in given], schema=table.arrow_schema)


def facts(**more: pa.Table) -> Facts:
    """Return a long-only portfolio in dollars and a long-short one in euros, NAV of both 1,000,000."""
    portfolios = rows(
        PORTFOLIOS,
        {"portfolio_id": "LONG", "nav": 1e6, "currency": "USD"},
        {"portfolio_id": "PAIR", "nav": 1e6, "currency": "EUR"},
    )
    positions = rows(
        POSITIONS,
        {"portfolio_id": "LONG", "instrument_id": "A", "weight": 0.6},
        {"portfolio_id": "LONG", "instrument_id": "B", "weight": 0.3},
        {"portfolio_id": "PAIR", "instrument_id": "A", "weight": 0.5},
        {"portfolio_id": "PAIR", "instrument_id": "B", "weight": -0.7},
    )
    empty = {
        table.label: table.arrow_schema.empty_table()
        for table in (
            *(RISK_MEASURES, GROUP_RISK, ACTIVE_RISK, STRESS_LOSSES, PORTFOLIO_SCORES),
            PORTFOLIO_LIQUIDITY,
        )
    }
    return Facts(portfolios, {POSITIONS.label: positions} | empty | more)


def limit(measure: str, amount: str, **more: Any) -> Limit:
    given: dict[str, Any] = {"limit_id": "one", "portfolio": "*", "warning": 0.8, "owner": "Desk"}
    given |= {"valid_from": date(2020, 1, 1), "measure": MEASURES[measure], "amount": parse_amount(amount)}
    return Limit(**(given | more))


def used(
    one: Limit, known: Facts | None = None, before: Mapping[Key, Before] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the row of each portfolio."""
    found = utilised([one], known or facts(), before or {}).to_pylist()
    return {row["portfolio_id"]: row for row in found}


def numbers(found: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: (row["value"], row["utilisation_pct"], row["state"]) for name, row in found.items()}


def test_gross_takes_each_position_by_size_and_net_lets_shorts_count_against_longs() -> None:
    gross, net = (used(limit(measure, "100 %")) for measure in ("gross_exposure", "net_exposure"))
    assert gross["LONG"]["value"] == net["LONG"]["value"] == pytest.approx(90.0, abs=1e-12)
    assert gross["PAIR"]["value"] == pytest.approx(120.0, abs=1e-12)
    assert net["PAIR"]["value"] == pytest.approx(-20.0, abs=1e-12)
    assert (gross["PAIR"]["utilisation_pct"], gross["PAIR"]["state"]) == (120.0, "red")
    # A net short uses the limit by its size.
    assert (net["PAIR"]["utilisation_pct"], net["PAIR"]["state"]) == (20.0, "green")


def test_at_the_warning_level_exactly_it_is_amber_and_at_the_limit_exactly_not_yet_red() -> None:
    # 0.7 * 0.1 / 0.7 and the like do not divide evenly in binary.
    for whole in (0.3, 0.7, 1.1, 4.0, 4.35, 1e6 / 3.0):
        found = utilisation(np.array([0.8 * whole, 0.79999 * whole, whole, 1.00001 * whole]), whole, "loss")
        assert states(found, 0.8).tolist() == ["amber", "green", "amber", "red"]


def test_a_gain_uses_no_loss_limit() -> None:
    assert utilisation(np.array([-3.0]), 4.0, "loss").tolist() == [0.0]
    assert utilisation(np.array([-3.0]), 4.0, "either").tolist() == [75.0]


def test_a_group_is_summed_and_without_a_value_the_largest_counts() -> None:
    one = used(limit("weight", "50 %", group="instrument", group_value="B"))
    assert numbers(one)["LONG"] == (pytest.approx(30.0), 60.0, "green")
    assert numbers(one)["PAIR"] == (pytest.approx(-70.0), 140.0, "red")
    largest = used(limit("weight", "50 %", group="instrument"))
    assert {name: row["group_value"] for name, row in largest.items()} == {"LONG": "A", "PAIR": "B"}
    assert numbers(largest)["PAIR"] == (pytest.approx(-70.0), 140.0, "red")


def test_two_lines_of_one_group_are_one_exposure() -> None:
    lines = rows(
        POSITIONS,
        *(
            {"portfolio_id": "LONG", "instrument_id": name, "weight": 0.3, "sector": "Energy"}
            for name in ("A", "B")
        ),
        {"portfolio_id": "LONG", "instrument_id": "USD", "weight": 0.9, "sector": "Cash", "status": "cash"},
        {"portfolio_id": "PAIR", "instrument_id": "A", "weight": 0.4},
    )
    found = used(limit("weight", "50 %", group="sector"), facts(**{POSITIONS.label: lines}))
    assert numbers(found)["LONG"] == (pytest.approx(60.0), 120.0, "red")
    # Positions without a sector may be large: they are shown as a group.
    assert numbers(found)["PAIR"] == (pytest.approx(40.0), 80.0, "amber")
    assert found["PAIR"]["group_value"] == "not given"


def test_a_limit_of_money_is_compared_in_the_currency_of_the_portfolio_or_not_at_all() -> None:
    found = used(limit("gross_exposure", "1_000_000 USD"))
    assert numbers(found)["LONG"] == (pytest.approx(900_000.0), 90.0, "amber")
    assert numbers(found)["PAIR"] == (None, None, "not evaluated")
    assert found["PAIR"]["reason"] == "the limit is in USD and the portfolio in EUR"


def test_value_at_risk_is_that_of_the_method_and_the_horizon() -> None:
    known = [
        {
            "portfolio_id": "LONG",
            "measure": measure,
            "method": method,
            "horizon_d": days,
            "value_pct_nav": value,
        }
        for measure, method, days, value in (
            ("value_at_risk", "filtered_historical", 1, 3.5),
            ("value_at_risk", "filtered_historical", 10, 9.0),
            ("value_at_risk", "t_copula", 1, 3.0),
            ("expected_shortfall", "filtered_historical", 1, 3.6),
        )
    ]
    one = limit("value_at_risk", "4 %", horizon_d=1, method="filtered_historical")
    found = used(one, facts(**{RISK_MEASURES.label: rows(RISK_MEASURES, *known)}))
    assert numbers(found)["LONG"] == (3.5, 87.5, "amber")
    assert numbers(found)["PAIR"] == (None, None, "not evaluated")
    assert found["PAIR"]["reason"] == ("gold.risk_measures has no such row by filtered_historical over 1 day")


def group(value: str, net: float, alone: float, grouping: str = "strategy") -> dict[str, Any]:
    known = {"portfolio_id": "LONG", "grouping": grouping, "group": value, "method": "filtered_historical"}
    known |= {"horizon_d": 1, "measure": "value_at_risk", "confidence": 0.99, "standalone": alone}
    return known | {"net_exposure_pct_nav": net, "gross_exposure_pct_nav": abs(net)}


def test_a_column_of_the_users_own_is_a_group_too_and_its_risk_is_what_it_would_lose_alone() -> None:
    groups = [group("Core", 40.0, 20_000.0), group("Hedge", -60.0, 5_000.0), group("A", 99.0, 1.0, "other")]
    # The rows of another measure hold the same exposures once more.
    groups += [one | {"measure": "expected_shortfall"} for one in groups]
    known = facts(**{GROUP_RISK.label: rows(GROUP_RISK, *groups)})
    weight = used(limit("weight", "100 %", group="strategy"), known)
    assert (weight["LONG"]["group_value"], numbers(weight)["LONG"]) == ("Hedge", (-60.0, 60.0, "green"))
    assert weight["PAIR"]["reason"] == "it has no groups by strategy"
    simulated = {"horizon_d": 1, "method": "filtered_historical", "group": "strategy"}
    alone = used(limit("value_at_risk", "2 %", group_value="Core", **simulated), known)
    assert numbers(alone)["LONG"] == (2.0, 100.0, "amber")
    assert used(limit("weight", "9 %", group="sectr"), known)["LONG"]["reason"] == (
        "positions have no column 'sectr'"
    )


def test_exposures_and_what_is_unpriced_are_those_of_the_book_where_it_has_positions() -> None:
    plain = facts()
    known = plain.portfolios.drop_columns(
        ["gross_exposure_pct_nav", "unpriced_pct_nav", "not_modelled_pct_nav"]
    )
    for name, values in (
        ("gross_exposure_pct_nav", [95.0, 140.0]),
        ("unpriced_pct_nav", [3.0, 0.0]),
        ("not_modelled_pct_nav", [2.0, 0.0]),
    ):
        known = known.append_column(name, pa.array(values))
    book = Facts(known, plain.rows)
    assert [row["value"] for row in used(limit("gross_exposure", "200 %"), book).values()] == [95.0, 140.0]
    assert [row["value"] for row in used(limit("unpriced", "5 %"), book).values()] == [5.0, 0.0]


def test_the_worst_scenario_is_named_and_one_that_was_not_run_is_not_evaluated() -> None:
    losses = [
        {"portfolio_id": name, "scenario_id": scenario, "loss_pct_nav": loss}
        for name, scenario, loss in (
            ("LONG", "crash", 30.0),
            ("LONG", "oil", 10.0),
            ("PAIR", "crash", -5.0),
            ("PAIR", "oil", -2.0),
        )
    ]
    known = facts(**{STRESS_LOSSES.label: rows(STRESS_LOSSES, *losses)})
    worst = used(limit("stress_loss", "25 %", scenario="worst"), known)
    assert numbers(worst) == {"LONG": (30.0, 120.0, "red"), "PAIR": (-2.0, 0.0, "green")}
    assert [worst[name]["scenario_id"] for name in ("LONG", "PAIR")] == ["crash", "oil"]
    gone = used(limit("stress_loss", "25 %", scenario="covid"), known)
    assert {row["state"] for row in gone.values()} == {"not evaluated"}
    assert gone["LONG"]["reason"] == "scenario covid was not run"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (limit("stress_loss", "25 %", scenario="worst"), "this workload has no rows in gold.stress_losses"),
        (limit("unpriced", "5 %"), "this workload has no rows in gold.portfolio_scores"),
        (limit("weight", "25 %", group="sectr"), "this workload has no rows in gold.group_risk"),
        (limit("weight", "25 %", group="sector"), "no position has a value of 'sector'"),
        (
            limit("weight", "25 %", group="instrument", group_value="APPL"),
            "no position has instrument 'APPL'",
        ),
        (limit("days_to_liquidate", "5 days"), "no volumes: set liquidity.source"),
    ],
)
def test_what_cannot_be_compared_is_never_green(one: Limit, reason: str) -> None:
    for row in used(one).values():
        assert (row["state"], row["value"], row["utilisation_pct"]) == ("not evaluated", None, None)
        assert row["reason"] == reason


def test_days_to_liquidate_are_those_of_the_slowest_position_and_unknown_ones_are_never_green() -> None:
    def found(days: float, unknown: float) -> dict[str, Any]:
        row = {"days_to_liquidate": days, "unknown_pct_nav": unknown}
        liquidity = rows(PORTFOLIO_LIQUIDITY, *({"portfolio_id": name} | row for name in ("LONG", "PAIR")))
        return used(limit("days_to_liquidate", "5 days"), facts(**{PORTFOLIO_LIQUIDITY.label: liquidity}))[
            "LONG"
        ]

    assert (found(4.0, 0.0)["value"], found(4.0, 0.0)["state"]) == (4.0, "amber")
    assert found(6.0, 1.0)["state"] == "red"
    assert found(4.0, 1.5)["state"] == "not evaluated"
    assert found(4.0, 1.5)["reason"] == "1.50 % of NAV has no known days, see gold.position_liquidity"


def test_a_limit_on_one_portfolio_has_one_row_and_its_use_the_time_before() -> None:
    before = {
        ("one", "PAIR"): Before(date(2022, 12, 27), 42.0),
        ("other", "PAIR"): Before(date(2022, 12, 27), 1.0),
    }
    found = used(limit("gross_exposure", "100 %", portfolio="PAIR"), before=before)
    assert list(found) == ["PAIR"]
    row = found["PAIR"]
    assert (row["as_of_before"], row["utilisation_before_pct"]) == (date(2022, 12, 27), 42.0)
    assert used(limit("gross_exposure", "100 %"), before=before)["LONG"]["utilisation_before_pct"] is None


def test_amounts_are_read_with_their_unit() -> None:
    assert parse_amount("4.5 %") == Amount(4.5, "% of NAV")
    assert parse_amount("1_250_000 EUR") == Amount(1_250_000.0, "EUR")
    assert (parse_amount("10 days"), parse_amount("1 day")) == (Amount(10.0, "days"), Amount(1.0, "days"))


def test_trades_are_told_the_limits_that_their_answer_has_numbers_for() -> None:
    every = Limits(
        "conf/limits.yml",
        "",
        (
            limit("value_at_risk", "4 %", horizon_d=1, method="filtered_historical"),
            limit("weight", "50_000 USD", group="instrument", limit_id="two"),
            limit("gross_exposure", "100 %", portfolio="PAIR", limit_id="another's"),
            limit("gross_exposure", "100 %", valid_from=date(2030, 1, 1), limit_id="later"),
            limit("stress_loss", "25 %", scenario="worst", limit_id="stress"),
        ),
    )
    risk = {("value_at_risk", 1): 3.2, ("value_at_risk", 10): 9.0}
    held = {"A": 0.06, "B": -0.02, "C": 0.0}
    exposed = Exposed("LONG", date(2022, 12, 28), 1e6, "USD", risk, held)
    assert limits_on_trades(every)(exposed) == (
        LimitState("one", "value at risk, 1 d, at most 4 % of NAV", 80.0, "amber"),
        LimitState("two", "weight, instrument any, at most 50,000 USD", 120.0, "red"),
    )
