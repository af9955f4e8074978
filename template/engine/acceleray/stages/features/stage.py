"""The features stage: one-day returns and cross-sectionally ranked features, in Spark."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from acceleray.runtime.look_ahead import refuse_look_ahead
from acceleray.runtime.risk_days import exchange_rates, outside_market, risk_days
from acceleray.runtime.run import Run
from acceleray.stages.features.definitions import DEFINITIONS, FEATURE_NAMES
from acceleray.stages.features.ranks import ranked
from acceleray.stages.features.raw import raw
from acceleray.stages.features.returns import observed, with_market
from acceleray.tables import PRICES, RETURNS

__all__ = ["DEFINITIONS", "FEATURE_NAMES", "build_features", "build_returns"]


def build_returns(run: Run) -> None:
    """Commit gold.returns of the run's source: all that a workload without signals needs."""
    run.commit(RETURNS, _returns(run, _observed(run)))


def build_features(run: Run) -> None:
    """Commit gold.returns and gold.features of the run's source from silver.prices.

    Every row depends on prices up to its own date alone, except forward_return and target, which are what
    the model is asked to predict. So nothing here depends on the as-of date; readers filter by date. Rows in
    which every feature is NULL are left out.

    Raises:
        PortfolioError: a signal of the project looks ahead, or does not return one number per window.
    """
    own = run.project.own_signals()
    refuse_look_ahead(own)
    rows = _observed(run).persist()
    try:
        run.commit(RETURNS, _returns(run, rows))
        # A day without a price tells a signal nothing, and no signal is made of prices that may be negative.
        arithmetic = list(run.settings.market_data.arithmetic)
        for name in arithmetic:
            run.reporter.say(f"    {name} has no features: its prices change arithmetically")
        rates = exchange_rates(run)
        if rates:
            run.reporter.say(f"    {', '.join(rates)}: exchange rates, which have no features")
        known = rows.where((F.col("span_d") > 0) & ~F.col("instrument_id").isin([*arithmetic, *rates]))
        known = with_market(known, outside_market(run))
        features = ranked(raw(known, own), run.project.feature_names())
        run.commit(run.project.features_table(), features.select(_source(run), "*"))
    finally:
        rows.unpersist()


def _observed(run: Run) -> DataFrame:
    # One source has one name: without it every sort below compares dates and names alone.
    prices = run.read(PRICES).select("instrument_id", "date", "adjusted_price")
    data, horizon_d = run.settings.market_data, run.settings.features.horizon_d
    return observed(prices, risk_days(run), horizon_d, data.stale_after_d, data.arithmetic)


def _returns(run: Run, rows: DataFrame) -> DataFrame:
    return rows.where("return_1d IS NOT NULL").select(_source(run), "*")


def _source(run: Run) -> Column:
    return F.lit(run.source).alias("source")
