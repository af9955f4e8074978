"""Trades, and the interface to limits: a hook that the limits stage fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Traded:
    """One trade: as given, its price in base currency (NaN if unknown), money, and share of NAV."""

    instrument_id: str
    quantity: float
    price: float
    amount: float
    weight: float


@dataclass(frozen=True)
class Exposed:
    """Input of limits: the risk of a portfolio before or after, and its holdings.

    Attributes:
        portfolio_id, as_of, nav, currency: whose.
        risk_pct_nav: by measure (value_at_risk, expected_shortfall) and horizon in trading days.
        weights: by instrument, share of NAV.
    """

    portfolio_id: str
    as_of: date
    nav: float
    currency: str
    risk_pct_nav: Mapping[tuple[str, int], float]
    weights: Mapping[str, float]


@dataclass(frozen=True)
class LimitState:
    """One limit: its name and words, how much of it is used in %, and green, amber or red."""

    limit_id: str
    words: str
    utilised_pct: float
    state: str


Limits = Callable[[Exposed], Sequence[LimitState]]
"""Function that returns the limit utilisation of a portfolio."""
