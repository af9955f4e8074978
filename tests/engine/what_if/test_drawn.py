"""Trades on drawn scenarios: every number against sorting all losses after them."""

from dataclasses import replace

import numpy as np
import pytest

from acceleray.compiled import DEFAULT_FOLDER
from acceleray.quant import best_hedge, risk
from acceleray.quant.euler import euler_value_at_risk
from acceleray.quant.hedge_scenarios import sorted_out
from acceleray.quant.line_returns import CASH, Parts, Unit
from acceleray.quant.what_if import differences
from acceleray.stages.what_if import drawn
from acceleray.stages.what_if.drawn import Kept, Resident
from acceleray.stages.what_if.found import Found, Question
from what_if.serial import INSTRUMENTS, LEVELS, SCENARIOS, SerialBlocks, market

WEIGHTS = np.array([0.3, 0.2, 0.4, -0.1, 0.0, 0.1, 0.0])
RETURNS = market()


AFTER = np.array([0.15, 0.2, 0.4, -0.1, 0.2, 0.15, 0.0])


def units(*places: int) -> tuple[Parts, ...]:
    """Return instruments of the portfolio's own currency."""
    return tuple(((1.0, Unit(place)),) for place in places)


def answered(resident: Resident, kept: Kept, asked: Question) -> Found:
    """Return the answer alone."""
    found, other = resident.answer(kept, asked, lambda: "meanwhile")
    assert other == "meanwhile"
    return found


ASKED = Question(units(0, 4, 5), np.array([-0.15, 0.2, 0.05]), units(6, 1), AFTER)


@pytest.fixture(scope="module")
def resident() -> Resident:
    return Resident(SerialBlocks(RETURNS), 10, LEVELS)


def test_measures_before_and_after_are_those_of_all_losses_sorted(resident):
    found = answered(resident, resident.keep(WEIGHTS), ASKED)
    for state, weights in ((found.before, WEIGHTS), (found.after, AFTER)):
        losses = -(weights @ RETURNS)
        for value, measure in (
            (state.measures.value_at_risk, risk.value_at_risk(losses, 0.99)),
            (state.measures.value_at_risk_error, risk.value_at_risk_error(losses, 0.99)),
            (state.measures.expected_shortfall, risk.expected_shortfall(losses, 0.975)),
            (state.measures.expected_shortfall_error, risk.expected_shortfall_error(losses, 0.975)),
        ):
            assert value == pytest.approx(float(measure), rel=1e-12)
    assert (found.horizon_d, found.scenarios) == (10, SCENARIOS)


@pytest.mark.parametrize("legs", [(), ((3, 1), (2, -1))])
def test_machine_code_finds_what_numpy_finds_to_the_bit(resident, legs) -> None:
    # With legs a unit is no row of the returns.
    asked = replace(ASKED, hedges=(((1.0, Unit(6, legs)),), *ASKED.hedges[1:]))
    expected = answered(resident, resident.keep(WEIGHTS), asked)
    compiled = replace(resident, compiled_in=DEFAULT_FOLDER)
    found = answered(compiled, compiled.keep(WEIGHTS), asked)
    assert found.after.measures == expected.after.measures
    assert found.hedges == expected.hedges
    np.testing.assert_array_equal(found.incremental, expected.incremental)
    np.testing.assert_array_equal(found.after.expected_shortfall, expected.after.expected_shortfall)


def test_contributions_after_are_eulers_and_add_up(resident):
    found = answered(resident, resident.keep(WEIGHTS), ASKED).after
    losses = -(AFTER @ RETURNS)
    at_var = euler_value_at_risk(-RETURNS.T, losses, found.measures.value_at_risk, 0.99, AFTER)
    np.testing.assert_allclose(found.value_at_risk, at_var, rtol=1e-9, atol=1e-14)
    tail = risk.tail_weights(losses, risk.value_at_risk(losses, 0.975), 0.975)
    beyond = risk.euler_expected_shortfall(-RETURNS.T, tail, AFTER)
    np.testing.assert_allclose(found.expected_shortfall, beyond, rtol=1e-9, atol=1e-14)
    assert found.value_at_risk.sum() == pytest.approx(found.measures.value_at_risk, rel=1e-12)
    assert found.expected_shortfall.sum() == pytest.approx(found.measures.expected_shortfall, rel=1e-12)


def test_incremental_risk_is_with_less_without(resident):
    found = answered(resident, resident.keep(WEIGHTS), ASKED)
    for number, (place, amount) in enumerate(zip((0, 4, 5), ASKED.amounts, strict=True)):
        without = AFTER.copy()
        without[place] -= amount
        losses, others = -(AFTER @ RETURNS), -(without @ RETURNS)
        expected = [
            float(risk.value_at_risk(losses, 0.99) - risk.value_at_risk(others, 0.99)),
            float(risk.expected_shortfall(losses, 0.975) - risk.expected_shortfall(others, 0.975)),
        ]
        np.testing.assert_allclose(found.incremental[number], expected, rtol=1e-9, atol=1e-15)


