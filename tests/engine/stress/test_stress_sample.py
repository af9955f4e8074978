"""The shipped scenarios on the real prices of the sample, against prices and not returns."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from acceleray.engines.handoff.arrays import Panel
from acceleray.stages.book.book import Book
from acceleray.stages.ingest.shipped import sample_index, sample_prices
from acceleray.stages.stress import rows
from acceleray.stages.stress.definitions import Definitions
from acceleray.stages.stress.replay import replay
from rendered import TEMPLATE
from stress.invented import defined, without_factors

SHIPPED = TEMPLATE / "conf" / "stress.yml"


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    return sample_prices().sort_index(axis=1)


@pytest.fixture
def definitions(tmp_path: Path) -> Definitions:
    return defined(tmp_path, SHIPPED.read_text(encoding="utf-8"))


def losses(prices: pd.DataFrame, definitions: Definitions) -> dict[str, float]:
    """Return what the equal-weight book loses in each replay, in % of NAV."""
    moves = prices.pct_change().iloc[1:]
    panel = Panel(moves.index.to_numpy().astype("datetime64[D]"), tuple(prices.columns), moves.to_numpy())
    count = len(prices.columns)
    model = replace(without_factors(), dates=panel.dates, betas=np.empty((count, 0)))
    book = Book.plain(("REFERENCE",), panel.instruments, np.full((1, count), 1.0 / count), 1e6, "USD")
    found = tuple(replay(each, panel, date(2022, 12, 28), model) for each in definitions.replays)
    table = rows.losses(found, book).to_pylist()
    return {row["scenario_id"]: row["loss_pct_nav"] for row in table}


def test_every_replay_loses_what_prices_say(prices: pd.DataFrame, definitions: Definitions) -> None:
    found = losses(prices, definitions)
    assert len(found) == 5
    for each in definitions.replays:
        ratio = prices.loc[str(each.last)] / prices.loc[str(each.first)]
        assert found[each.scenario_id] == pytest.approx(-100.0 * (ratio.mean() - 1.0), abs=1e-9)


def test_the_financial_crisis_costs_the_equal_weight_book_what_it_did(
    prices: pd.DataFrame, definitions: Definitions
) -> None:
    # The mean of the twenty price ratios, by pandas alone; WMT gained 7 % and BAC lost 92 %.
    assert losses(prices, definitions)["financial_crisis_2008"] == pytest.approx(46.5438, abs=1e-4)


def test_the_dates_of_the_file_are_highs_and_lows_of_the_index(definitions: Definitions) -> None:
    index = sample_index()
    for each in definitions.replays:
        around = index[pd.Timestamp(each.first) - pd.Timedelta(days=60) : pd.Timestamp(each.last)]
        assert around.idxmax().date() == each.first
        after = index[pd.Timestamp(each.first) : pd.Timestamp(each.last) + pd.Timedelta(days=60)]
        assert after.idxmin().date() == each.last


def test_the_dot_com_bust_is_three_standard_deviations_of_thirty_months_away_and_not_sixteen_of_one(
    definitions: Definitions,
) -> None:
    """Equity and its volatility alone, from month ends by pandas."""
    index = sample_index()
    volatility = 100.0 * np.sqrt(252 / 21 * (np.log(index).diff() ** 2).rolling(21).sum())
    levels = pd.concat([index, volatility], axis=1).dropna()
    months = levels.iloc[levels.index.to_period("M").argsort()].groupby(levels.index.to_period("M")).last()
    covariance = np.log(months).diff().dropna().cov().to_numpy()
    model = replace(
        without_factors(),
        factors=("equity", "volatility"),
        points=(False, False),
        origin=("S&P 500", "derived"),
        dates=levels.index.to_numpy().astype("datetime64[D]"),
        levels=levels.to_numpy(),
        covariance=covariance,
        months=395,
        betas=np.empty((1, 2)),
    )
    days = np.log(index).diff().dropna()
    panel = Panel(
        days.index.to_numpy().astype("datetime64[D]"), ("INDEX",), np.expm1(days.to_numpy())[:, None]
    )
    bust = next(each for each in definitions.replays if each.scenario_id == "dot_com_2000")
    found = replay(bust, panel, date(2022, 12, 28), model).distance
    assert found.horizon_m == pytest.approx(637 / 21)
    assert found.value == pytest.approx(3.05, abs=0.02)
    assert found.normal_tail == pytest.approx(np.exp(-(found.value**2) / 2.0), rel=1e-9)
    assert found.value * np.sqrt(found.horizon_m) == pytest.approx(16.8, abs=0.1)
