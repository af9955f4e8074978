import math
from dataclasses import replace as changed
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from acceleray.errors import PortfolioError
from acceleray.stages.calibrate.factor_model import FactorModel
from acceleray.stages.stress.outcome import Assumption, Outcome
from acceleray.stages.stress.shocked import refuse_impossible
from acceleray.stages.stress.stage import evaluate
from stress.invented import AS_OF, BETAS, DATES, DEVIATIONS, defined, model, returns, without_factors

FALL = "hypothetical: [{id: fall, title: Fall, shocks: {equity: '-30 %'}}]\n"
ONE_MARKET = FALL.replace("}}]", "}, correlations: [{between: [equity, credit], correlation: -0.9}]}]")
IMPOSSIBLE = ONE_MARKET.replace("-0.9", "0.99")


def run(folder: Path, text: str, factors: FactorModel | None = None) -> Outcome:
    return evaluate(defined(folder, text), returns(), AS_OF, factors or model())[0]


def changes(found: Outcome) -> dict[str | None, float]:
    return {each.factor: each.change for each in found.assumptions}


def row(found: Outcome, variable: str) -> Assumption:
    return next(each for each in found.assumptions if each.variable == variable)


def test_factors_not_named_follow_by_correlation_and_betas_turn_them_into_returns(tmp_path: Path) -> None:
    found = run(tmp_path, FALL)
    equity = math.log(0.7)
    # By hand: rho times the ratio of standard deviations; oil is uncorrelated with equity.
    expected = [-0.5 * 0.1 / 0.04 * equity, equity, 0.0, -0.6 * 0.2 / 0.04 * equity]
    np.testing.assert_allclose(
        [each.change for each in found.assumptions], [expected[1], expected[0], 0, expected[3]]
    )
    np.testing.assert_allclose(found.returns[:2], np.expm1(BETAS[:2] @ expected), rtol=1e-12)
    assert found.origin.tolist() == ["shocked through betas"] * 2 + [""]
    assert np.isnan(found.returns[2])


def test_shocking_factors_one_by_one_would_give_another_result(tmp_path: Path) -> None:
    """Planted fault: with independent factors the correlated ones would stand still."""
    factors = model()
    independent = changed(factors, covariance=np.diag(DEVIATIONS**2))
    alone = run(tmp_path, FALL, independent)
    assert changes(alone)["credit"] == 0.0
    assert changes(run(tmp_path, FALL, factors))["credit"] > 0.1
    assert run(tmp_path, FALL, factors).returns[0] < alone.returns[0]


def test_nothing_specific_happens_and_the_parts_add_up(tmp_path: Path) -> None:
    found = run(tmp_path, FALL)
    assert found.specific[:2].tolist() == [0.0, 0.0]
    np.testing.assert_allclose((found.factor + found.residual)[:2], found.returns[:2], atol=1e-15)


def test_distance_is_that_of_the_core_shocks_over_the_horizon_of_the_scenario(tmp_path: Path) -> None:
    fall = math.log(0.7) / 0.04
    alone = run(tmp_path, FALL).distance
    # What the other factors do follows, and adds nothing; they count as factors all the same.
    assert (alone.value, alone.horizon_m, alone.factors) == (pytest.approx(-fall, rel=1e-12), 1.0, 4)
    nine = run(tmp_path, FALL.replace("title: Fall", "title: Fall, horizon_m: 9")).distance
    assert (nine.value, nine.horizon_m) == (pytest.approx(-fall / 3.0, rel=1e-12), 9.0)
    assert nine.normal_tail == pytest.approx(chi2.sf(fall**2 / 9.0, 4), rel=1e-9)
    # Equity and volatility move against each other, by -0.6: together they fall farther than each alone.
    both = FALL.replace("}}]", ", volatility: '-20 %'}}]")
    calm = math.log(0.8) / 0.2
    expected = math.sqrt((fall**2 + 2 * 0.6 * fall * calm + calm**2) / (1 - 0.6**2))
    assert run(tmp_path, both).distance.value == pytest.approx(expected, rel=1e-12)


def test_a_supervisory_path_takes_a_year_unless_it_says_otherwise(tmp_path: Path) -> None:
    text = (
        "supervisory: [{id: fed, title: Fed, origin: Board, variables: ["
        "{variable: Equities, published: -58 %, factor: equity, shock: '-58 %', mapping: The index.}]}]\n"
    )
    fall = math.log(0.42) / 0.04
    assert run(tmp_path, text).distance.value == pytest.approx(-fall / math.sqrt(12.0), rel=1e-12)
    longer = text.replace("title: Fed", "title: Fed, horizon_m: 36")
    assert run(tmp_path, longer).distance.value == pytest.approx(-fall / 6.0, rel=1e-12)


def test_what_names_an_ended_factor_is_priced_by_the_months_in_which_it_exists(tmp_path: Path) -> None:
    wide = changed(model(), betas=2.0 * BETAS, ended=("credit",), first_month=date(1990, 2, 1))
    wide = changed(wide, last_month=date(2018, 12, 1), months=347)
    live = [1, 2, 3]
    factors = changed(
        model(),
        factors=wide.factors[1:],
        points=wide.points[1:],
        origin=wide.origin[1:],
        levels=wide.levels[:, live],
        covariance=wide.covariance[np.ix_(live, live)],
        betas=BETAS[:, live],
        with_ended=wide,
    )
    fall = run(tmp_path, FALL, factors)
    assert (fall.model, fall.distance.factors) == (factors, 3)
    assert "credit" not in changes(fall)
    crunch = run(tmp_path, FALL.replace("equity: '-30 %'", "credit: +2 pp"), factors)
    assert (crunch.model, crunch.distance.factors) == (wide, 4)
    expected = np.expm1(2.0 * BETAS[:2] @ [changes(crunch)[name] for name in wide.factors])
    np.testing.assert_allclose(crunch.returns[:2], expected, rtol=1e-12)
    assert "over 347 months, 1990-02 to 2018-12" in row(crunch, "oil (implied)").mapping
    # Correlations name factors too.
    tied = run(tmp_path, ONE_MARKET, factors)
    assert tied.model is wide


