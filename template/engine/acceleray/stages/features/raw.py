"""Features of one instrument before ranking, computed by Spark's Python workers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from acceleray.engines.handoff.arrays import column
from acceleray.quant.rolling import rolling
from acceleray.stages.features.definitions import DEFINITIONS, RANKED

_COLUMNS = ("instrument_id string", "date date", *(f"{name} double" for name in ("forward_return", *RANKED)))


def raw(rows: DataFrame) -> DataFrame:
    """Return instrument_id, date, forward_return and all features, NULL where there is none.

    Takes rows of `with_market`. Rows in which every feature is NULL are left out. Windows in SQL would take
    minutes instead of seconds: Spark sums each of them up from its first row on, for every row and aggregate.
    """
    return rows.groupBy("instrument_id").applyInArrow(features_of, ", ".join(_COLUMNS))


def features_of(rows: pa.Table) -> pa.Table:
    """Return the features of one instrument's rows, which may come in any order."""
    rows = rows.sort_by("day").combine_chunks()
    returns = column(rows, "return_1d")
    traded = np.isfinite(returns)
    series = {
        "prices": (column(rows, "price"),),
        "returns": (returns[traded],),
        "returns and market": (returns[traded], column(rows, "market_return")[traded]),
    }
    features = np.full((len(DEFINITIONS), rows.num_rows), np.nan)
    for values, each in zip(features, DEFINITIONS, strict=True):
        at = slice(None) if each.of == "prices" else traded
        values[at] = rolling(each.statistic, each.length, *series[each.of])
    columns = {
        name: pa.array(values, from_pandas=True) for name, values in zip(RANKED, features, strict=True)
    }
    kept = rows.select(["instrument_id", "date", "forward_return"])
    for name, values in columns.items():
        kept = kept.append_column(name, values)
    return kept.filter(pa.array(np.isfinite(features).any(axis=0)))
