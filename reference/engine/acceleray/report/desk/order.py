"""Which portfolios the overview shows, in which order, and which of them have a page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

MOST_PAGES = 100
"""Portfolios that have a page; of more, those that are part of no other."""
RISKIEST = 100
"""Portfolios that are shown for their risk where a book has more than can be read."""
_DEEPEST = 6
_INVENTED = "simulated"


def depths(portfolios: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many wholes each portfolio is a part of, at most six, by its id."""
    parents = {row["portfolio_id"]: row["parent_id"] or "" for row in portfolios}
    found: dict[str, int] = {}
    for name in parents:
        depth, above = 0, parents[name]
        while above in parents and depth < _DEEPEST:
            depth, above = depth + 1, parents[above]
        found[name] = depth
    return found


def shown(portfolios: list[dict[str, Any]], risk: Mapping[str, float]) -> set[str]:
    """Return the ids that the overview shows: all, or of a large book its roots and the riskiest.

    Args:
        portfolios: rows of gold.portfolios in the order of the book.
        risk: value at risk of each, % of NAV.
    """
    names = [row["portfolio_id"] for row in portfolios]
    if len(names) <= RISKIEST:
        return set(names)
    known = set(names)
    roots = [row["portfolio_id"] for row in portfolios if (row["parent_id"] or "") not in known]
    if len(roots) > RISKIEST:
        # Thousands of portfolios that stand alone are no hierarchy: wholes that have parts come first.
        wholes = {row["parent_id"] for row in portfolios if row["parent_id"]}
        roots = [names[0], *[name for name in roots if name in wholes]][:RISKIEST]
    riskiest = sorted(names, key=lambda name: (-risk.get(name, float("-inf")), name))[:RISKIEST]
    return {*roots, *riskiest}


def looked_into(portfolios: list[dict[str, Any]]) -> list[str]:
    """Return the ids that have a page, in the order of the book: those that the book's details are of.

    Portfolios simulated as a benchmark load have none; see `acceleray.stages.book.details.looked_into`.
    """
    held = [row for row in portfolios if row["origin"] != _INVENTED]
    if len(held) > MOST_PAGES:
        known = {row["portfolio_id"] for row in held}
        held = [row for row in held if (row["parent_id"] or "") not in known][:MOST_PAGES]
    return [row["portfolio_id"] for row in held]


def file_name(portfolio_id: str) -> str:
    """Return the name of the file with a portfolio's page: the id where it can be one, else with a digest.

    Some file systems take GROWTH and Growth for one name: only capitals go without a digest.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", portfolio_id).lstrip(".")[:80]
    if safe and safe == portfolio_id == portfolio_id.upper():
        return f"{safe}.html"
    return f"{safe}-{hashlib.sha256(portfolio_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.html"
