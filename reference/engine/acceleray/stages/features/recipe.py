"""Recipe of the rows of a table: inputs, computation, and the origin of each date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acceleray.extend import Signal
from acceleray.quant.day_prices import DayPrices
from acceleray.quant.reach import features_reach, returns_reach
from acceleray.runtime.content import content_key
from acceleray.runtime.look_ahead import signal_content
from acceleray.runtime.made_with import made_with
from acceleray.stages.features.origin import day_digests, origins
from acceleray.stages.features.part import Part
from acceleray.stages.features.returns import ReturnRows
from acceleray.stages.features.rows import FeatureRows


@dataclass(frozen=True)
class Expected:
    """Target state of a table: the origin of each risk day, and its least and most rows."""

    days: NDArray[np.datetime64]
    origins: tuple[str, ...]
    least: NDArray[np.int64]
    most: NDArray[np.int64]


@dataclass(frozen=True)
class Recipe:
    """How the rows of a table are made.

    Attributes:
        make: from a part of the risk days to its rows.
        expected: of the whole.
        reach: first day whose prices rows of each day depend on, of shape (days,).
        instruments: how many rows a day may have.
    """

    make: Callable[[Part], pa.Table]
    expected: Expected
    reach: NDArray[np.int64]
    instruments: int


def of_returns(
    prices: DayPrices, levels: NDArray[np.float64], longest_closed_d: int, local: bool = True
) -> Recipe:
    """Return how gold.returns is made; see `ReturnRows`. `local`: tasks run on this machine only."""
    made = ReturnRows(prices, levels, longest_closed_d)
    reach = returns_reach(np.isfinite(prices.prices), longest_closed_d)
    rest = content_key(made_with(ReturnRows, local), longest_closed_d)
    origin = origins(prices.days, day_digests(prices, [str(level) for level in levels]), reach, 0, rest)
    rows = made.counts()
    return Recipe(made.of, Expected(prices.days, origin, rows, rows), reach, len(prices.instruments))


def of_features(
    prices: DayPrices,
    in_market: NDArray[np.bool_],
    horizon_d: int,
    own: Sequence[Signal] = (),
    local: bool = True,
) -> Recipe:
    """Return how gold.features is made; see `FeatureRows`. `local`: tasks run on this machine only."""
    made = FeatureRows(prices, in_market, horizon_d, tuple(own))
    reach = features_reach(np.isfinite(prices.prices), in_market, *made.longest)
    rest = content_key(made_with(FeatureRows, local), horizon_d, [signal_content(each) for each in own])
    said = ["market" if one else "" for one in in_market]
    origin = origins(prices.days, day_digests(prices, said), reach, horizon_d, rest)
    return Recipe(made.of, Expected(prices.days, origin, *made.counts()), reach, len(prices.instruments))
