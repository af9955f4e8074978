"""What has no model of its own moves by proxy, is named with the cause, and is never at zero risk."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.quant.garch import GjrFit, GjrParameters, rejected
from acceleray.settings import Settings
from acceleray.settings.sections import Calibration as Limits
from acceleray.settings.sections import MarketData
from acceleray.stages.calibrate.fits import fit_instrument
from acceleray.stages.calibrate.gate import Evidence, judge
from acceleray.stages.calibrate.proxies import causes, told, usual_deviation, with_proxies
from acceleray.stages.calibrate.residuals import standardised
from acceleray.stages.calibrate.stage import Calibration
from acceleray.stages.calibrate.stand_ins import stand_in, unusable_names
from acceleray.stages.ingest.shipped import sample_prices

NAMES = ("AAA", "BBB", "CCC", "CASH", "GONE")
DAYS = 600


def fitted(sigma: float) -> GjrFit:
    parameters = GjrParameters(0.0, sigma**2 * 0.1, 0.05, 0.0, 0.85, 6.0)
    model: Any = GjrFit("calibrated", "", DAYS, parameters, parameters, 0.0, True, "", sigma**2, sigma)
    return model


@pytest.fixture(scope="module")
def returns() -> Panel:
    """Return real returns of three names, AAA with a split that nobody adjusted, cash, and one that ended."""
    prices = sample_prices().iloc[-DAYS - 1 :, :3].to_numpy()
    prices[400:, 0] /= 4.0
    moves = prices[1:] / prices[:-1] - 1.0
    ended = np.where(np.arange(DAYS) < 500, moves[:, 1], np.nan)
    dates = sample_prices().index[-DAYS:].to_numpy().astype("datetime64[D]")
    return Panel(dates, NAMES, np.column_stack([moves, np.zeros(DAYS), ended]))


@pytest.fixture(scope="module")
def calibration(returns: Panel) -> Calibration:
    gate: Any = None
    failed = replace(rejected("residual variance 2.4 instead of 1", DAYS), status="failed")
    cash = fit_instrument(3, returns.values, 250, 10)
    gone = fit_instrument(4, returns.values, 250, 10)
    return Calibration(returns, (failed, fitted(0.02), fitted(0.03), cash, gone), gate)


@pytest.fixture(scope="module")
def proxied(calibration: Calibration) -> Calibration:
    why = causes(calibration.returns, calibration.fits, DAYS)
    return with_proxies(
        calibration, Settings.model_validate({"project": {"name": "a", "customer": "b"}}), why
    )


def test_cash_is_held_with_its_own_tiny_volatility_and_counts_as_modelled(calibration: Calibration) -> None:
    cash = calibration.fits[3]
    assert (cash.status, cash.modelled) == ("held", True)
    assert cash.reason == "hardly moves (0 % per day): constant volatility is used"
    assert 0.0 < cash.next_sigma < 1e-8


def test_the_gate_says_what_failed_with_its_cause(calibration: Calibration) -> None:
    why = causes(calibration.returns, calibration.fits, DAYS)
    day = calibration.returns.day(399)
    assert why["AAA"].startswith("jump of -7")
    assert why["AAA"].endswith(f"% on {day}")
    assert why["GONE"] == "no return on the last 100 trading days"
    gate = judge(Evidence(NAMES, calibration.fits, np.full(5, np.nan), why), Limits())
    assert f"3 of 4 fits converged (at least 90 % needed): failed: AAA ({why['AAA']})" in gate.reason


def test_an_instrument_that_trades_without_a_model_moves_by_proxy_and_one_that_ended_does_not(
    calibration: Calibration, proxied: Calibration
) -> None:
    assert [fit.status for fit in proxied.fits] == ["proxied", "calibrated", "calibrated", "held", "rejected"]
    assert proxied.usable.tolist() == [0, 1, 2, 3]
    assert proxied.fits[0].reason.startswith("jump of")
    # At its own volatility, which a jump of -75 % does not inflate.
    clean = np.delete(calibration.returns.values[:, 0], 399)
    assert proxied.fits[0].next_sigma == pytest.approx(clean.std())
    assert usual_deviation(calibration.returns.values[:, 0]) < 0.6 * calibration.returns.values[:, 0].std()


def test_each_proxy_has_a_line_and_of_many_the_rest_are_counted(returns: Panel, proxied: Calibration) -> None:
    (line,) = told(proxied)
    assert line == f"AAA moves by proxy, with the mean of all: {proxied.fits[0].reason}"
    many = (*(f"N{number}" for number in range(9)), "BBB")
    panel = Panel(returns.dates, many, np.column_stack([returns.values[:, 0]] * 10))
    lines = told(replace(proxied, returns=panel, fits=(proxied.fits[0],) * 9 + (proxied.fits[1],)))
    assert [line.partition(" ")[0] for line in lines] == ["N0", "N1", "N2", "N3", "N4", "4"]
    assert lines[-1] == "4 more instruments move by proxy: see gold.calibration"


def test_a_proxy_moves_with_the_mean_of_the_calibrated_ones_and_cash_not_at_all(proxied: Calibration) -> None:
    residuals, days = standardised(proxied, DAYS, DAYS, seed=1)
    assert days.size == DAYS
    mean = residuals[:, 1:3].mean(axis=1)
    assert np.corrcoef(residuals[:, 0], mean)[0, 1] == pytest.approx(1.0)
    assert residuals[:, 0].std() == pytest.approx(1.0)
    assert not residuals[:, 3].any()


def test_a_proxy_that_is_named_lends_its_moves_and_one_without_a_model_does_not(proxied: Calibration) -> None:
    residuals, _ = standardised(replace(proxied, proxy_of={"AAA": "CCC"}), DAYS, DAYS, seed=1)
    np.testing.assert_array_equal(residuals[:, 0], residuals[:, 2])
    mean, _ = standardised(proxied, DAYS, DAYS, seed=1)
    unknown, _ = standardised(replace(proxied, proxy_of={"AAA": "GONE"}), DAYS, DAYS, seed=1)
    np.testing.assert_array_equal(unknown, mean)
    named = {"AAA": "GONE", "BBB": "GONE", "TYPO": "CCC"}
    assert unusable_names(replace(proxied, proxy_of=named)) == [
        "GONE, the proxy of AAA, has no model: the mean of all replaces it",
        "market_data.proxies names TYPO, which has no prices",
    ]
    assert unusable_names(replace(proxied, proxy_of={"AAA": "CCC"})) == []


def test_its_group_stands_in_for_an_instrument_and_all_where_the_group_has_no_model(
    proxied: Calibration,
) -> None:
    grouped = replace(proxied, groups={"tech": ("AAA", "BBB"), "other": ("CCC",)})
    residuals, _ = standardised(grouped, DAYS, DAYS, seed=1)
    np.testing.assert_array_equal(residuals[:, 0], residuals[:, 1])
    assert stand_in(grouped, "AAA").words == "with the mean of tech (BBB)"
    # A proxy by name comes first.
    assert stand_in(replace(grouped, proxy_of={"AAA": "CCC"}), "AAA").of == ("CCC",)
    both = replace(proxied, groups={"tech": ("AAA", "BBB", "CCC")})
    mean, _ = standardised(both, DAYS, DAYS, seed=1)
    assert np.corrcoef(mean[:, 0], mean[:, 1:3].mean(axis=1))[0, 1] == pytest.approx(1.0)
    alone = replace(proxied, groups={"lost": ("AAA", "GONE", "TYPO")})
    assert stand_in(alone, "AAA").words == "with the mean of all"
    assert unusable_names(alone) == [
        "market_data.groups.lost names TYPO, which has no prices",
        "no instrument of market_data.groups.lost has a model: the mean of all replaces it",
    ]


def test_a_short_history_has_the_usual_volatility_of_its_group(calibration: Calibration) -> None:
    short = calibration.returns.values.copy()
    short[:-5, 0] = np.nan
    new = replace(calibration, returns=replace(calibration.returns, values=short))
    settings = Settings.model_validate({"project": {"name": "a", "customer": "b"}})
    why = dict.fromkeys(NAMES, "too short")
    assert with_proxies(new, settings, why).fits[0].next_sigma == pytest.approx(0.025)
    grouped = replace(new, groups={"tech": ("AAA", "CCC")})
    assert with_proxies(grouped, settings, why).fits[0].next_sigma == pytest.approx(0.03)


def test_an_instrument_in_two_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="AAA is in one and in two; keep it in one of them"):
        MarketData(groups={"one": ("AAA", "BBB"), "two": ("AAA",)})


def test_an_instrument_more_changes_no_scenario_of_the_others(proxied: Calibration) -> None:
    panel = proxied.returns
    fewer = replace(
        proxied,
        returns=replace(panel, instruments=panel.instruments[1:3], values=panel.values[:, 1:3]),
        fits=proxied.fits[1:3],
    )
    alone, _ = standardised(fewer, DAYS, DAYS, seed=1)
    together, _ = standardised(proxied, DAYS, DAYS, seed=1)
    np.testing.assert_array_equal(together[:, 1:3], alone)


def test_without_any_model_nothing_can_stand_in(calibration: Calibration) -> None:
    alone = replace(calibration, fits=tuple(rejected("none", 0) for _ in NAMES))
    why = dict.fromkeys(NAMES, "none")
    settings = Settings.model_validate({"project": {"name": "a", "customer": "b"}})
    assert with_proxies(alone, settings, why) is alone
