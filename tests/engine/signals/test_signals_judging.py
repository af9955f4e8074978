"""Signals judged where the truth is known: planted, noise, copies, and one that looks ahead."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from acceleray.quant.signals import forward_returns
from acceleray.runtime.progress import Reporter
from acceleray.settings import Settings
from acceleray.stages.signals.inputs import Inputs
from acceleray.stages.signals.judging import Judged, judge
from acceleray.stages.signals.rows import Rank, correlation_rows, decay_rows, rank_rows, year_rows
from signals.planted import Inline, panel

STRENGTHS = (0.035, 0.0, 0.0, -0.035, 0.0, 0.0)


def settings(**chosen: Any) -> Settings:
    signals = {"horizons_d": [5, 21], "replications": 120, "block_d": 21} | chosen
    return Settings.model_validate({"project": {"name": "tests", "customer": "Tests"}, "signals": signals})


def judged(inputs: Inputs, source: str = "csv:prices", fan_out: Any = None, **more: Any) -> Judged:
    chosen = settings(**more.pop("signals", {}))
    return judge(inputs, chosen, source, fan_out or Inline(), Reporter(quiet=True), **more)


@cache
def planted() -> Inputs:
    return panel(1, 1200, 25, STRENGTHS).inputs


@cache
def found() -> Judged:
    return judged(planted())


def rank(of: Judged, signal: str, horizon_d: int) -> Rank:
    (one,) = [each for each in of.ranks if (each.signal, each.measured.horizon_d) == (signal, horizon_d)]
    return one


def with_signal(inputs: Inputs, name: str, values: Any) -> Inputs:
    signals = np.concatenate([inputs.signals, values[np.newaxis].astype(np.float32)])
    return replace(inputs, names=(*inputs.names, name), signals=signals)


def test_planted_signals_are_to_be_used_and_noise_is_rejected() -> None:
    for each in found().ranks:
        expected = {"use", "watch"} if each.signal.startswith("true") else {"reject"}
        assert each.decision in expected, each
    assert found().ranks[0].decision == "use"
    assert "Clears every bar" in found().ranks[0].reason
    assert {rank(found(), name, 5).decision for name in ("true_0", "true_3")} == {"use"}


def test_a_signal_of_which_low_values_are_good_is_held_the_other_way_round() -> None:
    high, low = rank(found(), "true_0", 5), rank(found(), "true_3", 5)
    assert (high.measured.direction, low.measured.direction) == (1, -1)
    assert low.measured.rank_ic < 0 > low.measured.spread
    assert low.measured.net_information_ratio > 0
    assert low.evidence.high < 0


def test_noise_alone_leaves_no_survivor_and_that_is_a_result() -> None:
    nothing = judged(panel(2, 800, 20, (0.0,) * 6).inputs)
    assert {each.decision for each in nothing.ranks} == {"reject"}
    assert all("Not told from luck: among 12 tests" in each.reason for each in nothing.ranks)


@pytest.mark.parametrize("blur", [0.0, 0.1])
def test_a_signal_that_looks_ahead_is_suspect_on_real_prices_and_named(blur: float) -> None:
    noise = np.random.default_rng(6).standard_normal(planted().prices.shape)
    inputs = with_signal(planted(), "crystal_ball", forward_returns(planted().prices, 5) + blur * noise)
    leaked = rank(judged(inputs), "crystal_ball", 5)
    assert leaked.decision == "suspect"
    assert leaked.measured.rank_ic > 0.2
    assert "probable leakage until proven otherwise" in leaked.reason


def test_where_everything_is_simulated_nothing_leaked_that_was_not_planted() -> None:
    strong = panel(5, 1200, 25, (0.15, 0.0)).inputs
    assert rank(judged(strong), "true_0", 5).decision == "suspect"
    assert rank(judged(strong, "simulated:universe"), "true_0", 5).decision == "use"


def test_a_copy_adds_nothing_and_is_not_used_twice() -> None:
    inputs = with_signal(planted(), "zz_copy", planted().signals[0])
    both = judged(inputs)
    first, copy = rank(both, "true_0", 5), rank(both, "zz_copy", 5)
    assert (copy.marginal_rank_ic, copy.evidence.marginal_t) == (0.0, 0.0)
    assert (first.decision, copy.decision) == ("use", "watch")
    assert "adds nothing to the" in copy.reason
    assert copy.measured.t == first.measured.t


def test_q_values_count_every_test_of_the_run() -> None:
    p_values = [each.measured.p_value for each in found().ranks]
    assert len(p_values) == 12
    for name, method in (("q_hochberg", "fdr_bh"), ("q_yekutieli", "fdr_by")):
        expected = multipletests(p_values, method=method)[1]
        np.testing.assert_allclose([getattr(each.evidence, name) for each in found().ranks], expected)


def test_each_signal_is_asked_what_it_adds_to_all_that_are_stronger_at_its_horizon() -> None:
    for horizon_d in (5, 21):
        at = [each for each in found().ranks if each.measured.horizon_d == horizon_d]
        strength = sorted(at, key=lambda each: -abs(each.measured.t))
        assert [each.evidence.before for each in strength] == list(range(6))
        # With nothing before it, a signal adds itself.
        assert strength[0].marginal_rank_ic == pytest.approx(strength[0].measured.rank_ic)
        assert strength[0].evidence.marginal_t == pytest.approx(strength[0].measured.t)


def test_numbers_do_not_depend_on_batches_nor_on_the_order_in_which_tasks_run() -> None:
    # As text, because a number that is not there equals nothing, not even itself.
    one = str(rank_rows(found().ranks).to_pydict())
    for fan_out, batch in ((Inline(backwards=True), 7), (Inline(), 1000)):
        other = rank_rows(judged(planted(), fan_out=fan_out, batch=batch).ranks)
        assert str(other.to_pydict()) == one
        assert fan_out.tasks["resample"] == 2 * -(-120 // batch)


def test_another_seed_moves_the_intervals_and_nothing_else() -> None:
    inputs, reporter = planted(), Reporter(quiet=True)
    other = judge(inputs, settings().model_copy(update={"seed": 5}), "csv:prices", Inline(), reporter)
    one, two = (rank_rows(each.ranks).to_pydict() for each in (found(), other))
    assert {name for name in one if str(one[name]) != str(two[name])} == {"rank_ic_low", "rank_ic_high"}


def test_returns_after_the_last_price_do_not_exist() -> None:
    for each in found().examined:
        for measured in each.horizons:
            assert np.isnan(measured.daily[-measured.horizon_d :]).all()
            assert measured.days == 1200 - measured.horizon_d


def test_an_earlier_day_sees_nothing_of_what_comes_later() -> None:
    inputs = planted()
    cut = replace(
        inputs, signals=inputs.signals[:, :900], prices=inputs.prices[:900], dates=inputs.dates[:900]
    )
    for whole, part in zip(found().examined, judged(cut).examined, strict=True):
        for before, after in zip(part.horizons, whole.horizons, strict=True):
            known = np.isfinite(before.daily)
            np.testing.assert_array_equal(before.daily[known], after.daily[:900][known])


def test_too_few_days_are_a_reason_and_not_a_crash() -> None:
    inputs = panel(3, 40, 10, (0.0, 0.1)).inputs
    short = judged(inputs)
    assert {each.decision for each in short.ranks} == {"reject"}
    # However large a rank IC luck makes of a month, it is not called leakage.
    assert max(abs(each.measured.rank_ic) for each in short.ranks) > 0.1
    assert "too few days" in rank(short, "noise_0", 21).reason
    empty = replace(inputs, signals=np.full_like(inputs.signals, np.nan))
    nothing = judged(empty)
    assert {each.measured.days for each in nothing.ranks} == {0}
    assert year_rows(empty, nothing.examined).num_rows == 0


def test_costs_turn_a_fast_signal_away() -> None:
    inputs = panel(4, 1200, 25, (0.12, 0.0), memory=0.2).inputs
    cheap, dear = (rank(judged(inputs, signals={"cost_bp": bp}), "true_0", 5) for bp in (0.0, 100.0))
    assert cheap.decision == "use"
    assert dear.decision == "watch"
    assert "costs eat its spread" in dear.reason
    assert dear.measured.turnover > 0.7


def test_the_half_life_is_that_of_the_signal_planted() -> None:
    strong = judged(panel(5, 1200, 25, (0.15, 0.0)).inputs, "simulated:universe")
    # A signal that keeps 97 % of itself each day is half gone after 23 days.
    assert rank(strong, "true_0", 5).half_life_d == pytest.approx(np.log(0.5) / np.log(0.97), rel=0.2)


def test_other_tables_hold_every_signal_day_year_and_pair() -> None:
    inputs, made = planted(), found()
    decay = decay_rows(inputs.names, made.examined, made.ahead_d)
    assert decay.num_rows == 6 * len(made.ahead_d)
    assert made.ahead_d[:5] == (1, 2, 3, 4, 5)
    assert made.ahead_d[-1] == 42
    years = year_rows(inputs, made.examined)
    assert set(years["year"].to_pylist()) == {2010, 2011, 2012, 2013}
    assert sum(row["dates"] for row in years.to_pylist() if row["horizon_d"] == 5) == 6 * 1195
    pairs = correlation_rows(inputs.names, made.correlations).to_pylist()
    assert len(pairs) == 15
    alike = {(row["signal_id"], row["other_signal_id"]): row["rank_correlation"] for row in pairs}
    assert alike["noise_1", "noise_2"] == pytest.approx(0.48, abs=0.05)
    assert alike["true_0", "true_3"] == pytest.approx(0.0, abs=0.05)
