from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from acceleray.engines.handoff.arrays import column
from acceleray.quant.stress import split
from acceleray.stages.stress import reverse, rows
from acceleray.stages.stress.outcome import Outcome
from acceleray.stages.stress.stage import evaluate, summarise
from acceleray.tables import STRESS_ASSUMPTIONS, STRESS_LOSSES, STRESS_RETURNS, STRESS_SCENARIOS
from acceleray.tables.contract import Table
from stress.invented import AS_OF, INSTRUMENTS, book, defined, model, returns

TEXT = """
replays:
  - {id: crash, title: Crash, first: 2019-03-04, last: 2019-06-28}
  - {id: later, title: Later, first: 2020-03-04, last: 2024-06-28}
hypothetical:
  - {id: fall, title: Fall, shocks: {equity: "-30 %"}}
"""
PARTS = ("factor_pct_nav", "specific_pct_nav", "residual_pct_nav")


@pytest.fixture
def outcomes(tmp_path: Path) -> tuple[Outcome, ...]:
    return evaluate(defined(tmp_path, TEXT), returns(), AS_OF, model())


def of(table: pa.Table, scenario: str, name: str) -> np.ndarray:
    return column(table, name)[column(table, "scenario_id") == scenario]


def test_a_loss_is_the_negative_weighted_sum_of_simple_returns(outcomes: tuple[Outcome, ...]) -> None:
    losses = rows.losses(outcomes, book())
    crash = outcomes[0].returns
    expected = -100.0 * np.array([crash.mean(), 1.2 * crash[0] - 0.2 * crash[1]])
    np.testing.assert_allclose(of(losses, "crash", "loss_pct_nav"), expected, rtol=1e-12)
    np.testing.assert_allclose(of(losses, "crash", "loss"), expected * 10_000.0, rtol=1e-12)
    assert of(losses, "fall", "loss_pct_nav")[0] > 0.0
    assert [str(share) for share in of(losses, "fall", "specific_pct_nav").tolist()] == ["0.0", "0.0"]


def test_parts_of_every_loss_add_up_to_it_and_each_matters(outcomes: tuple[Outcome, ...]) -> None:
    losses = rows.losses(outcomes, book())
    parts = [column(losses, name) for name in PARTS]
    np.testing.assert_allclose(np.sum(parts, axis=0), column(losses, "loss_pct_nav"), atol=1e-12)
    # Planted fault: were any part dropped, the rest would not add up.
    for dropped in range(3):
        rest = np.sum(parts[:dropped] + parts[dropped + 1 :], axis=0)
        assert np.abs(rest - column(losses, "loss_pct_nav")).max() > 0.1


def test_log_returns_are_never_added_across_instruments(outcomes: tuple[Outcome, ...]) -> None:
    """Planted fault: the loss by log returns is another, and the residual is just the difference."""
    losses, weights = rows.losses(outcomes, book()), book().weights
    in_logs = -100.0 * weights @ np.log1p(outcomes[0].returns)
    simple = of(losses, "crash", "loss_pct_nav")
    assert np.abs(in_logs - simple).max() > 0.1
    np.testing.assert_allclose(simple - in_logs, of(losses, "crash", "residual_pct_nav"), atol=1e-10)


def test_what_has_no_return_counts_as_unchanged_and_as_unpriced(outcomes: tuple[Outcome, ...]) -> None:
    losses = rows.losses(outcomes, book())
    np.testing.assert_allclose(of(losses, "fall", "unpriced_pct_nav"), [100 / 3, 0.0], atol=1e-12)
    np.testing.assert_allclose(of(losses, "fall", "proxied_pct_nav"), 0.0)
    np.testing.assert_allclose(of(losses, "crash", "unpriced_pct_nav"), 0.0)


def test_what_is_proxied_is_counted_in_absolute_weight(tmp_path: Path) -> None:
    panel = returns()
    panel.values[:, 1] = np.nan
    found = evaluate(defined(tmp_path, TEXT), panel, AS_OF, model())
    proxied = of(rows.losses(found, book()), "crash", "proxied_pct_nav")
    np.testing.assert_allclose(proxied, [100 / 3, 20.0], rtol=1e-12)


