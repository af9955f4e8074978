"""The risk days of a run's source, what trades on other days too, and exchange rates: what ingest found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acceleray.engines.handoff.arrays import column
from acceleray.errors import PortfolioError
from acceleray.quant.currencies import rates_among
from acceleray.runtime.run import Run
from acceleray.tables import PRICE_SERIES, RISK_DAYS


def risk_days(run: Run, until: str = "true") -> NDArray[np.datetime64]:
    """Return the days on which a book of the run's source is valued, ascending.

    Args:
        run: what is read.
        until: a condition on `date` in SQL, such as that of the as-of date.
    """
    rows = run.arrow(RISK_DAYS, ("date", "risk_day"), until)
    return np.sort(column(rows.filter(rows["risk_day"]), "date").astype("datetime64[D]"))


def weekend_traders(run: Run) -> list[str]:
    """Return the instruments that trade at weekends where others do not; none if all do."""
    rows = run.arrow(PRICE_SERIES, ("instrument_id", "trades_at_weekends"))
    found = rows.filter(rows["trades_at_weekends"])["instrument_id"].to_pylist()
    return [] if len(found) == len(rows) else [str(name) for name in found]


def exchange_rates(run: Run) -> list[str]:
    """Return the instruments that are exchange rates, by their names and `fx.pairs`.

    Raises:
        PortfolioError: `fx.pairs` names no pair, or a series that is not there.
    """
    names = run.arrow(PRICE_SERIES, ("instrument_id",))["instrument_id"].to_pylist()
    try:
        return list(rates_among(names, run.settings.fx.pairs))
    except ValueError as error:
        raise PortfolioError(f"fx.pairs: {error}; correct it in conf/.") from None


def outside_market(run: Run) -> list[str]:
    """Return the instruments that say nothing about the market: weekend traders and exchange rates."""
    return sorted({*weekend_traders(run), *exchange_rates(run)})
