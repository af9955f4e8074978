"""Features of one instrument before ranking, computed by Spark's Python workers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from acceleray.engines.handoff.arrays import column
from acceleray.extend import Signal
from acceleray.quant.rolling import rolling
from acceleray.stages.features.definitions import DEFINITIONS
from acceleray.tables.contract import quoted


def raw(rows: DataFrame, own: Sequence[Signal] = ()) -> DataFrame:
    """Return instrument_id, date, forward_return and all features, NULL where there is none.

    Takes rows of `with_market`, and the project's own signals, which follow the engine's. Rows in which every
    feature is NULL are left out. Windows in SQL would take minutes instead of seconds: Spark sums each of
    them up from its first row on, for every row and aggregate.
    """
    numbers = ("forward_return", *(each.name for each in (*DEFINITIONS, *own)))
    columns = ("instrument_id string", "date date", *(f"{quoted(name)} double" for name in numbers))

    def features(series: pa.Table) -> pa.Table:
        return features_of(series, own)

    return rows.groupBy("instrument_id").applyInArrow(features, ", ".join(columns))


def features_of(rows: pa.Table, own: Sequence[Signal] = ()) -> pa.Table:
    """Return the features of one instrument's rows, which may come in any order."""
    definitions = (*DEFINITIONS, *own)
    rows = rows.sort_by("day").combine_chunks()
    returns = column(rows, "return_1d")
    traded = np.isfinite(returns)
    series = {
        "prices": (column(rows, "price"),),
        "returns": (returns[traded],),
        "returns and market": (returns[traded], column(rows, "market_return")[traded]),
    }
    features = np.full((len(definitions), rows.num_rows), np.nan)
    for values, each in zip(features, definitions, strict=True):
        at = slice(None) if each.of == "prices" else traded
        values[at] = rolling(each.statistic, each.length, *series[each.of])
    columns = {
        each.name: pa.array(values, from_pandas=True)
        for each, values in zip(definitions, features, strict=True)
    }
    kept = rows.select(["instrument_id", "date", "forward_return"])
    for name, values in columns.items():
        kept = kept.append_column(name, values)
    return kept.filter(pa.array(np.isfinite(features).any(axis=0)))