def test_a_scenario_that_was_not_run_is_a_row_with_its_reason_and_no_loss(
    outcomes: tuple[Outcome, ...],
) -> None:
    scenarios = rows.scenarios(outcomes).to_pylist()
    assert [row["status"] for row in scenarios] == ["run", "not run", "run"]
    assert scenarios[1]["reason"] == "ends on 2024-06-28, after the as-of date 2020-12-31"
    assert set(column(rows.losses(outcomes, book()), "scenario_id")) == {"crash", "fall"}
    assert set(column(rows.returns(outcomes, INSTRUMENTS), "scenario_id")) == {"crash", "fall"}


def test_returns_are_those_of_instruments_that_have_one(outcomes: tuple[Outcome, ...]) -> None:
    table = rows.returns(outcomes, INSTRUMENTS)
    assert of(table, "crash", "instrument_id").tolist() == ["A", "B", "C"]
    assert of(table, "fall", "instrument_id").tolist() == ["A", "B"]
    parts = sum(column(table, f"{name}_return") for name in ("factor", "specific", "residual"))
    np.testing.assert_allclose(parts, column(table, "return"), atol=1e-15)


@pytest.mark.parametrize("count", [0, 3])
def test_rows_have_the_declared_types_also_where_there_is_none(
    outcomes: tuple[Outcome, ...], count: int
) -> None:
    kept = outcomes[:count]
    made: dict[Table, pa.Table] = {
        STRESS_SCENARIOS: rows.scenarios(kept),
        STRESS_ASSUMPTIONS: rows.assumptions(kept),
        STRESS_RETURNS: rows.returns(kept, INSTRUMENTS),
        STRESS_LOSSES: rows.losses(kept, book()),
    }
    for table, found in made.items():
        declared = {field.name: field.type for field in table.arrow_schema}
        assert {field.name: field.type for field in found.schema} == {
            name: kind for name, kind in declared.items() if name not in {"run_id", "as_of"}
        }
        keys = found.select([name for name in table.key if name != "run_id"])
        assert keys.group_by(keys.column_names).aggregate([]).num_rows == found.num_rows


def test_rows_are_in_one_chunk_because_spark_loses_those_behind_an_empty_one(
    outcomes: tuple[Outcome, ...],
) -> None:
    for table in (rows.returns(outcomes, INSTRUMENTS), rows.losses(outcomes, book())):
        assert len(table.to_batches()) == 1


def test_a_portfolio_has_the_same_bits_alone_and_among_others(outcomes: tuple[Outcome, ...]) -> None:
    weights = np.random.default_rng(3).dirichlet(np.ones(3), 6000)
    every = rows.portfolio_losses(weights, outcomes[0])
    np.testing.assert_array_equal(rows.portfolio_losses(weights[5000:5001], outcomes[0])[0], every[5000])


def test_the_headline_is_the_reference_worst_scenario_first(outcomes: tuple[Outcome, ...]) -> None:
    linear, _ = reverse.linear(book(), np.array([0, 1, 2]), np.diag([0.01] * 3), (0.1, 0.2), 10)
    headline = summarise(outcomes, book(), linear, 10)
    assert headline.worst is not None
    assert headline.worst.loss_pct_nav == max(each.loss_pct_nav for each in headline.losses)
    assert headline.not_run == (("Later", outcomes[1].reason),)
    # Equal weights on three with volatility 0.1: sigma is 0.1 / sqrt(3).
    assert headline.distances == ((10.0, pytest.approx(3**0.5)), (20.0, pytest.approx(2 * 3**0.5)))
    assert headline.headline == (
        ("Worst stress scenario", f"Fall: loses {headline.losses[0].loss_pct_nav:.1f} % of NAV"),
        ("Stress scenarios not run", f"Later ({outcomes[1].reason})"),
        ("Losing 10 % in 10 days", "1.7 standard deviations away"),
    )


def test_a_book_without_scenarios_or_volatility_has_no_headline() -> None:
    linear, _ = reverse.linear(book(), np.array([0, 1, 2]), np.zeros((3, 3)), (0.1,), 10)
    nothing = summarise((), book(), linear, 10)
    assert nothing.worst is None
    assert nothing.headline == ()


def test_a_total_loss_of_an_instrument_is_possible_in_history() -> None:
    factor, specific, residual = split(np.array([-0.999]), np.array([0.0]))
    assert factor[0] + specific[0] + residual[0] == pytest.approx(-0.999, rel=1e-12)
