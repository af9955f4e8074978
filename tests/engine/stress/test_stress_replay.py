from dataclasses import replace as changed
from datetime import date

import numpy as np
import pytest

from acceleray.stages.calibrate.factor_model import FactorModel
from acceleray.stages.stress.definitions import Replay
from acceleray.stages.stress.outcome import Outcome
from acceleray.stages.stress.replay import replay
from stress.invented import AS_OF, CORRELATION, DATES, model, returns, without_factors

FIRST, LAST = date(2019, 3, 4), date(2019, 6, 28)
# Positions of the two closes in the dates.
START, END = (int(np.flatnonzero(np.datetime64(day) == DATES)[0]) for day in (FIRST, LAST))


def window(first: date = FIRST, last: date = LAST) -> Replay:
    return Replay("crash", "Crash", "Ours", first, last)


def with_gaps(days: int, instrument: int = 0) -> Outcome:
    panel = returns()
    panel.values[START + 1 : START + 1 + days, instrument] = np.nan
    return replay(window(), panel, AS_OF, model())


def factor_changes(factors: FactorModel) -> np.ndarray:
    before, after = factors.levels[START], factors.levels[END]
    return np.where(factors.points, after - before, np.log(after / before))


def test_a_replay_goes_from_close_to_close() -> None:
    panel = returns()
    found = replay(window(), panel, AS_OF, model())
    # The return dated `first` led up to that close and is no part of the window; the last one is.
    prices = np.cumprod(1.0 + panel.values, axis=0)
    np.testing.assert_allclose(found.returns, prices[END] / prices[START] - 1.0, rtol=1e-12)
    assert (found.first, found.last, found.reason) == (FIRST, LAST, "")
    assert found.origin.tolist() == ["priced", "priced", "priced without betas"]


def test_days_without_trading_mean_the_close_before_them() -> None:
    sunday, saturday = date(2019, 3, 3), date(2019, 6, 29)
    found = replay(window(sunday, saturday), returns(), AS_OF, model())
    assert (found.first, found.last) == (date(2019, 3, 1), LAST)


def test_the_parts_of_every_instrument_add_up_to_its_return() -> None:
    factors = model()
    found = replay(window(), returns(), AS_OF, factors)
    np.testing.assert_allclose(found.factor[:2], factors.betas[:2] @ factor_changes(factors), rtol=1e-12)
    np.testing.assert_allclose(found.factor + found.specific + found.residual, found.returns, atol=1e-15)
    # Without betas everything but compounding is the instrument's own.
    assert found.factor[2] == 0.0
    assert found.specific[2] == pytest.approx(np.log1p(found.returns[2]), rel=1e-12)


def test_an_instrument_without_prices_then_is_proxied_by_its_betas() -> None:
    factors = model()
    found = with_gaps(days=40)
    assert found.origin[0] == "proxied by betas"
    expected = np.expm1(factors.betas[0] @ factor_changes(factors))
    assert found.returns[0] == pytest.approx(expected, rel=1e-12)
    assert found.specific[0] == 0.0


def test_an_instrument_without_prices_and_betas_is_unpriced() -> None:
    found = with_gaps(days=40, instrument=2)
    assert np.isnan(found.returns[2])
    assert found.priced.tolist() == [True, True, False]


