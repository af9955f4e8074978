"""Questions in a session: a trade does what one more position would, in every currency and of every kind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from acceleray.errors import PortfolioError
from acceleray.settings import Settings
from acceleray.stages.what_if.base import Base
from acceleray.stages.what_if.blocks import Room
from acceleray.stages.what_if.drawn import Resident
from acceleray.stages.what_if.enumerated import Outcomes
from acceleray.stages.what_if.facts import Exposed, LimitState
from acceleray.stages.what_if.keep import question_id
from acceleray.stages.what_if.portfolio import Desk
from acceleray.stages.what_if.session import RiskSession
from acceleray.tables import WHAT_IF
from book.invented import MARKET, Row, instruments, positions
from what_if.serial import LEVELS, SerialBlocks, market

SETTINGS = Settings.model_validate({"project": {"name": "tests", "customer": "Tests"}})
BASE = Base("run", "stress", date(2022, 12, 28), "csv:x", "code", SETTINGS)
LONG = market(12_000, 6, seed=3)
SHORT = market(1_000, 6, seed=4)
HELD: tuple[Row, ...] = (
    {"portfolio_id": "P", "instrument_id": "AAA", "quantity": 4_000.0},
    {"portfolio_id": "P", "instrument_id": "SAP", "quantity": 1_000.0},
    {"portfolio_id": "P", "instrument_id": "CASH.USD", "quantity": 700_000.0},
)
KNOWN = instruments(
    {"instrument_id": "CASH.USD", "type": "cash", "currency": "USD"},
    {"instrument_id": "CASH.EUR", "type": "cash", "currency": "EUR"},
    {"instrument_id": "NEW", "type": "equity", "currency": "EUR", "proxy": "INDEX", "proxy_beta": 1.3},
    {"instrument_id": "GONE", "type": "equity", "currency": "USD"},
    {"instrument_id": "FUT", "series": "INDEX", "type": "future", "currency": "EUR", "multiplier": 10.0},
    {"instrument_id": "CALL", "type": "option", "currency": "USD"},
)
NAV = 1_000_000.0


def session(
    held: tuple[Row, ...] = HELD,
    currency: str = "USD",
    limits: Callable[[Exposed], list[LimitState]] | None = None,
) -> RiskSession:
    """Return a session over a portfolio that holds this, NAV given so that a trade does not change it."""
    desk = Desk(MARKET, np.arange(6), KNOWN, SETTINGS)
    names = {"portfolio_id": ["P"], "name": ["P"], "base_currency": [currency]}
    text = pa.nulls(1, pa.string())
    known = pa.table({**names, "nav": [NAV], "benchmark_id": text, "parent_id": text})
    # What the trades cost is paid in cash, as in a question.
    cashless = tuple(row for row in held if row["instrument_id"] != "CASH.USD")
    own = desk.book(positions(*cashless), known, "P")
    resident = Resident(SerialBlocks(LONG, 3000), 10, LEVELS)
    room = Room(12_000, "float64", 1, 12_000)
    tradable = desk.tradable(own, desk.names)
    return RiskSession(BASE, own, tradable, Outcomes(SHORT, LEVELS), resident, room, limits)


TRADES = [
    ("AAA", "quantity", -3_000.0),
    ("BBB", "quantity", 10_000.0),
    ("SAP", "quantity", 500.0),
    ("NEW", "market_value", 90_000.0),
    ("FUT", "quantity", -20.0),
    ("EURUSD", "quantity", -150_000.0),
]


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY"])
@pytest.mark.parametrize(("name", "how", "size"), TRADES)
def test_a_trade_does_what_one_more_position_does(currency, name, how, size):
    asked = {"quantities" if how == "quantity" else "amounts": {name: size}}
    answer = session(currency=currency).what_if(**asked)
    more: Row = {"portfolio_id": "P", "instrument_id": name, how: size, "currency": currency}
    if how == "quantity":
        more = {**more, "currency": None}
    merged = [row for row in HELD if row["instrument_id"] != name]
    same = [row for row in HELD if row["instrument_id"] == name]
    if same:
        more = {**more, "quantity": size + float(same[0]["quantity"])}
    expected = session((*merged, more), currency)
    cash = session((*merged, more), currency).what_if(weights={"AAA": 0.0})
    for one, other in zip(answer.horizons, cash.horizons, strict=True):
        for field in ("value_at_risk", "expected_shortfall"):
            assert getattr(one.after.measures, field) == pytest.approx(
                getattr(other.before.measures, field), rel=1e-11
            )
    parts, wanted = answer.contributions(10), cash.contributions(10)
    for holding in parts.keys() | wanted.keys():
        np.testing.assert_allclose(parts.get(holding, (0, 0)), wanted.get(holding, (0, 0)), atol=1e-6)
    assert expected.portfolio.nav == answer.nav


def test_cash_in_another_currency_is_at_its_risk_and_in_the_own_one_cannot_be_traded():
    cash, forward = (session().what_if({name: 60_000}) for name in ("CASH.EUR", "EURUSD"))
    assert cash.trades[0].amount == pytest.approx(75_000.0)
    for one, other in zip(cash.horizons, forward.horizons, strict=True):
        assert one.after.measures == other.after.measures
        assert one.after.measures != one.before.measures
    with pytest.raises(PortfolioError, match="cash in the portfolio's own currency is at no risk"):
        session().what_if({"CASH.USD": 1})


def test_quantity_amount_and_weight_that_are_the_same_give_the_same_answer():
    # 500 shares at 80 euro and 1.25 dollars a euro are 50,000 dollars, 5 % of NAV.
    risk = session()
    answers = [
        risk.what_if({"SAP": 500}),
        risk.what_if(amounts={"SAP": 50_000}),
        risk.what_if(weights={"SAP": 0.05}),
    ]
    for each in answers:
        assert each.trades[0].price == pytest.approx(100.0, rel=1e-14)
        assert (each.trades[0].quantity, each.trades[0].amount) == pytest.approx((500.0, 50_000.0))
        assert each.horizons[-1].after.measures.value_at_risk == pytest.approx(
            answers[0].horizons[-1].after.measures.value_at_risk, rel=1e-13
        )


def test_contributions_add_up_to_the_measures_in_money_at_both_horizons():
    answer = session().what_if({"SAP": -200})
    for horizon_d in (1, 10):
        after = answer.at(horizon_d).after.measures
        total = np.sum(list(answer.contributions(horizon_d).values()), axis=0)
        np.testing.assert_allclose(
            total, (NAV * after.value_at_risk, NAV * after.expected_shortfall), rtol=1e-9
        )


def test_one_day_is_the_weibull_quantile_of_all_outcomes():
    answer = session().what_if({"BBB": 5_000}, hedges=["INDEX"])
    weights = np.array([0.2, 0.1, 0.0, 0.0, 0.1, 0.0])
    returns = SHORT.copy()
    returns[4] = (1.0 + SHORT[4]) * (1.0 + SHORT[2]) - 1.0
    losses = -(weights @ returns)
    found = answer.at(1)
    expected = np.quantile(losses, 0.99, method="weibull")
    assert found.after.measures.value_at_risk == pytest.approx(float(expected), rel=1e-12)
    without = np.quantile(losses + 0.1 * returns[1], 0.99, method="weibull")
    assert found.incremental[0, 0] == pytest.approx(float(expected - without), rel=1e-9)
    best = found.hedges[0]

    # The area beyond the polygon through the losses, as the enumeration's own test has it.
    def shortfall(amount: float) -> float:
        worst = -np.sort(-(losses - amount * SHORT[3]))
        last = worst[24] + 0.025 * (worst[25] - worst[24])
        area = worst[0] + np.trapezoid(worst[:25]) + 0.025 * (worst[24] + last) / 2
        return float(area / 25.025)

    assert best.expected_shortfall == pytest.approx(shortfall(best.amount), rel=1e-12)
    grid = np.linspace(best.amount - 0.2, best.amount + 0.2, 801)
    assert best.expected_shortfall <= min(map(shortfall, grid)) + 2e-10


def test_selling_everything_leaves_no_risk_and_no_contribution():
    answer = session().what_if({"AAA": -4_000, "SAP": -1_000}, hedges=["BBB"])
    for found in answer.horizons:
        assert found.after.measures.value_at_risk == pytest.approx(0.0, abs=1e-16)
        assert found.after.measures.expected_shortfall == pytest.approx(0.0, abs=1e-16)
        assert found.hedges[0].amount == 0.0
    assert answer.best_hedge == ""
    assert "None of them lowers it." in answer.text()


def test_the_best_hedge_is_the_candidate_that_leaves_least_at_the_long_horizon():
    answer = session().what_if(hedges=["BBB", "INDEX", "USDJPY"])
    found = dict(zip(answer.hedges, answer.horizons[-1].hedges, strict=True))
    best = answer.best_hedge
    assert found[best].expected_shortfall == min(each.expected_shortfall for each in found.values())
    amount = f"{1e6 * abs(found[best].amount):,.0f} USD."
    done = "buy" if found[best].amount > 0.0 else "sell"
    assert f"Best over 10 days: {done} {best} for {amount}" in answer.text()
    # Done as a trade, it leaves what it promised.
    done = session().what_if(weights={best: found[best].amount}).at(10).after.measures
    assert done.expected_shortfall == pytest.approx(found[best].expected_shortfall, rel=1e-12)


def test_limits_are_told_risk_and_holdings_before_and_after():
    told: list[Exposed] = []

    def limits(exposed: Exposed) -> list[LimitState]:
        told.append(exposed)
        used = exposed.risk_pct_nav["value_at_risk", 1] / 2.0 * 100.0
        return [LimitState("L1", "VaR 1 d, 2 %", used, "green" if used <= 100.0 else "red")]

    answer = session(limits=limits).what_if({"BBB": 5_000})
    before, after = told
    assert before.weights == pytest.approx({"AAA": 0.2, "SAP": 0.1})
    assert after.weights == pytest.approx({"AAA": 0.2, "SAP": 0.1, "BBB": 0.1})
    assert after.risk_pct_nav["expected_shortfall", 10] == pytest.approx(
        100.0 * answer.at(10).after.measures.expected_shortfall
    )
    assert any("L1" in line for line in answer.text())


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (
            {"quantities": {"AAPL": 1}},
            "There is no instrument 'AAPL' in the run; there are",
        ),
        ({"quantities": {"AAb": 1}}, "did you mean AAA?"),
        (
            {"quantities": {"GONE": 1}},
            "GONE cannot be traded here, it has no scenarios: no prices of GONE.",
        ),
        ({"weights": {"CALL": 0.1}}, "an option is not linear, and is not modelled yet"),
        ({"quantities": {"NEW": 1}}, "NEW has no price on 2022-12-28; give its amount or weight instead."),
        ({"quantities": {"AAA": float("nan")}}, "the quantity of AAA is 'nan' and must be a number"),
        (
            {"quantities": {"AAA": 1}, "weights": {"AAA": 1}},
            "AAA is traded twice, by quantity and weight; give one.",
        ),
        ({}, "The question is empty: give at least one trade or one hedge."),
        ({"hedges": ["AAA", "AAA"]}, "A hedge is named twice; name each once."),
        ({"hedges": ["AAA"] * 21}, "21 hedges exceed what_if.maximum_hedges = 20; ask about fewer"),
    ],
)
def test_what_cannot_be_asked_is_one_line(asked, line):
    with pytest.raises(PortfolioError) as error:
        session().what_if(**asked)
    assert line in str(error.value)


def test_rows_that_are_kept_have_the_declared_columns_and_add_up():
    answer = session().what_if({"BBB": 5_000, "SAP": -500}, hedges=["INDEX"])
    rows = answer.rows(question_id(answer)).to_pylist()
    assert [row["instrument_id"] for row in rows] == ["", "BBB", "SAP"]
    assert set(rows[0]) == set(WHAT_IF.column_names) - {"run_id", "as_of"}
    assert rows[0]["amount"] == pytest.approx(50_000.0)
    assert rows[0]["var_1d_incremental"] == pytest.approx(rows[0]["var_1d_after"] - rows[0]["var_1d_before"])
    assert (rows[0]["best_hedge"], rows[0]["long_horizon_d"]) == ("INDEX", 10)


def test_a_question_asked_again_has_the_same_identity_and_another_one_another():
    risk = session()
    one = risk.what_if({"BBB": 5_000})
    assert question_id(one) == question_id(replace(risk.what_if({"BBB": 5_000}), seconds=0.0))
    assert question_id(one) != question_id(risk.what_if({"BBB": 5_001}))
