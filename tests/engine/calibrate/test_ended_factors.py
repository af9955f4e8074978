"""A factor whose data has ended costs nobody a beta, and has a model of the months that it shares."""

from datetime import date

import numpy as np

from acceleray.engines.handoff.arrays import Panel
from calibrate.factor_levels import PLANTED, Build, World


def test_a_factor_whose_data_ended_before_the_prices_costs_nobody_a_beta(
    in_memory: Build, world: World
) -> None:
    header, *lines = world.csv().splitlines()
    ended = [
        line if line < "2017-06" else ",".join([line.split(",")[0], "", *line.split(",")[2:]])
        for line in lines
    ]
    returns = world.returns
    late = Panel(returns.dates[700:], returns.instruments, returns.values[700:])
    run, model = in_memory("\n".join([header, *ended]), late)
    assert late.dates[0] > np.datetime64("2017-06")
    assert "oil" not in model.factors
    assert any("Factor oil is left out" in line and "0 changes in common" in line for line in run.said)
    assert np.isfinite(model.betas[0]).all()


def ended_in(world: World, factor: str, month: str) -> str:
    """Return the file of the world with a factor that has no level after a month."""
    header, *lines = world.csv().splitlines()
    place = header.split(",").index(factor)
    cells = [line.split(",") for line in lines]
    for each in cells:
        if each[0][:7] > month:
            each[place] = ""
    return "\n".join([header, *(",".join(each) for each in cells)]) + "\n"


def test_a_factor_that_ended_has_a_model_of_the_months_it_shares_and_the_others_all_months(
    in_memory: Build, world: World
) -> None:
    run, model = in_memory(ended_in(world, "oil", "2018-12"), world.returns)
    wide = model.with_ended
    assert wide is not None
    assert (model.factors, model.ended) == (("credit", "equity", "volatility"), ())
    assert (wide.factors, wide.ended) == (("credit", "equity", "oil", "volatility"), ("oil",))
    # February 2015 (the first level is of January) to the as-of, against to December 2018 less March's hole.
    assert (model.first_month, model.last_month, model.months) == (date(2015, 2, 1), date(2020, 12, 1), 71)
    assert (wide.first_month, wide.last_month, wide.months) == (date(2015, 2, 1), date(2018, 12, 1), 45)
    assert [line for line in run.said if "ended" in line] == [
        "    Factor oil ended in 2018-12: scenarios with it are priced on 45 months, 2015-02 to 2018-12; "
        "all others use 71 months, 2015-02 to 2020-12."
    ]
    # With oil among the factors the planted betas come back, from months in which oil exists alone.
    np.testing.assert_allclose(wide.betas[0], [*PLANTED["EXACT"], 0.0], atol=1e-10)
    windows = {
        name: {(row["first_month"], row["last_month"], row["months"]) for row in rows.to_pylist()}
        for name, rows in run.tables.items()
        if "factor_" in name
    }
    assert windows["factor_covariances"] == {(date(2015, 2, 1), date(2020, 12, 1), 71)}
    assert windows["ended_factor_covariances"] == {(date(2015, 2, 1), date(2018, 12, 1), 45)}
    assert (date(2015, 2, 1), date(2018, 12, 1), 45) in windows["ended_factor_betas"]
    assert (date(2015, 2, 1), date(2020, 12, 1), 71) in windows["factor_betas"]


def test_a_factor_of_three_months_ago_has_not_ended(in_memory: Build, world: World) -> None:
    run, model = in_memory(ended_in(world, "oil", "2020-09"), world.returns)
    assert "oil" in model.factors
    assert model.with_ended is None
    assert run.tables["ended_factor_betas"].num_rows == 0
    run, model = in_memory(ended_in(world, "oil", "2020-08"), world.returns)
    assert "oil" not in model.factors
    assert model.widest.ended == ("oil",)


def test_an_equity_factor_that_ended_is_replaced_by_the_mean_of_the_instruments_aloud(
    in_memory: Build, world: World
) -> None:
    run, model = in_memory(ended_in(world, "equity", "2019-06"), world.returns)
    assert model.origin[model.factors.index("equity")] == "equal-weight mean of the instruments"
    assert "Factor equity ended in 2019-06: the equal-weight mean of the instruments replaces it." in run.said
    assert model.with_ended is None