def test_no_amount_on_a_grid_hedges_better(resident):
    found = answered(resident, resident.keep(WEIGHTS), ASKED)
    for place, hedge in zip((6, 1), found.hedges, strict=True):
        assert hedge.amount < -0.05

        def left(amount: float, place: int = place) -> float:
            weights = AFTER.copy()
            weights[place] += amount
            return float(risk.expected_shortfall(-(weights @ RETURNS), 0.975))

        assert left(hedge.amount) == pytest.approx(hedge.expected_shortfall, rel=1e-12)
        grid = np.linspace(hedge.amount - 0.3, hedge.amount + 0.3, 601)
        assert hedge.expected_shortfall <= min(map(left, grid)) + 2e-10
        assert hedge.expected_shortfall - 2e-10 <= hedge.bound <= hedge.expected_shortfall


def test_trades_of_zero_change_no_bit(resident):
    kept = resident.keep(WEIGHTS)
    nothing = replace(ASKED, amounts=np.zeros(3), after=WEIGHTS)
    found = answered(resident, kept, nothing)
    assert found.after.measures == found.before.measures
    np.testing.assert_array_equal(found.after.value_at_risk, found.before.value_at_risk)
    np.testing.assert_array_equal(found.after.expected_shortfall, found.before.expected_shortfall)
    assert not found.incremental.any()