def test_correlations_of_the_scenario_replace_the_estimated_ones(tmp_path: Path) -> None:
    found = run(tmp_path, ONE_MARKET)
    assert changes(found)["credit"] == pytest.approx(-0.9 * 0.1 / 0.04 * math.log(0.7), rel=1e-12)
    assert "with correlations of the scenario's own" in row(found, "credit (implied)").mapping


def test_impossible_correlations_are_refused_with_their_smallest_eigenvalue(tmp_path: Path) -> None:
    refuse_impossible(defined(tmp_path, ONE_MARKET), model())
    with pytest.raises(PortfolioError) as caught:
        refuse_impossible(defined(tmp_path, IMPOSSIBLE), model())
    line = str(caught.value)
    correlation = np.eye(3) + np.array([[0, 0.99, 0.4], [0.99, 0, -0.6], [0.4, -0.6, 0]])
    smallest = np.linalg.eigvalsh(correlation)[0]
    assert line.startswith("conf/stress.yml, fall, correlations: ")
    assert f"the smallest eigenvalue is {smallest:.4f} and must be above zero" in line
    assert smallest < 0


def test_what_is_shocked_as_a_level_starts_from_today(tmp_path: Path) -> None:
    text = "hypothetical: [{id: up, title: Up, shocks: {volatility: to 80 %, credit: to 3.4 pp}}]\n"
    found, today = run(tmp_path, text), model().levels[-1]
    assert changes(found)["volatility"] == pytest.approx(math.log(80.0 / today[3]), rel=1e-12)
    assert changes(found)["credit"] == pytest.approx(3.4 - today[0], rel=1e-12)
    assert row(found, "credit").mapping.endswith(f"Level at the as-of date {today[0]:.6g}.")


def test_a_level_of_long_ago_is_said_to_be_so(tmp_path: Path) -> None:
    factors = model()
    factors.levels[-100:, 1] = factors.levels[-101, 1]
    assert f"unchanged since {DATES[-101]}." in row(run(tmp_path, FALL, factors), "equity").mapping


def test_levels_in_fractions_are_refused_where_per_cent_is_meant(tmp_path: Path) -> None:
    definitions = defined(tmp_path, "hypothetical: [{id: up, title: Up, shocks: {volatility: to 80 % }}]\n")
    factors = model()
    refuse_impossible(definitions, factors)
    factors.levels[:, 3] /= 100.0
    with pytest.raises(PortfolioError, match="up, volatility: 'to 80 %' wants levels in per"):
        refuse_impossible(definitions, factors)


def test_every_published_number_is_a_row_mapped_or_not(tmp_path: Path) -> None:
    text = (
        "supervisory: [{id: fed, title: Fed, origin: Board, variables: ["
        "{variable: Equities, published: about -58 %, factor: equity, shock: '-58 %', mapping: The index.}, "
        "{variable: House prices, published: -30 %, not_mapped: None held.}]}]\n"
    )
    found = run(tmp_path, text)
    assert [each.role for each in found.assumptions] == [
        "core",
        "not mapped",
        "implied",
        "implied",
        "implied",
    ]
    equities, houses = found.assumptions[:2]
    assert (equities.published, equities.shock, equities.factor) == ("about -58 %", "-58 %", "equity")
    assert equities.change == pytest.approx(math.log(0.42), rel=1e-12)
    assert (houses.published, houses.factor, houses.mapping) == ("-30 %", None, "None held.")
    assert math.isnan(houses.change)


@pytest.mark.parametrize(
    "factors", [without_factors(), changed(model(), levels=np.full((len(DATES), 4), np.nan))]
)
def test_a_scenario_on_a_factor_without_data_is_not_run_and_says_so(
    tmp_path: Path, factors: FactorModel
) -> None:
    found = run(tmp_path, ONE_MARKET, factors)
    assert found.reason == "no data of factor credit, equity in this run"
    assert row(found, "equity").shock == "-30 %"
    assert not found.priced.any()
    # Nor is it checked, since there is nothing to check against.
    refuse_impossible(defined(tmp_path, ONE_MARKET), factors)


def test_a_scenario_mapped_to_nothing_is_not_run_and_says_so(tmp_path: Path) -> None:
    text = (
        "supervisory: [{id: eba, title: EBA, origin: EBA, variables: ["
        "{variable: GDP, published: -6.3 %, not_mapped: No factor.}]}]\n"
    )
    found = run(tmp_path, text)
    assert found.reason == "none of its variables is mapped to a factor"
    assert found.assumptions[0].role == "not mapped"


def test_factors_that_cannot_be_told_apart_leave_a_reason(tmp_path: Path) -> None:
    text = "hypothetical: [{id: both, title: Both, shocks: {equity: '-30 %', oil: '-10 %'}}]\n"
    covariance = model().covariance.copy()
    covariance[1, 2] = covariance[2, 1] = 0.04 * 0.08
    found = run(tmp_path, text, changed(model(), covariance=covariance))
    assert found.reason == "factors cannot be told apart: the covariance is not positive definite"
