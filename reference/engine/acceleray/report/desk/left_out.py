"""Parts of each portfolio outside its risk or in it by proxy, stated before any number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acceleray.report.formats import count, percent, plural
from acceleray.report.naming import INVENTED
from acceleray.report.rows import Reads, narrowed
from acceleray.tables import PORTFOLIO_SCORES, POSITIONS

UNPRICED, NOT_MODELLED, PROXIED = "unpriced", "not modelled", "proxied"
_COLUMNS = {
    UNPRICED: "unpriced_pct_nav",
    NOT_MODELLED: "not_modelled_pct_nav",
    PROXIED: "proxied_pct_nav",
}
# Portfolios that one sentence names.
NAMED = 12


@dataclass(frozen=True)
class LeftOut:
    """Shares of one portfolio in % of NAV, long and short added up.

    unknown is how many positions without prices have no value at all: their share cannot be said.
    """

    unpriced_pct: float = 0.0
    not_modelled_pct: float = 0.0
    proxied_pct: float = 0.0
    unknown: int = 0

    @property
    def missing_pct(self) -> float:
        """Return the share that is not in the risk."""
        return self.unpriced_pct + self.not_modelled_pct

    @property
    def any(self) -> bool:
        """Return whether anything is not in the risk."""
        return self.missing_pct > 0.0 or self.unknown > 0

    @property
    def words(self) -> str:
        """Return what is not in the risk, in words; empty if nothing."""
        parts = [
            f"{percent(share, 2)} {name}"
            for share, name in ((self.unpriced_pct, "not priced"), (self.not_modelled_pct, "not modelled"))
            if share > 0.0
        ]
        if self.unknown:
            parts.append(f"{plural(self.unknown, 'position')} without a known value")
        return ", ".join(parts)


def gather(read: Reads, portfolios: list[dict[str, Any]]) -> dict[str, LeftOut]:
    """Return what is left out of each portfolio, by its id.

    Amounts of positions are taken by size: a long and a short position that nobody prices do not cancel.

    Args:
        read: gives the rows of the run.
        portfolios: rows of gold.portfolios.
    """
    nav = {row["portfolio_id"]: row["nav"] for row in portfolios}
    # A book without listed positions says per portfolio how much it left out.
    found = {
        row["portfolio_id"]: {name: abs(row[column] or 0.0) for name, column in _COLUMNS.items()}
        for row in portfolios
    }
    scores = read(narrowed(PORTFOLIO_SCORES, "portfolio_id", "unpriced_pct_nav"))
    for row in scores.to_pylist():
        if row["portfolio_id"] in found:
            shares = found[row["portfolio_id"]]
            shares[UNPRICED] = max(shares[UNPRICED], row["unpriced_pct_nav"] or 0.0)
    sizes: dict[str, dict[str, float]] = {}
    unknown: dict[str, int] = {}
    # Millions of positions that were invented with prices have nothing to look for.
    if all(row["origin"] in INVENTED for row in portfolios):
        return _named(found, unknown)
    wanted = narrowed(POSITIONS, "portfolio_id", "instrument_id", "status", "market_value", "exposure")
    for row in read(wanted, status=list(_COLUMNS)).to_pylist():
        name, status = row["portfolio_id"], row["status"]
        if name not in nav:
            continue
        size = max(abs(row["market_value"] or 0.0), abs(row["exposure"] or 0.0))
        if not size and status != PROXIED:
            unknown[name] = unknown.get(name, 0) + 1
        shares = sizes.setdefault(name, dict.fromkeys(_COLUMNS, 0.0))
        shares[status] += 100.0 * size / nav[name]
    for name, shares in sizes.items():
        found[name] = {status: max(share, found[name][status]) for status, share in shares.items()}
    return _named(found, unknown)


def sentence(found: Mapping[str, LeftOut]) -> str:
    """Return which portfolios have something that is not in their risk, the largest first; empty if none."""
    some = {name: each for name, each in found.items() if each.any}
    if not some:
        return ""
    order = sorted(some, key=lambda name: (-some[name].missing_pct, -some[name].unknown, name))
    said = "; ".join(f"{name}: {some[name].words}" for name in order[:NAMED])
    return f"Not in the risk, in % of NAV: {said}{_more(len(order))}. No number includes what it may lose."


def proxies(found: Mapping[str, LeftOut]) -> str:
    """Return which portfolios move with proxies, the largest share first; empty if none."""
    some = {name: each.proxied_pct for name, each in found.items() if each.proxied_pct > 0.0}
    if not some:
        return ""
    order = sorted(some, key=lambda name: (-some[name], name))
    said = "; ".join(f"{name}: {percent(some[name], 2)}" for name in order[:NAMED])
    return f"In the risk by a proxy, in % of NAV: {said}{_more(len(order))}."


def _named(found: Mapping[str, Mapping[str, float]], unknown: Mapping[str, int]) -> dict[str, LeftOut]:
    return {
        name: LeftOut(shares[UNPRICED], shares[NOT_MODELLED], shares[PROXIED], unknown.get(name, 0))
        for name, shares in found.items()
    }


def _more(portfolios: int) -> str:
    return f"; and {count(portfolios - NAMED)} more" if portfolios > NAMED else ""
