"""The same scores against other targets: is it more than volatility, or than the market, that is ranked?"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pyarrow as pa

from acceleray.engines.handoff.arrays import panel
from acceleray.quant.evaluation import newey_west_lower, newey_west_t, overlap_lags
from acceleray.quant.examples import Examples
from acceleray.quant.targets import (
    RAW,
    RESIDUAL,
    VOLATILITY_SCALED,
    OtherTargets,
    other_targets,
    volatility_and_beta,
)
from acceleray.runtime.risk_days import outside_market
from acceleray.runtime.run import Run
from acceleray.stages.train.validation import Validation
from acceleray.tables import RETURNS


def load_other_targets(run: Run, examples: Examples) -> OtherTargets:
    """Return the other targets of the examples, from returns that were known on each row's day."""
    rows = run.arrow(
        RETURNS, ("date", "instrument_id", "return_1d"), f"date <= DATE'{run.as_of}' AND span_d > 0"
    )
    returns = panel(rows, "return_1d")
    in_market = ~np.isin(returns.instruments, outside_market(run))
    with warnings.catch_warnings():
        # A day on which nothing of the market traded has no mean.
        warnings.simplefilter("ignore", RuntimeWarning)
        market = np.nanmean(returns.values[:, in_market], axis=1)
    volatility, beta = volatility_and_beta(returns.values, market)
    places = {name: place for place, name in enumerate(returns.instruments)}
    columns = np.array([places.get(name, -1) for name in examples.instruments])
    day = np.searchsorted(returns.dates, examples.dates.astype(returns.dates.dtype))
    day = np.minimum(day, max(returns.dates.size - 1, 0))
    found = returns.dates[day] == examples.dates.astype(returns.dates.dtype)
    usable = found[examples.date] & (columns[examples.instrument] >= 0)
    at = day[examples.date], columns[examples.instrument]
    known = (np.where(usable, values[at], np.nan) for values in (volatility, beta))
    return other_targets(examples.forward_return, examples.date, *known)


def target_rows(found: Validation, confidence: float) -> pa.Table:
    """Return the rows of gold.signal_targets: rank IC of the same scores against each target."""
    rows = []
    for name in (RAW, VOLATILITY_SCALED, RESIDUAL):
        daily = found.against(name)
        known = daily[np.isfinite(daily)]
        rows.append(
            {
                "target": name,
                "gated": name == RAW,
                "dates": known.size,
                "rank_ic": float(known.mean()) if known.size else math.nan,
                "rank_ic_t": newey_west_t(known, overlap_lags(known.size, found.horizon_d)),
                "rank_ic_lower": newey_west_lower(known, found.horizon_d, confidence),
            }
        )
    return pa.Table.from_pylist(rows)
