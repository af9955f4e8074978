"""Data sets that ship with libraries, read from their files.

To import skfolio and arch for a file each takes several seconds of a short run, most of them for what only
fits and plots.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from acceleray.errors import PortfolioError

_AMERICAN = "%m/%d/%Y"


def sample_prices() -> pd.DataFrame:
    """Return adjusted closing prices of S&P 500 stocks, of shape (days, stocks), as skfolio loads them."""
    return _read("skfolio", "datasets/data/sp500_dataset.csv.gz")


def sample_index() -> pd.Series:
    """Return the level of the S&P 500 by day, as skfolio loads it."""
    return _read("skfolio", "datasets/data/sp500_index.csv.gz")["SP500"]


def oil_prices() -> pd.Series:
    """Return the price of West Texas Intermediate by day, in USD a barrel, as arch loads it (FRED)."""
    return _read("arch", "data/wti/wti.csv.gz", _AMERICAN)["DCOILWTICO"]


def bond_yields() -> pd.DataFrame:
    """Return Moody's yields of AAA and BAA bonds by month, in percent, as arch loads them (FRED)."""
    return _read("arch", "data/default/default.csv.gz", _AMERICAN)


def _read(package: str, path: str, dates: str = "%Y-%m-%d") -> pd.DataFrame:
    # This finds the package's folder and runs none of its code.
    found = find_spec(package)
    if found is None or found.origin is None:
        raise PortfolioError(f"The sample ships with {package}, which is not installed; install it.")
    # FRED writes a dot where a day has no level.
    levels = pd.read_csv(Path(found.origin).parent / path, index_col=0, na_values=".")
    levels.index = pd.to_datetime(levels.index, format=dates)
    return levels