@pytest.mark.parametrize("most", [0.05, 5.0])
def test_the_tail_before_shortens_the_look_and_moves_no_contribution(most):
    # With small trades few scenarios weigh something else; with large ones the tail is another one.
    amounts = np.array([-most, most, most / 3.0])
    after = WEIGHTS.copy()
    after[[0, 4, 5]] += amounts
    asked = replace(ASKED, amounts=amounts, after=after)
    blocks, looked = SerialBlocks(RETURNS), []
    resident = Resident(blocks, 10, LEVELS)
    kept, ask = resident.keep(WEIGHTS), blocks.ask

    def noting(function, losses, each, *same):
        looked.extend(rows.size for rows, _ in each)
        return ask(function, losses, each, *same)

    blocks.ask = noting
    found = answered(resident, kept, asked).after
    tail = sum(rows.size for rows, _ in kept.tail.chosen)
    assert sum(looked) < tail / 2 if most < 1.0 else sum(looked) >= 0.9 * tail
    plain = answered(resident, replace(kept, tail=None), asked).after
    np.testing.assert_allclose(found.value_at_risk, plain.value_at_risk, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(found.expected_shortfall, plain.expected_shortfall, rtol=1e-11, atol=1e-15)


def test_a_line_that_a_trade_adds_is_looked_at_in_the_whole_tail():
    returns, added = market(instruments=3), Unit(1, ((2, 1),))
    resident = Resident(SerialBlocks(returns), 10, LEVELS)
    kept = resident.keep(np.array([0.5, 0.2, 0.0]))
    asked = Question((((1.0, added),),), np.array([0.01]), (), np.array([0.5, 0.2, 0.0, 0.01]), (added,))
    found = answered(resident, kept, asked).after
    losses = -(0.5 * returns[0] + 0.2 * returns[1] + 0.01 * added.of(returns))
    beyond = float(risk.expected_shortfall(losses, 0.975))
    assert found.expected_shortfall.sum() == pytest.approx(beyond, rel=1e-12)
    assert found.expected_shortfall[3] != 0.0


def test_differences_are_of_rows_that_weigh_something_else():
    before = np.array([1, 4, 7]), np.array([[0.5, 0.1], [0.0, 0.1], [0.2, 0.1]])
    after = np.array([0, 4, 7]), np.array([[0.5, 0.1], [0.0, 0.1], [0.1, 0.1]])
    rows, more = differences(before, after)
    assert rows.tolist() == [0, 1, 7]
    np.testing.assert_array_equal(more, [[0.5, 0.1], [-0.5, -0.1], [-0.1, 0.0]])
    nothing = np.empty(0, dtype=np.int64), np.empty((0, 2))
    assert differences(nothing, nothing)[0].size == 0
    np.testing.assert_array_equal(differences(nothing, after)[1], after[1])


def test_selling_all_of_it_leaves_nothing(resident):
    alone = np.zeros(INSTRUMENTS)
    alone[2] = 0.8
    sold = Question(units(2), np.array([-0.8]), units(2, 3), np.zeros(INSTRUMENTS))
    found = answered(resident, resident.keep(alone), sold)
    assert (found.after.measures.value_at_risk, found.after.measures.expected_shortfall) == (0.0, 0.0)
    assert not found.after.expected_shortfall.any()
    assert [hedge.amount for hedge in found.hedges] == [0.0, 0.0]


def test_the_hedge_that_is_the_book_is_found_and_takes_all_of_it_away(resident):
    alone = np.zeros(INSTRUMENTS)
    alone[2] = 0.8
    found = answered(resident, resident.keep(alone), Question((), np.empty(0), units(2, 5), alone))
    assert found.hedges[0].amount == pytest.approx(-0.8, abs=1e-6)
    assert found.hedges[0].expected_shortfall == pytest.approx(0.0, abs=1e-9)
    assert found.hedges[1].expected_shortfall > 0.01


def test_what_is_traded_abroad_earns_price_and_currency_exactly():
    # The third instrument is the rate of a currency, the second has its price in it.
    returns = market(instruments=3)
    resident = Resident(SerialBlocks(returns), 10, LEVELS)
    added = Unit(1, ((2, 1),))
    before, after = np.array([0.5, 0.2, 0.0, 0.2]), np.array([0.5, 0.5, 0.0, 0.5])
    # What the book calls it: a line of the price, and one of what the currency adds.
    split = ((1.0, Unit(1)), (1.0, added))
    cash = ((1.0, Unit(CASH, ((2, 1),))),)
    asked = Question((split,), np.array([0.3]), (split, cash), after, (added,))
    found = answered(resident, resident.keep(before, (added,)), asked)
    in_base = (1.0 + returns[1]) * (1.0 + returns[2]) - 1.0
    losses = -(0.5 * returns[0] + 0.5 * in_base)
    at_var, beyond = float(risk.value_at_risk(losses, 0.99)), float(risk.expected_shortfall(losses, 0.975))
    assert found.after.measures.value_at_risk == pytest.approx(at_var, rel=1e-12)
    assert found.after.measures.expected_shortfall == pytest.approx(beyond, rel=1e-12)
    assert found.after.expected_shortfall.shape == (4,)
    assert found.after.expected_shortfall.sum() == pytest.approx(beyond, rel=1e-12)
    for hedge, unit in zip(found.hedges, (in_base, returns[2]), strict=True):
        left = float(risk.expected_shortfall(losses - hedge.amount * unit, 0.975))
        assert hedge.expected_shortfall == pytest.approx(left, rel=1e-12)
        assert left < beyond


@pytest.mark.parametrize("size", [1000, 4096, SCENARIOS])
def test_the_first_scenarios_decide_how_much_is_looked_at_and_no_number(size):
    reference = Resident(SerialBlocks(RETURNS), 10, LEVELS)
    other = Resident(SerialBlocks(RETURNS, size), 10, LEVELS)
    one, two = (answered(each, each.keep(WEIGHTS), ASKED) for each in (reference, other))
    assert one.after.measures == two.after.measures
    np.testing.assert_allclose(one.incremental, two.incremental, rtol=1e-10, atol=1e-16)
    for mine, theirs in zip(one.hedges, two.hedges, strict=True):
        assert mine.expected_shortfall == pytest.approx(theirs.expected_shortfall, abs=3e-10)


def test_first_scenarios_that_are_unlike_the_rest_are_found_out():
    # Calm first: every loss and every interval that they tell is wrong.
    returns = RETURNS.copy()
    returns[:, :3000] *= 0.05
    returns[6, :3000] *= -1.0
    blocks = SerialBlocks(returns)
    resident = Resident(blocks, 10, LEVELS)
    found = answered(resident, resident.keep(WEIGHTS), ASKED)
    losses = -(AFTER @ returns)
    assert found.after.measures.value_at_risk == pytest.approx(
        float(risk.value_at_risk(losses, 0.99)), rel=1e-12
    )
    assert blocks.asked.count("looked_through") > 2
    for place, hedge in zip((6, 1), found.hedges, strict=True):
        for amount in np.linspace(hedge.amount - 0.3, hedge.amount + 0.3, 61):
            weights = AFTER.copy()
            weights[place] += amount
            left = float(risk.expected_shortfall(-(weights @ returns), 0.975))
            assert hedge.expected_shortfall <= left + 2e-10


def test_scenarios_in_single_precision_move_measures_by_less_than_a_millionth(resident):
    single = Resident(SerialBlocks(RETURNS.astype(np.float32)), 10, LEVELS)
    one, two = (answered(each, each.keep(WEIGHTS), ASKED).after.measures for each in (resident, single))
    assert one.value_at_risk == pytest.approx(two.value_at_risk, rel=1e-6)
    assert one.expected_shortfall == pytest.approx(two.expected_shortfall, rel=1e-6)
    assert one != two


def test_a_likely_amount_that_is_far_from_the_best_one_is_not_taken_for_it() -> None:
    generator = np.random.default_rng(8)
    units = generator.standard_t(5, 40_000) * 0.01
    losses = 0.7 * units + generator.standard_t(5, 40_000) * 0.01
    mass = 0.025 * losses.size
    within = best_hedge.likely_interval(best_hedge.Drawn(losses[:4000], units[:4000], 100.0), 0.025, 4.0)
    tail = best_hedge.Drawn.of(sorted_out(losses, units, within), mass)
    assert tail is not None
    # At an end of the interval the curve still falls: the best amount is elsewhere.
    assert drawn._close(tail, replace(within, middle=within.first)) is None
    assert drawn._close(tail, replace(within, middle=None)) is None
    best = best_hedge.lowest(best_hedge.Drawn(losses, units, mass))
    near = drawn._close(tail, replace(within, middle=best.amount))
    assert near is not None
    found = best_hedge.lowest(near[0], start=near[1])
    assert abs(found.expected_shortfall - best.expected_shortfall) < 2e-10
