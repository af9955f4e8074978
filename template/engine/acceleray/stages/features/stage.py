"""The features stage: one-day returns and cross-sectionally ranked features.

Prices on the risk calendar are one number per day and instrument, and lie in this process. From them each
part of the days makes its rows by itself, in one pass without an exchange: in Spark's Python workers, which
hand them to the commit, or here where they are few. Rows of a date say what they are made from, so that a run
makes those dates only that are made from something else by now.
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from acceleray.engines.handoff.arrays import column
from acceleray.quant.day_prices import DayPrices, day_prices
from acceleray.runtime.look_ahead import refuse_look_ahead
from acceleray.runtime.risk_days import exchange_rates, outside_market, risk_days
from acceleray.runtime.run import Run
from acceleray.settings.topology import ray_beside
from acceleray.stages.features.definitions import DEFINITIONS, FEATURE_NAMES
from acceleray.stages.features.origin import MADE_BY
from acceleray.stages.features.part import parts
from acceleray.stages.features.recipe import Recipe, of_features, of_returns
from acceleray.stages.features.renewal import held, renewal
from acceleray.stages.features.spread import Making, few, in_files, rows_of
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
        run.notices.add(f"{name} has no features: its prices change arithmetically")
    rates = exchange_rates(run)
    if rates:
        run.reporter.say(f"    {', '.join(rates)}: exchange rates, which have no features")
    prices = prices.of(~np.isin(prices.instruments, [*arithmetic, *rates]))
    in_market = ~np.isin(prices.instruments, outside_market(run))
    horizon_d, local = run.settings.features.horizon_d, ray_beside(run.settings)
    _commit(
        run,
        run.project.features_table(),
        of_features(prices, in_market, horizon_d, run.project.own_signals(), local),
    )


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
    data, local = run.settings.market_data, ray_beside(run.settings)
    levels = np.array([data.arithmetic.get(name, np.nan) for name in prices.instruments], dtype=np.float64)
    _commit(run, RETURNS, of_returns(prices, levels, data.stale_after_d, local))


def _commit(run: Run, table: Table, recipe: Recipe) -> None:
    """Commit the dates of a table that are made from something else than those that it holds."""
    found = renewal(recipe.expected, held(run, table), run.settings.anew)
    constants = {"source": run.source, MADE_BY: run.identity.run_id}
    making = Making(recipe.make, recipe.expected.days, recipe.expected.origins, constants)
    wanted = parts(found.wanted, recipe.reach, recipe.instruments)
    if found.where is None and run.settings.profile == "local" and not few(wanted, recipe.instruments):
        with in_files(run.lake, table, making, wanted) as parts_made:
            run.commit_parts(table, parts_made)
    else:
        rows = rows_of(run.lake, table, making, wanted, recipe.instruments)
        run.commit(table, rows, where=found.where)
    kind = f"{table.name} of a date"
    for reason, dates in found.made.items():
        run.kept.made(kind, dates, reason)
    for run_id, dates in found.reused.items():
        run.kept.reused(kind, dates, run_id)
