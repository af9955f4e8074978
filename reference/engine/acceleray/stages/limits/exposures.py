"""Exposures of portfolios: gross, net, and of the groups that a column of the positions makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GROUPINGS = ("asset_class", "sector", "country", "issuer", "type")


@dataclass(frozen=True)
class GroupedExposure:
    """Exposure of each portfolio to one group each, arrays of shape (portfolios,).

    Attributes:
        pct_nav: in % of NAV, zero for a portfolio without a position in any group.
        groups: which group that is; empty for none.
    """

    pct_nav: NDArray[np.float64]
    groups: NDArray[np.object_]


def exposure(
    weights: NDArray[np.float64], portfolio: NDArray[np.int64], count: int, gross: bool
) -> NDArray[np.float64]:
    """Return the sum of weights of each of `count` portfolios, of shape (count,), in % of NAV.

    Weights are of positions (positions,), long positive; gross takes each by size.
    `portfolio` (positions,) says whose each is.
    """
    sizes = np.abs(weights) if gross else weights
    return np.asarray(100.0 * np.bincount(portfolio, sizes, minlength=count), dtype=np.float64)


def by_group(
    weights: NDArray[np.float64],
    portfolio: NDArray[np.int64],
    count: int,
    groups: NDArray[np.object_],
    gross: bool,
    group: str | None,
) -> GroupedExposure:
    """Return the exposure of each portfolio to a group, or without one to that with the largest by size.

    Of groups of one size the first in alphabetical order counts. Other arguments as in `exposure`; `groups`
    (positions,) says which group each is in.
    """
    names, code = np.unique(groups.astype(str), return_inverse=True)
    # Only pairs that there are: portfolios times groups may be more than memory holds.
    pairs, place = np.unique(portfolio * max(names.size, 1) + code, return_inverse=True)
    sizes = np.abs(weights) if gross else weights
    sums = 100.0 * np.bincount(place, sizes, minlength=pairs.size)
    owner, name = pairs // max(names.size, 1), names[pairs % max(names.size, 1)] if names.size else names
    if group is not None:
        chosen = name == group
        found = np.zeros(count)
        found[owner[chosen]] = sums[chosen]
        return GroupedExposure(found, np.full(count, group, dtype=object))
    order = np.lexsort((name, -np.abs(sums), owner))
    first = order[np.unique(owner[order], return_index=True)[1]]
    found, largest = np.zeros(count), np.full(count, "", dtype=object)
    found[owner[first]], largest[owner[first]] = sums[first], name[first]
    return GroupedExposure(found, largest)


def column_of(group: str) -> str | None:
    """Return the column of gold.positions that a group is named by: `sector`, or `instrument` for its id.

    None for any other, such as a column of the user's file; `currency` there is that of the portfolio.
    """
    names = {**{name: name for name in _GROUPINGS}, "instrument": "instrument_id"}
    return names.get(group)
