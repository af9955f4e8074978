"""Runs alphalens on one factor, in a separate process: `python oracle_alphalens.py WHEEL FOLDER`.

Its functions for the information coefficient and for returns by quantile are its own, out of the wheel. What
the package imports besides, to draw and to show, is not installed: empty modules stand in its place.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pandas as pd

PERIODS = (1, 5, 21)


def package(wheel: Path) -> None:
    """Make the modules of the wheel importable without running what the package itself imports."""
    alphalens = ModuleType("alphalens")
    alphalens.__path__ = [str(wheel / "alphalens")]
    sys.modules["alphalens"] = alphalens
    for name in ("empyrical", "IPython", "IPython.display"):
        sys.modules[name] = ModuleType(name)
    sys.modules["IPython.display"].display = print  # type: ignore[attr-defined]


def main(wheel: Path, folder: Path) -> None:
    """Read prices.pkl and factor.pkl (dates by names), and write ic.pkl and spread.pkl (dates by periods)."""
    package(wheel)
    utils, performance = (import_module(f"alphalens.{name}") for name in ("utils", "performance"))
    prices, factor = (pd.read_pickle(folder / f"{name}.pkl") for name in ("prices", "factor"))
    long = factor.stack()
    long.index.names = ["date", "asset"]
    # Horizons are cut off at the end one by one: all of them at once would cut all at the longest.
    ics, spreads = {}, {}
    for period in PERIODS:
        data = utils.get_clean_factor_and_forward_returns(
            long, prices, quantiles=5, periods=(period,), max_loss=1.0, filter_zscore=None
        )
        ics[period] = performance.factor_information_coefficient(data).iloc[:, 0]
        means, _ = performance.mean_return_by_quantile(data, by_date=True, demeaned=False)
        of = means.iloc[:, 0]
        spreads[period] = of.xs(5, level="factor_quantile") - of.xs(1, level="factor_quantile")
    pd.DataFrame(ics).to_pickle(folder / "ic.pkl")
    pd.DataFrame(spreads).to_pickle(folder / "spread.pkl")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
