"""Contents of positions: priced, by proxy, cash, without prices, or of a kind that is not modelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from acceleray.quant.currencies import pair_of
from acceleray.stages.book.market import Market

PRICED, PROXIED, CASH, UNPRICED, NOT_MODELLED = "priced", "proxied", "cash", "unpriced", "not modelled"
MONEY = "currency"
"""A forward on a rate: exposed to two currencies, and to no price."""
CURRENCY_TRADES = ("forward", "fx")
# An exposure without a value.
WITHOUT_VALUE = ("future", *CURRENCY_TRADES)
# Known, and never treated as linear: they need to be revalued in each scenario.
_NOT_MODELLED = ("option", "bond")


@dataclass(frozen=True)
class Held:
    """One thing that positions hold, in any portfolio.

    Attributes:
        instrument_id: its name.
        kind: equity, fund, index, fx, future, forward, cash, option or bond.
        currency: of its price, or the cash itself; empty where nothing says it.
        status: priced, proxied, cash, currency, unpriced or not modelled.
        reason: why it is not priced; empty where it is.
        place: of the instrument whose returns it takes, -1 for none.
        beta: on those returns.
        unit: value of one unit in its currency: close x price unit x multiplier; NaN where unknown.
        pair: for a forward on a rate, the currency bought and the one sold.
        close: place of the instrument whose close is in `unit`, -1 for none.
    """

    instrument_id: str
    kind: str
    currency: str
    status: str
    reason: str
    place: int
    beta: float
    unit: float
    pair: tuple[str, str] | None = None
    close: int = -1


def held_of(names: Sequence[str], known: pa.Table, market: Market) -> list[Held]:
    """Return what each name of a position stands for.

    Args:
        names: of instruments, each once.
        known: instrument_id, series, type, currency, price_unit, multiplier, proxy, proxy_beta; NULL where
            nothing says it.
        market: closes.
    """
    facts = {str(row["instrument_id"]): row for row in known.to_pylist()}
    places = {name: place for place, name in enumerate(market.instruments)}
    return [_held(name, facts.get(name, {}), places, market) for name in names]


def _held(name: str, facts: dict[str, Any], places: dict[str, int], market: Market) -> Held:
    kind, currency, series = (facts.get(each) or "" for each in ("type", "currency", "series"))
    if kind == "cash":
        return Held(name, kind, currency, CASH, "", -1, 1.0, 1.0)
    if kind in _NOT_MODELLED:
        reason = f"{'an' if kind == 'option' else 'a'} {kind} is not linear, and is not modelled yet"
        return Held(name, kind, currency, NOT_MODELLED, reason, -1, 1.0, np.nan)
    place = places.get(series or name, -1)
    pair = market.rates.pairs[market.rates.places.index(place)] if place in market.rates.places else None
    if kind in CURRENCY_TRADES and pair is None:
        pair = pair_of(name)
    if pair is not None and kind in {"fx", "forward", "equity", ""}:
        return Held(name, "fx" if kind in {"equity", ""} else kind, pair[1], MONEY, "", -1, 1.0, 1.0, pair)
    size = (facts.get("price_unit") or 1.0) * (facts.get("multiplier") or 1.0)
    unit = size * float(market.closes[place]) if place >= 0 else np.nan
    if place >= 0 and market.modelled[place]:
        return Held(name, kind, currency, PRICED, "", place, 1.0, unit, close=place)
    why = f"no prices of {name}" if place < 0 else f"{name} has no model"
    if kind in CURRENCY_TRADES and place < 0:
        why = f"{name} is a currency trade and names no pair of currencies"
    proxy = facts.get("proxy") or ""
    at = places.get(proxy, -1)
    if at >= 0 and market.modelled[at]:
        beta = facts.get("proxy_beta")
        beta = 1.0 if beta is None else float(beta)
        return Held(name, kind, currency, PROXIED, f"{why}: {beta:g} x {proxy}", at, beta, unit, close=place)
    if proxy:
        why += f", and neither has its proxy {proxy}"
    return Held(name, kind, currency, UNPRICED, why, -1, 1.0, unit, close=place)
