import numpy as np
import pytest

from portfolio.quant.garch import GjrParameters
from portfolio.quant.risk import expected_shortfall, value_at_risk
from portfolio.quant.scenarios import atoms, stack_parameters
from portfolio.simulate.tasks import attribute, collect, joined
from portfolio.simulate.world import World, instrument_key

SCENARIOS, HORIZON_D, CONFIDENCE = 10_000, 3, 0.975
EDGES = np.linspace(-0.2, 0.2, 21)


@pytest.fixture(scope="module")
def world() -> World:
    """Return three instruments and five portfolios; the numbers are made up."""
    generator = np.random.default_rng(5)
    parameters = GjrParameters(mu=2e-4, omega=2e-6, alpha=0.03, gamma=0.08, beta=0.9, nu=6.0)
    return World(
        seed=9,
        residuals=generator.standard_t(5, (700, 3)),
        parameters=stack_parameters([parameters] * 3),
        next_sigma=np.array([0.01, 0.02, 0.015]),
        weights=generator.dirichlet(np.ones(3), 5),
    )


def losses(world: World) -> np.ndarray:
    return np.concatenate([-(world.returns(atom, HORIZON_D) @ world.weights.T) for atom in atoms(SCENARIOS)])


def test_tails_and_histogram_are_those_of_all_losses_at_once(world: World) -> None:
    tasks = [([atom], HORIZON_D, SCENARIOS, CONFIDENCE, EDGES) for atom in atoms(SCENARIOS)]
    found = joined((collect(task, world) for task in tasks), 5, SCENARIOS, CONFIDENCE)
    every = losses(world)
    np.testing.assert_array_equal(found.tail.value_at_risk(0.99), value_at_risk(every, 0.99))
    np.testing.assert_array_equal(found.tail.expected_shortfall(0.975), expected_shortfall(every, 0.975))
    assert found.histogram.sum() == SCENARIOS
    np.testing.assert_array_equal(found.histogram[1:-1], np.histogram(every[:, 0], EDGES)[0][1:-1])
    mean = np.sum(found.sums, axis=0) / SCENARIOS
    spread = np.sqrt(np.sum(found.squares, axis=0) / SCENARIOS - mean**2)
    np.testing.assert_allclose(spread, every.std(axis=0), rtol=1e-10)


def test_grouping_atoms_into_tasks_changes_no_bit(world: World) -> None:
    every = atoms(SCENARIOS)
    one = [([atom], HORIZON_D, SCENARIOS, CONFIDENCE, EDGES) for atom in every]
    two = [
        (every[:2], HORIZON_D, SCENARIOS, CONFIDENCE, EDGES),
        (every[2:], HORIZON_D, SCENARIOS, CONFIDENCE, EDGES),
    ]
    first = joined((collect(task, world) for task in one), 5, SCENARIOS, CONFIDENCE)
    second = joined((collect(task, world) for task in two), 5, SCENARIOS, CONFIDENCE)
    np.testing.assert_array_equal(np.sum(first.sums, axis=0), np.sum(second.sums, axis=0))
    for confidence in (0.975, 0.99):
        np.testing.assert_array_equal(
            first.tail.expected_shortfall(confidence), second.tail.expected_shortfall(confidence)
        )


def test_contributions_add_up_to_the_expected_shortfall_of_every_portfolio(world: World) -> None:
    every = losses(world)
    edge = value_at_risk(every, CONFIDENCE)
    parts = attribute((atoms(SCENARIOS), HORIZON_D, edge), world)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    contributions = total.contributions(SCENARIOS, CONFIDENCE, world.weights)
    np.testing.assert_allclose(contributions.sum(axis=1), expected_shortfall(every, CONFIDENCE), rtol=1e-9)


def test_an_instrument_keeps_its_key_and_no_two_share_one() -> None:
    names = [f"N{number}" for number in range(1000)]
    assert len({instrument_key(name) for name in names}) == 1000
    # Fixed for good: another key would fill gaps with other draws and so change published numbers.
    assert instrument_key("AAPL") == 2212478401631069419