def test_one_missing_day_in_twenty_is_still_priced() -> None:
    days = END - START
    assert with_gaps(days=days // 20).origin[0] == "priced"
    assert with_gaps(days=days // 20 + 1).origin[0] == "proxied by betas"


def test_nothing_after_the_as_of_date_is_looked_at() -> None:
    found = replay(window(), returns(), date(2019, 6, 27), model())
    assert found.reason == "ends on 2019-06-28, after the as-of date 2019-06-27"
    assert np.isnan(found.returns).all()
    assert not found.priced.any()


def test_a_window_before_the_first_return_or_without_a_day_is_not_run() -> None:
    early = replay(window(date(2018, 12, 31)), returns(), AS_OF, model())
    assert early.reason == "begins on 2018-12-31, before the first return on 2019-01-01"
    assert (early.first, early.last) == (date(2018, 12, 31), LAST)
    empty = replay(window(date(2019, 3, 2), date(2019, 3, 3)), returns(), AS_OF, model())
    assert empty.reason == "holds no trading day"


@pytest.mark.parametrize("fault", ["begins later", "has ended"])
def test_a_factor_whose_levels_do_not_cover_the_window_is_left_out(fault: str) -> None:
    factors = model()
    if fault == "begins later":
        factors.levels[: START + 1, 1] = np.nan
    else:
        # As the model does when the data end: the last level again and again.
        factors.levels[START - 10 :, 1] = factors.levels[START - 10, 1]
        long_ago = DATES[END] - DATES[START - 10]
        assert long_ago > np.timedelta64(92, "D")
    found = replay(window(), returns(), AS_OF, factors)
    equity = next(each for each in found.assumptions if each.variable == "equity")
    assert (equity.role, equity.factor) == ("not mapped", None)
    assert equity.mapping.startswith("Left out: its levels do not cover 2019-03-04 to 2019-06-28")
    others = [0, 2, 3]
    expected = factors.betas[:2][:, others] @ factor_changes(factors)[others]
    np.testing.assert_allclose(found.factor[:2], expected, rtol=1e-12)


def test_a_monthly_factor_that_repeats_a_value_is_not_taken_for_ended() -> None:
    factors = model()
    factors.levels[END - 40 :, 0] = factors.levels[END - 40, 0]
    found = replay(window(), returns(), AS_OF, factors)
    assert found.assumptions[0].role == "observed"


def test_without_factors_history_is_replayed_all_the_same() -> None:
    panel = returns()
    panel.values[:, 0] = np.nan
    found = replay(window(), panel, AS_OF, without_factors())
    assert found.origin.tolist() == ["", "priced without betas", "priced without betas"]
    assert np.isnan(found.distance.value)
    assert found.assumptions == ()


def test_a_proxy_with_no_factor_left_is_no_proxy() -> None:
    panel, factors = returns(), model()
    panel.values[:, 0] = np.nan
    factors.levels[: START + 1] = np.nan
    assert replay(window(), panel, AS_OF, factors).origin[0] == ""


def test_the_distance_of_a_replay_is_that_of_what_the_factors_did_over_as_many_days() -> None:
    factors = model()
    changes = factor_changes(factors)
    months = (END - START) / 21
    assert months > 3.9
    one_month = np.diag(changes**2) / months
    found = replay(window(), returns(), AS_OF, changed(factors, covariance=one_month))
    # Each of four independent factors is one standard deviation of the window away.
    assert found.distance.value == pytest.approx(2.0, rel=1e-12)
    assert found.distance.horizon_m == pytest.approx(months, rel=1e-12)
    assert (found.distance.factors, found.distance.normal_tail) == (4, pytest.approx(3 * np.exp(-2.0)))
    # Where they hang together, it is that of four such steps under their correlation.
    together = changed(factors, covariance=CORRELATION * np.outer(changes, changes) / months)
    expected = np.sqrt(np.linalg.inv(CORRELATION).sum())
    assert replay(window(), returns(), AS_OF, together).distance.value == pytest.approx(expected, rel=1e-12)


def with_credit_ended(day: np.datetime64) -> FactorModel:
    """Return a live model without credit, and one with it that ended on a day and has doubled betas."""
    wide = model()
    ended = int(np.searchsorted(DATES, day))
    wide.levels[ended:, 0] = wide.levels[ended, 0]
    live = [1, 2, 3]
    return changed(
        model(),
        factors=tuple(wide.factors[at] for at in live),
        points=tuple(wide.points[at] for at in live),
        origin=tuple(wide.origin[at] for at in live),
        levels=wide.levels[:, live],
        covariance=wide.covariance[np.ix_(live, live)],
        betas=wide.betas[:, live],
        with_ended=changed(wide, betas=2.0 * wide.betas, ended=("credit",)),
    )


def test_a_window_in_which_an_ended_factor_moved_is_that_of_the_model_with_it() -> None:
    factors = with_credit_ended(DATES[END + 5])
    found = replay(window(), returns(), AS_OF, factors)
    assert found.model is factors.with_ended
    assert found.distance.factors == 4
    np.testing.assert_allclose(found.factor[:2], 2.0 * model().betas[:2] @ factor_changes(model()))


def test_a_window_after_the_end_of_a_factor_is_that_of_the_live_model_and_says_what_is_left_out() -> None:
    factors = with_credit_ended(DATES[START - 30])
    found = replay(window(date(2019, 9, 4), date(2019, 12, 20)), returns(), AS_OF, factors)
    assert found.model is factors
    assert found.distance.factors == 3
    assert [each.role for each in found.assumptions] == ["not mapped", *["observed"] * 3]
    assert found.assumptions[0].variable == "credit"


def test_a_mean_of_a_month_is_taken_from_the_month_of_the_date() -> None:
    factors = changed(model(), averaged=(True, False, False, False))
    # As the mean of each month is stamped: on the last weekday of it, here, and known from then on.
    months = DATES.astype("datetime64[M]")
    for month in np.unique(months):
        inside = np.flatnonzero(months == month)
        factors.levels[inside[:-1], 0] = factors.levels[inside[0] - 1, 0] if inside[0] else np.nan
    found = replay(window(date(2019, 3, 20), LAST), returns(), AS_OF, factors)
    march, june = (
        factors.levels[np.flatnonzero(months == np.datetime64(month))[-1], 0]
        for month in ("2019-03", "2019-06")
    )
    assert found.assumptions[0].change == pytest.approx(june - march, rel=1e-12)
