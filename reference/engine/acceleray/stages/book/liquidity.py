"""Days to liquidate: how long positions take to sell at a stated share of the volume of an average day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acceleray.counts import counted
from acceleray.engines.handoff.arrays import column
from acceleray.settings.desk import Liquidity
from acceleray.stages.book.prices import known
from acceleray.stages.book.rows import typed
from acceleray.stages.book.things import CASH, MONEY
from acceleray.stages.book.volumes import AverageVolumes
from acceleray.tables import PORTFOLIO_LIQUIDITY, POSITION_LIQUIDITY

HORIZONS_D = (1, 5, 10)


def position_liquidity(
    positions: pa.Table, series: Mapping[str, str], volumes: AverageVolumes, of: Liquidity
) -> pa.Table:
    """Return rows of gold.position_liquidity for positions that need a market.

    days = |units| / (participation x average daily volume). Units are the quantity, and where none is given
    exposure / (price x rate).

    Args:
        positions: rows of gold.positions.
        series: names of series by instrument, where they differ.
        volumes: of an average day.
        of: participation.
    """
    needs = pc.invert(pc.is_in(positions["status"], pa.array([CASH, MONEY])))
    rows = positions.filter(needs)
    names = rows["instrument_id"].to_pylist()
    quantity, exposure, value, price, rate = (
        column(rows, name) for name in ("quantity", "exposure", "market_value", "price", "fx_rate")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        units = np.where(np.isfinite(quantity), quantity, exposure / (price * rate))
    units = np.where(np.isfinite(units), units, np.nan)
    average = np.array([_average(name, series, volumes) for name in names], dtype=np.float64)
    traded = np.isfinite(units) & (average > 0.0)
    days = np.full(units.size, np.nan)
    days[traded] = np.abs(units[traded]) / (of.participation * average[traded])
    days[units == 0.0] = 0.0
    missing = [
        None
        if np.isfinite(days[row])
        else "its units are unknown"
        if not np.isfinite(units[row])
        else "it has no volumes"
        if not np.isfinite(average[row])
        else f"its average volume over {counted(volumes.days, 'day')} is zero"
        for row in range(len(names))
    ]
    return typed(
        POSITION_LIQUIDITY,
        {
            "portfolio_id": rows["portfolio_id"].combine_chunks(),
            "instrument_id": names,
            "exposure": np.where(np.abs(value) > np.abs(exposure), value, exposure),
            "currency": rows["currency"].combine_chunks(),
            "units": known(units),
            "average_daily_volume": known(average),
            "participation": np.full(len(names), of.participation),
            "days_to_liquidate": known(days),
            "reason": missing,
        },
        len(names),
    )


def portfolio_liquidity(
    rows: pa.Table, nav: Mapping[str, float], volumes: AverageVolumes, of: Liquidity
) -> pa.Table:
    """Return rows of gold.portfolio_liquidity: one for each portfolio, in the order of `nav`.

    Args:
        rows: of `position_liquidity`.
        nav: by portfolio id.
        volumes: of an average day.
        of: participation and average.
    """
    ids, count = list(nav), len(nav)
    at = np.asarray(pc.index_in(rows["portfolio_id"], pa.array(ids, pa.string())).to_numpy(), dtype=np.int64)
    size = 100.0 * np.abs(column(rows, "exposure")) / np.array([nav[name] for name in ids])[at]
    days = column(rows, "days_to_liquidate")
    names = rows["instrument_id"].to_pylist()
    unknown = np.isnan(days)
    slowest = np.full(count, -1)
    # The last one that is written stays: the slowest, of equally slow ones the first by name.
    order = np.lexsort((np.argsort(np.argsort(names, kind="stable")) * -1, days))
    order = order[~unknown[order]]
    slowest[at[order]] = order

    def summed(shares: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(at, shares, minlength=count).astype(np.float64)

    columns: dict[str, Any] = {
        f"liquidated_{horizon}d_pct_nav": summed(_sold(size, days, horizon)) for horizon in HORIZONS_D
    }
    columns |= {
        "portfolio_id": ids,
        "days_to_liquidate": [None if row < 0 else float(days[row]) for row in slowest],
        "slowest": [None if row < 0 else names[row] for row in slowest],
        "gross_pct_nav": summed(size),
        "unknown_pct_nav": summed(np.where(unknown, size, 0.0)),
        "participation": np.full(count, of.participation),
        "average": [of.average] * count,
        "volume_days": [volumes.days] * count,
        "last_volume_date": [volumes.last_date] * count,
    }
    return typed(PORTFOLIO_LIQUIDITY, columns, count)


def _average(name: str, series: Mapping[str, str], volumes: AverageVolumes) -> float:
    return volumes.of.get(series.get(name, name), volumes.of.get(name, np.nan))


def _sold(size: NDArray[np.float64], days: NDArray[np.float64], horizon: int) -> NDArray[np.float64]:
    """Return the part of each position that is sold within a horizon, nothing where its days are unknown."""
    share = np.minimum(1.0, horizon / np.maximum(np.nan_to_num(days, nan=np.inf), 1e-300))
    return np.where(np.isnan(days), 0.0, size * share)
