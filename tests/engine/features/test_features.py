"""Returns and features: known answers, gaps, and nothing from the future."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, skew

from acceleray.runtime.project import NOTHING_ADDED
from acceleray.runtime.run import Run
from acceleray.stages.features.definitions import FEATURE_NAMES
from acceleray.stages.features.part import Part
from acceleray.stages.features.rows import FeatureRows
from acceleray.stages.features.stage import DEFINITIONS, build_features, prices_of
from acceleray.stages.ingest.shipped import sample_prices
from acceleray.tables import FEATURES, RETURNS
from market import commit_prices, long_rows

HORIZON = 21
STALE = 10
DAYS = 330


def commit(run: Run, prices: pd.DataFrame) -> None:
    """Put a wide frame, NaN where there is no price, into silver.prices."""
    commit_prices(run, long_rows(prices))
    run.identify("test", prices.index[-1].date())


def wide(run: Run, table: Any, column: str, like: pd.DataFrame) -> pd.DataFrame:
    rows = run.lake.rows(table, run.source, columns=("date", "instrument_id", column)).to_pandas()
    return spread(rows, column, like)


def spread(rows: pd.DataFrame, column: str, like: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(date=pd.to_datetime(rows["date"]))
    found = rows.pivot(index="date", columns="instrument_id", values=column)
    return found.reindex(index=like.index, columns=like.columns).astype(float)


def unranked(run: Run, like: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return features before ranking, which hides small changes."""
    prices = prices_of(run)
    every = np.ones(len(prices.instruments), dtype=bool)
    values, _ = FeatureRows(prices, every, HORIZON).raw(Part(0, 0, len(prices.days)))
    found = (pd.DataFrame(each, like.index, list(prices.instruments)) for each in values)
    return {name: each.reindex(columns=like.columns) for name, each in zip(FEATURE_NAMES, found, strict=True)}


@dataclass(frozen=True)
class Built:
    """Real prices of a few instruments with ragged listings and gaps, and what was built from them."""

    run: Run
    make: Callable[..., Run]
    prices: pd.DataFrame
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.tables:
            table = RETURNS if name == "return_1d" else FEATURES
            self.tables[name] = wide(self.run, table, name, self.prices)
        return self.tables[name]


def ragged() -> pd.DataFrame:
    prices = sample_prices().iloc[:DAYS, :6].copy()
    prices.index = pd.to_datetime(prices.index)
    prices.iloc[30, 0] *= 3  # a spike shows on which day it enters and leaves each window
    prices.iloc[:40, 1] = np.nan  # listed late
    prices.iloc[300:, 2] = np.nan  # delisted early
    prices.iloc[100, 3] = np.nan  # one day missing
    prices.iloc[150:190, 3] = np.nan  # suspended
    prices.iloc[::2, 4] = np.nan  # never two days in a row
    return prices


@pytest.fixture(scope="module")
def expected() -> dict[str, pd.DataFrame]:
    return expected_features(ragged())


@pytest.fixture(scope="module")
def built(new_project: Callable[[], Callable[..., Run]]) -> Built:
    make = new_project()
    run = make(f"features.horizon_d={HORIZON}")
    prices = ragged()
    commit(run, prices)
    build_features(run)
    return Built(run, make, prices)


def expected_rank(values: pd.DataFrame) -> pd.DataFrame:
    rank = values.rank(axis=1, method="min")
    count = values.notna().sum(axis=1)
    share = rank.sub(1).div((count - 1).where(count > 1), axis=0) - 0.5
    return share.mask(values.notna().mul(count == 1, axis=0), 0.0)


def observed_returns(prices: pd.DataFrame) -> pd.DataFrame:
    """Return each instrument's returns between its own prices, on the day of the later one."""
    own = {name: series.dropna() / series.dropna().shift(1) - 1 for name, series in prices.items()}
    return pd.DataFrame(own).reindex(prices.index)


