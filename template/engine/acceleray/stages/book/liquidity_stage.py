"""Liquidity of a run's positions: committed and said where volumes are given and recent enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from acceleray.runtime.risk_days import risk_days
from acceleray.runtime.run import Run
from acceleray.stages.book.holdings import Holdings
from acceleray.stages.book.liquidity import portfolio_liquidity, position_liquidity
from acceleray.stages.book.volumes import average_volumes
from acceleray.tables import PORTFOLIO_LIQUIDITY, POSITION_LIQUIDITY


def commit_liquidity(
    run: Run, holdings: Holdings, positions: Sequence[pa.Table], nav: Mapping[str, float]
) -> None:
    """Commit the days to liquidate of positions and portfolios; volumes that ended long ago tell nothing.

    Args:
        run: what is read and written.
        holdings: with volumes.
        positions: rows of gold.positions.
        nav: of all portfolios by id, in base currency.
    """
    volumes, of = holdings.volumes, run.settings.liquidity
    assert volumes is not None
    run.notices.add(*volumes.notices)
    volumes = volumes.until(run.as_of)
    if volumes is None:
        run.notices.add(f"volumes begin after {run.as_of}: days to liquidate are not evaluated")
        return
    days = risk_days(run, f"date <= DATE'{run.as_of}'")
    after = int(np.sum(days > np.datetime64(volumes.last_date, "D")))
    if after > run.settings.market_data.stale_after_d:
        run.notices.add(
            f"volumes end on {volumes.last_date}, {run.settings.market_data.span(after)} before the as-of"
            " date: days to liquidate are not evaluated"
        )
        return
    average = average_volumes(volumes, days, of)
    series = dict(
        zip(*(holdings.instruments[name].to_pylist() for name in ("instrument_id", "series")), strict=True)
    )
    named = {name: own for name, own in series.items() if own}
    rows = pa.concat_tables([position_liquidity(each, named, average, of) for each in positions])
    found = portfolio_liquidity(rows, nav, average, of)
    run.commit(POSITION_LIQUIDITY, rows)
    run.commit(PORTFOLIO_LIQUIDITY, found)
    first = found.slice(0, 1).to_pylist()[0]
    if first["days_to_liquidate"] is not None:
        run.reporter.say(
            f"    {first['portfolio_id']}: {first['liquidated_1d_pct_nav']:.1f} % of NAV sells in 1 day and"
            f" {first['liquidated_10d_pct_nav']:.1f} % in 10, of {first['gross_pct_nav']:.1f} %, at"
            f" {100 * of.participation:g} % of the volume; {first['slowest']} takes"
            f" {first['days_to_liquidate']:,.1f} days"
        )
