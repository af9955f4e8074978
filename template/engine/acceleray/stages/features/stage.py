"""The features stage: one-day returns and cross-sectionally ranked features.

Prices on the risk calendar are one number per day and instrument, and lie in this process. From them each
part of the days makes its rows by itself, in one pass without an exchange: in Spark's Python workers, which
hand them to the commit, or here where they are few.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column
from acceleray.quant.day_prices import DayPrices, day_prices
from acceleray.quant.reach import features_reach, returns_reach
from acceleray.runtime.look_ahead import refuse_look_ahead
from acceleray.runtime.risk_days import exchange_rates, outside_market, risk_days
from acceleray.runtime.run import Run
from acceleray.stages.features.definitions import DEFINITIONS, FEATURE_NAMES
from acceleray.stages.features.part import Part, parts
from acceleray.stages.features.returns import ReturnRows
from acceleray.stages.features.rows import FeatureRows
from acceleray.stages.features.spread import rows_of
from acceleray.tables import PRICES, RETURNS
from acceleray.tables.contract import Table

__all__ = ["DEFINITIONS", "FEATURE_NAMES", "build_features", "build_returns"]


def build_returns(run: Run) -> None:
    """Commit gold.returns of the run's source: all that a workload without signals needs."""
    _commit_returns(run, prices_of(run))


def build_features(run: Run) -> None:
    """Commit gold.returns and gold.features of the run's source from silver.prices.

    Every row depends on prices up to its own date alone, except forward_return and target, which are what
    the model is asked to predict. So nothing here depends on the as-of date; readers filter by date. Rows in
    which every feature is NULL are left out.

    Raises:
        PortfolioError: a signal of the project looks ahead, or does not return one number per window.
    """
    refuse_look_ahead(run.project.own_signals())
    prices = prices_of(run)
    _commit_returns(run, prices)
    # No signal is made of prices that may be negative.
    arithmetic = list(run.settings.market_data.arithmetic)
    for name in arithmetic:
        run.reporter.say(f"    {name} has no features: its prices change arithmetically")
    rates = exchange_rates(run)
    if rates:
        run.reporter.say(f"    {', '.join(rates)}: exchange rates, which have no features")
    prices = prices.of(~np.isin(prices.instruments, [*arithmetic, *rates]))
    in_market = ~np.isin(prices.instruments, outside_market(run))
    own, horizon_d = run.project.own_signals(), run.settings.features.horizon_d
    made = FeatureRows(prices, in_market, horizon_d, own)
    reach = features_reach(np.isfinite(prices.prices), in_market, made.window)
    _commit(run, run.project.features_table(), prices, made.of, reach)


def prices_of(run: Run) -> DayPrices:
    """Return the adjusted prices of the run's source on its risk calendar."""
    rows = run.arrow(PRICES, ("instrument_id", "date", "adjusted_price"))
    # By key they are sorted, and so are the names.
    named = pc.dictionary_encode(rows["instrument_id"].combine_chunks())
    return day_prices(
        risk_days(run),
        column(rows, "date").astype("datetime64[D]"),
        np.asarray(named.indices.to_numpy(), dtype=np.int64),
        tuple(named.dictionary.to_pylist()),
        column(rows, "adjusted_price"),
    )


def _commit_returns(run: Run, prices: DayPrices) -> None:
    data = run.settings.market_data
    levels = np.array([data.arithmetic.get(name, np.nan) for name in prices.instruments], dtype=np.float64)
    made = ReturnRows(prices, levels, data.stale_after_d)
    reach = returns_reach(np.isfinite(prices.prices), data.stale_after_d)
    _commit(run, RETURNS, prices, made.of, reach)


def _commit(
    run: Run, table: Table, prices: DayPrices, make: Callable[[Part], pa.Table], reach: NDArray[np.int64]
) -> None:
    wanted, count = np.ones(len(prices.days), dtype=np.bool_), len(prices.instruments)
    rows = rows_of(run.lake.spark, table, make, parts(wanted, reach, count), count, {"source": run.source})
    run.commit(table, rows)
