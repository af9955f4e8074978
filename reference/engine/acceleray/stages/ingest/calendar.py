"""The risk calendar of a source: observed in its prices, weekdays, or the sessions of a named exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from acceleray.engines.handoff.arrays import column
from acceleray.errors import PortfolioError
from acceleray.quant.day_contents import NOTHING
from acceleray.quant.risk_calendar import (
    Calendar,
    Days,
    Listed,
    named_calendar,
    observed_calendar,
    weekdays,
)
from acceleray.settings.market_data import MarketData
from acceleray.stages.ingest.survey import Survey

# Calendar days for each risk day: a week has five of seven.
_CALENDAR_DAYS = {"daily": 7 / 5, "weekly": 7.0, "monthly": 31.0}


def calendar_of(found: Survey, settings: MarketData) -> Calendar:
    """Return the calendar of judged prices.

    Args:
        found: of at least one price.
        settings: `calendar` says which.

    Raises:
        PortfolioError: there is no exchange calendar of that name.
    """
    series = found.series.filter(pc.greater(found.series["prices"], 0))
    days, priced, at_weekends = found.by_day()
    calendar = observed_calendar(
        days,
        priced,
        at_weekends,
        Listed(
            column(series, "first_date").astype("datetime64[D]"),
            column(series, "last_date").astype("datetime64[D]"),
            np.asarray(column(series, "trades_at_weekends"), dtype=bool),
        ),
        int(np.ceil(settings.stale_after_d * _CALENDAR_DAYS[settings.frequency])),
    )
    match settings.calendar:
        case "observed":
            return calendar
        case "weekdays":
            return named_calendar(calendar, weekdays(days[0], days[-1]))
    return named_calendar(calendar, sessions(settings.calendar, days[0], days[-1]))


def sessions(name: str, first: np.datetime64, last: np.datetime64) -> Days:
    """Return the sessions of an exchange between two days, such as XNYS (ISO 10383).

    Raises:
        PortfolioError: there is no calendar of that name, or it does not know some of the days.
    """
    # Loaded where it is wanted: it takes a second to import.
    import exchange_calendars

    if name not in exchange_calendars.get_calendar_names():
        raise PortfolioError(
            f"market_data.calendar is '{name}', which is no exchange calendar; set observed, weekdays "
            "or the code of an exchange such as XNYS."
        )
    earliest, latest = _known(exchange_calendars.get_calendar(name))
    if first < earliest or last > latest:
        known = f"from {earliest} on" if first < earliest else f"up to {latest}"
        day = f"begin on {first}" if first < earliest else f"end on {last}"
        raise PortfolioError(
            f"market_data.calendar is '{name}', whose sessions are known {known}, and the prices {day}; set "
            "it to observed or weekdays, or leave those prices out."
        )
    # A year more on either side, because a calendar without any session is none.
    year = np.timedelta64(366, "D")
    start, end = max(first - year, earliest), min(last + year, latest)
    calendar = exchange_calendars.get_calendar(name, start=str(start), end=str(end))
    found = calendar.sessions.to_numpy().astype("datetime64[D]")
    return np.asarray(found[(found >= first) & (found <= last)])


def _known(calendar: Any) -> tuple[np.datetime64, np.datetime64]:
    """Return the first and the last day whose sessions an exchange calendar can tell."""
    bounds = calendar.bound_min(), calendar.bound_max()
    first, last = (np.datetime64("NaT", "D") if one is None else np.datetime64(one, "D") for one in bounds)
    return (
        np.datetime64("0001-01-01") if np.isnat(first) else first,
        np.datetime64("9999-12-31") if np.isnat(last) else last,
    )


def calendar_rows(calendar: Calendar, contents: Mapping[np.datetime64, str]) -> pa.Table:
    """Return date, listed, priced, risk_day and content of silver.risk_days.

    Args:
        calendar: of judged prices.
        contents: of the days with a price; a session without any has that of nothing.
    """
    return pa.table(
        {
            "date": pa.array(calendar.days.astype("datetime64[D]")),
            "listed": calendar.listed,
            "priced": calendar.priced,
            "risk_day": calendar.is_risk_day,
            "content": pa.array([contents.get(day, NOTHING) for day in calendar.days], pa.string()),
        }
    )