def expected_features(prices: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Compute every feature again with pandas and SciPy, one instrument and one window at a time."""
    daily = observed_returns(prices)
    market = daily.mean(axis=1)
    columns: dict[str, dict[str, pd.Series]] = {name: {} for name in FEATURE_NAMES}
    for name in prices.columns:
        own, returns = prices[name].dropna(), daily[name].dropna()
        loss = returns.clip(upper=0)
        pairs = pd.DataFrame({"own": returns, "market": market.reindex(returns.index)})
        found = {
            "momentum_12_1": own.shift(21) / own.shift(252) - 1,
            "momentum_6_1": own.shift(21) / own.shift(126) - 1,
            "momentum_3m": own / own.shift(63) - 1,
            "reversal_1m": own / own.shift(21) - 1,
            "reversal_1w": own / own.shift(5) - 1,
            "volatility_3m": returns.rolling(63).apply(lambda window: np.std(window, ddof=1), raw=True),
            "downside_3m": np.sqrt((loss**2).rolling(63).mean()),
            "drawdown_12m": own / own.rolling(252).max() - 1,
            "skewness_12m": returns.rolling(252).apply(skew, raw=True),
            "maximum_1m": returns.rolling(21).max(),
            "beta_12m": each_window(pairs, 252, lambda rows: fit(rows).slope),
            "downside_beta_12m": each_window(pairs, 252, lambda rows: fit(rows[rows["market"] < 0]).slope),
            "residual_momentum_12_1": each_window(pairs, 252, residual_momentum),
            "specific_volatility_3m": each_window(pairs, 63, specific_volatility),
        }
        for feature, values in found.items():
            columns[feature][name] = values
    return {feature: pd.DataFrame(found).reindex(prices.index) for feature, found in columns.items()}


def each_window(rows: pd.DataFrame, length: int, function: Callable[[pd.DataFrame], float]) -> pd.Series:
    ends = range(length, len(rows) + 1)
    values = [function(rows.iloc[end - length : end]) for end in ends]
    return pd.Series(values, index=rows.index[length - 1 :], dtype=float)


def fit(rows: pd.DataFrame) -> Any:
    return linregress(rows["market"], rows["own"])


def residual_momentum(rows: pd.DataFrame) -> float:
    specific = (rows["own"] - fit(rows).slope * rows["market"]).iloc[:-21]
    return specific.sum() / specific.std()


def specific_volatility(rows: pd.DataFrame) -> float:
    line = fit(rows)
    residuals = rows["own"] - line.intercept - line.slope * rows["market"]
    return np.sqrt((residuals**2).sum() / 61)


def test_returns_span_what_lies_between_two_prices_and_closed_days_earn_nothing(built: Built) -> None:
    # Ten days without a price are a closed market, of which more are not known to end.
    filled = built.prices.ffill(limit=STALE)
    returns = observed_returns(built.prices)
    returns = returns.mask(built.prices.isna() & filled.notna(), 0.0).to_numpy()
    np.testing.assert_array_equal(built["return_1d"].to_numpy(), returns)
    span_d = wide(built.run, RETURNS, "span_d", built.prices)
    assert span_d.iloc[99:103, 3].tolist() == [1, 0, 2, 1]
    assert span_d.iloc[[159, 160, 190], 3].tolist()[::2] == [0, 41]
    assert span_d.iloc[160:190, 3].isna().all()
    assert span_d.iloc[2:-1, 4].tolist() == [0, 2] * ((DAYS - 3) // 2) + [0] * ((DAYS - 3) % 2)


def test_an_instrument_that_trades_at_weekends_is_no_part_of_the_market_of_the_others(built: Built) -> None:
    weekend = str(built.prices.columns[0])
    run = built.make(f"features.horizon_d={HORIZON}", "market_data.source=csv", "market_data.name=apart")
    commit_prices(run, long_rows(built.prices), (weekend,))
    run.identify("test", built.prices.index[-1].date())
    build_features(run)
    daily = observed_returns(built.prices)
    others = daily.drop(columns=[weekend]).mean(axis=1)
    slopes = {
        name: each_window(pd.DataFrame({"own": own, "market": others}).dropna(), 252, lambda w: fit(w).slope)
        for name, own in daily.items()
    }
    expected = expected_rank(pd.DataFrame(slopes).reindex(built.prices.index))
    found = wide(run, FEATURES, "beta_12m", built.prices)
    pd.testing.assert_frame_equal(found, expected, check_names=False, check_freq=False)
    assert not found.equals(built["beta_12m"])


@pytest.mark.parametrize("name", FEATURE_NAMES)
def test_a_feature_is_the_rank_of_its_definition(
    name: str, built: Built, expected: dict[str, pd.DataFrame]
) -> None:
    ranks = expected_rank(expected[name])
    # A row in which every feature is missing is left out, and comes back as missing here.
    assert ranks.notna().to_numpy().sum() > 100
    pd.testing.assert_frame_equal(built[name], ranks, check_names=False, check_freq=False)


def test_every_feature_has_one_definition_in_the_order_of_the_columns() -> None:
    assert NOTHING_ADDED.feature_names() == FEATURE_NAMES
    assert len(set(FEATURE_NAMES)) == 14
    assert all(each.meaning and each.proposed_by for each in DEFINITIONS)


def test_the_target_ranks_the_return_over_the_next_horizon_of_trading_days(built: Built) -> None:
    # An instrument that ends keeps its last price.
    last = built.prices.ffill().shift(-HORIZON)
    ahead = last / built.prices - 1
    kept = built["reversal_1w"].notna() | built["volatility_3m"].notna()
    np.testing.assert_array_equal(built["forward_return"].to_numpy(), ahead.where(kept).to_numpy())
    expected = expected_rank(ahead.where(kept))
    pd.testing.assert_frame_equal(built["target"], expected, check_names=False, check_freq=False)
    assert built["target"].iloc[-HORIZON:].isna().to_numpy().all()
    assert built["target"].iloc[-HORIZON - 1].notna().any()


def test_no_feature_and_no_return_knows_a_price_after_its_date(built: Built) -> None:
    cut = 280
    changed = built.prices.copy()
    noise = np.random.default_rng(20240229).normal(0.0, 0.2, changed.iloc[cut + 1 :].shape)
    changed.iloc[cut + 1 :] *= np.exp(noise)
    changed.iloc[cut + 1 :, 5] = np.nan  # one delisting that nobody saw coming
    run = built.make(f"features.horizon_d={HORIZON}", "market_data.source=csv", "market_data.name=changed")
    commit(run, changed)
    build_features(run)
    for name in ("return_1d", *FEATURE_NAMES):
        after = wide(run, RETURNS if name == "return_1d" else FEATURES, name, changed)
        pd.testing.assert_frame_equal(after.iloc[: cut + 1], built[name].iloc[: cut + 1], check_exact=True)
        assert not after.iloc[cut + 1 :].equals(built[name].iloc[cut + 1 :])
    exact, shifted = unranked(built.run, changed), unranked(run, changed)
    for name in FEATURE_NAMES:
        before, after = exact[name], shifted[name]
        pd.testing.assert_frame_equal(after.iloc[: cut + 1], before.iloc[: cut + 1], check_exact=True)
        assert after.iloc[cut].notna().sum() > 2
    # The test can see a look-ahead: the target is one, by design.
    target = wide(run, FEATURES, "target", changed)
    assert not target.iloc[: cut + 1].equals(built["target"].iloc[: cut + 1])
    pd.testing.assert_frame_equal(target.iloc[: cut + 1 - HORIZON], built["target"].iloc[: cut + 1 - HORIZON])


def test_building_again_writes_no_version(built: Built) -> None:
    tables = (RETURNS, FEATURES)
    before = [built.run.lake.version(table) for table in tables]
    again = built.make(f"features.horizon_d={HORIZON}")
    again.identify("test", built.prices.index[-1].date())
    build_features(again)
    assert [built.run.lake.version(table) for table in tables] == before


@pytest.mark.nightly
def test_ranks_of_a_handful_of_prices_are_those_counted_by_hand(built: Built) -> None:
    days = pd.to_datetime([date(2024, 1, 1) + timedelta(days=day) for day in range(8)])
    prices = pd.DataFrame(
        {
            "up": [100.0, 1, 1, 1, 1, 110.0, 121.0, 121.0],
            "flat": [50.0, 1, 1, 1, 1, 50.0, 1.0, 1.0],
            "even": [20.0, 1, 1, 1, 1, 20.0, np.nan, np.nan],
            "down": [10.0, 1, 1, 1, 1, 9.0, np.nan, np.nan],
            "new": [np.nan, np.nan, np.nan, np.nan, np.nan, 5.0, np.nan, 5.0],
        },
        index=days,
    )
    prices.loc[days[7], "flat"] = np.nan
    run = built.make("features.horizon_d=1", "market_data.source=csv", "market_data.name=handful")
    commit(run, prices)
    build_features(run)
    week = wide(run, FEATURES, "reversal_1w", prices)
    # Over five days: +10 %, 0, 0, -10 %; equal values share the lowest of their ranks; the new one has none.
    assert week.iloc[5].tolist()[:4] == pytest.approx([0.5, 1 / 3 - 0.5, 1 / 3 - 0.5, -0.5])
    assert week["new"].isna().all()
    # Two instruments are the two ends; one alone is in the middle.
    assert week.iloc[6].tolist()[:2] == [0.5, -0.5]
    assert week.iloc[7].tolist()[0] == 0.0
    assert wide(run, FEATURES, "forward_return", prices).iloc[5].tolist()[:2] == pytest.approx([0.1, -0.98])
    assert week.iloc[:5].isna().to_numpy().all()
